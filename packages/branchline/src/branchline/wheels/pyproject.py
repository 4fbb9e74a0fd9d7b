"""A distribution as its pyproject.toml declares it: name, version, requirements."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from branchline.errors import BadInput

__all__ = ["Distribution", "distribution_of", "document_of", "project_name", "required"]


@dataclass(frozen=True)
class Distribution:
    """A project of the workspace; `folder` is relative to the repository's root, "" for its own.

    `name` is spelled as in a wheel's file name, `table` is [project] of its pyproject.toml.
    """

    folder: str
    name: str
    version: str
    table: Mapping[str, Any]


def project_name(root: Path) -> str:
    """The name that the wheel of the checkout at `root` has in its file name, `my_project`.

    Raises:
        BadInput: `root` holds no pyproject.toml with a name and a version.
    """
    return distribution_of(root, "", document_of(root)).name


def document_of(folder: Path) -> dict[str, Any]:
    """The content of the folder's pyproject.toml.

    Raises:
        BadInput: it is missing, or no TOML.
    """
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadInput(f"{folder}/pyproject.toml: cannot be read as a project with a name "
                       f"({type(problem).__name__}: {problem}).") from None


def required(one: Distribution, extra: str) -> Iterator[Requirement]:
    """What a distribution requires for one of its extras; for "", always.

    Raises:
        BadInput: a requirement that is not valid.
    """
    listed = (one.table.get("optional-dependencies", {}).get(extra, ()) if extra
              else one.table.get("dependencies", ()))
    for text in listed:
        try:
            yield Requirement(text)
        except InvalidRequirement as problem:
            raise BadInput(f"pyproject.toml of {one.name}: dependency {text!r} is not valid: "
                           f"{str(problem).splitlines()[0]}.") from None


def distribution_of(root: Path, folder: str, document: Mapping[str, Any]) -> Distribution:
    """The distribution that the pyproject.toml `document` of a folder declares.

    Raises:
        BadInput: it has no name or no version of its own.
    """
    file = root / folder / "pyproject.toml"
    table = document.get("project", {})
    if "version" in table.get("dynamic", ()):
        raise BadInput(f"{file}: its version is dynamic; expected a line such as `version = "
                       '"1.2.0"` in [project], to which each build adds the commit.')
    for key in ("name", "version"):
        if not isinstance(table.get(key), str):
            raise BadInput(f"{file}: cannot be read as a project with a name and a version: "
                           f"[project] has no {key}.")
    name = re.sub(r"[-_.]+", "_", table["name"]).lower()
    return Distribution(folder, name, _public(table["version"], file), table)


def _public(text: str, file: Path) -> str:
    """The version as wheels spell it."""
    try:
        version = Version(text)
    except InvalidVersion:
        version = None
    if version is None or version.local:
        raise BadInput(f"{file}: version {text!r}; expected one such as 1.2.0, without a + part, "
                       "which each build adds.")
    return str(version)
