"""What Azure Pipelines and GitHub Actions are told besides the log: a page, and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["set_output", "show_page"]


def show_page(page: Path, environment: Mapping[str, str]) -> None:
    """Put a Markdown file on the build's page; outside of CI nothing happens."""
    if "TF_BUILD" in environment:
        # The agent reads it later: the file has to stay.
        print(f"##vso[task.uploadsummary]{page.resolve()}", flush=True)
    elif summary := environment.get("GITHUB_STEP_SUMMARY"):
        _append(summary, page.read_text(encoding="utf-8"))


def set_output(name: str, value: str, environment: Mapping[str, str]) -> None:
    """Hand a value of one line to later jobs; outside of CI nothing happens."""
    if "TF_BUILD" in environment:
        print(f"##vso[task.setvariable variable={name};isOutput=true]{value}", flush=True)
    elif outputs := environment.get("GITHUB_OUTPUT"):
        _append(outputs, f"{name}={value}\n")


def _append(file: str, text: str) -> None:
    with open(file, "a", encoding="utf-8") as opened:
        opened.write(text)
