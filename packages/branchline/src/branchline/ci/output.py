"""What a build shows besides its log: a page, and values for later jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from branchline.ci import azure, github

__all__ = ["set_output", "show_page"]


def show_page(page: Path, environment: Mapping[str, str]) -> None:
    """Show a Markdown file on the build's page; outside of CI nothing happens."""
    if azure.is_here(environment):
        azure.show_page(page, environment)
    elif github.is_here(environment):
        github.show_page(page, environment)


def set_output(name: str, value: str, environment: Mapping[str, str]) -> None:
    """Pass a value of one line to later jobs; outside of CI nothing happens."""
    if azure.is_here(environment):
        azure.set_output(name, value, environment)
    elif github.is_here(environment):
        github.set_output(name, value, environment)
