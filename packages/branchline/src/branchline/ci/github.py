"""GitHub Actions: the branch and the run in its variables and event, its output files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from branchline.branch import Branch, from_ref, pull_number, pull_request
from branchline.ci.variables import value
from branchline.text import one_line

__all__ = ["branch", "build", "event", "is_here", "set_output", "show_page"]


def is_here(environment: Mapping[str, str]) -> bool:
    return "GITHUB_OUTPUT" in environment or "GITHUB_STEP_SUMMARY" in environment


def branch(environment: Mapping[str, str], payload: Mapping[str, Any]) -> Branch | None:
    """The branch of the run; None outside of GitHub Actions. `payload` is that of its event."""
    ref = value(environment, "GITHUB_REF")
    source = value(environment, "GITHUB_HEAD_REF")
    # pull_request_target has the base branch in GITHUB_REF: alone it would name a fork's run main.
    if source or value(environment, "GITHUB_EVENT_NAME").startswith("pull_request"):
        pull = payload.get("pull_request") or {}
        number = pull_number(ref) or str(pull.get("number") or "")
        return pull_request(source, number, fork=_is_from_fork(pull))
    return from_ref("GITHUB_REF", ref) if ref else None


def event(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """The payload of the run's event; empty if there is none."""
    try:
        payload = json.loads(Path(environment.get("GITHUB_EVENT_PATH", "")).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return payload if isinstance(payload, dict) else {}


def build(environment: Mapping[str, str]) -> str | None:
    """The address of the run's page; None outside of GitHub Actions."""
    number = environment.get("GITHUB_RUN_ID")
    if not number:
        return None
    return (f"{environment.get('GITHUB_SERVER_URL', '')}/{environment.get('GITHUB_REPOSITORY', '')}"
            f"/actions/runs/{number}/attempts/{environment.get('GITHUB_RUN_ATTEMPT', '1')}")


def show_page(page: Path, environment: Mapping[str, str]) -> None:
    """Append a Markdown file to the job's summary."""
    if summary := environment.get("GITHUB_STEP_SUMMARY"):
        _append(summary, page.read_text(encoding="utf-8"))


def set_output(name: str, text: str, environment: Mapping[str, str]) -> None:
    """Set an output of this step, one line of text."""
    if outputs := environment.get("GITHUB_OUTPUT"):
        _append(outputs, f"{one_line(name)}={one_line(text)}\n")


def _is_from_fork(pull: Mapping[str, Any]) -> bool:
    # A deleted fork is null, and without a payload it could be a fork: both count as a fork.
    # The payload's `fork` flag would be true for every branch of a repository that is a fork.
    try:
        return bool(pull["head"]["repo"]["full_name"] != pull["base"]["repo"]["full_name"])
    except (KeyError, TypeError):
        return True


def _append(file: str, text: str) -> None:
    with open(file, "a", encoding="utf-8") as opened:
        opened.write(text)
