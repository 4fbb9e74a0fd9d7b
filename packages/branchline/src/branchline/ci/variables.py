"""A CI's variables, read with care: an unset macro of Azure Pipelines arrives as its own text."""

from __future__ import annotations

from collections.abc import Mapping

from branchline.branch import expanded

__all__ = ["value"]


def value(environment: Mapping[str, str], variable: str) -> str:
    """The variable's text; empty where it is unset or blank.

    Raises:
        BadInput: the text still contains `$(`, a macro that was not expanded.
    """
    text = environment.get(variable, "")
    return expanded(variable, text) if text.strip() else ""
