"""Compares a logged model's requirements with what is installed here."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from branchline.runs.answers import answered

__all__ = ["model_requirements", "unmet"]


def model_requirements(uri: str) -> list[str]:
    """The lines of the requirements.txt that MLflow logged with the model.

    Raises:
        NotAllowed, BadInput, Unreachable: as `answers.answered` does.
    """
    import mlflow
    with answered(f"model {uri}"):
        file = mlflow.pyfunc.get_model_dependencies(uri)
    return Path(file).read_text(encoding="utf-8").splitlines()


def unmet(requirements: Iterable[str]) -> list[str]:
    """Requirements that this environment does not meet, as `scikit-learn==1.5.0 (here 1.9.1)`."""
    return [f"{line.strip()} (here {found})" for line in requirements
            if (found := _instead(line.strip()))]


def _instead(line: str) -> str:
    """What is installed instead; empty if the line is met, or is not a requirement."""
    try:
        wanted = Requirement(line)
    except InvalidRequirement:  # a comment, an option or a file
        return ""
    if wanted.marker and not wanted.marker.evaluate():
        return ""
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return "not installed"
    return "" if wanted.specifier.contains(found, prereleases=True) else found
