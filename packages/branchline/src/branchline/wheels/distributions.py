"""The distributions that a run of this repository installs: its own, and members it depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from branchline.errors import BadInput
from branchline.wheels.pyproject import Distribution, distribution_of, document_of, required

__all__ = ["distributions"]

KEPT = "branchline"  # the kept half of the template, which teams upgrade like any dependency


def distributions(root: Path) -> tuple[Distribution, ...]:
    """The distributions to build from a checkout, each after those it requires; its own last.

    Members of the uv workspace count if they are among the `dependencies`, directly or through
    another member; those in dependency groups and extras do not.

    Raises:
        BadInput: a pyproject.toml has no project with name and version, or a member is missing.
    """
    document = document_of(root)
    members = _members(root, document)
    found: dict[str, Distribution] = {}

    def add(folder: str, content: Mapping[str, Any]) -> None:
        made = distribution_of(root, folder, content)
        for name in _of_workspace(made, document, content):
            if name not in members:
                raise BadInput(f"{root}/pyproject.toml: source {name} is a workspace source, but "
                               f"[tool.uv.workspace] has no member called {name}.")
            if name not in found:
                add(*members[name])
        found[canonicalize_name(made.name)] = made

    add("", document)
    return tuple(found.values())


def _of_workspace(one: Distribution, top: Mapping[str, Any],
                  own: Mapping[str, Any]) -> list[str]:
    """The members that a distribution requires, branchline first, then by name."""
    sources = {canonicalize_name(name): source for document in (top, own)
               for name, source in document.get("tool", {}).get("uv", {}).get("sources",
                                                                              {}).items()}
    names = {canonicalize_name(each.name) for each in required(one, "")}
    return sorted((name for name in names if _is_workspace(sources.get(name))),
                  key=lambda name: (name != KEPT, name))


def _is_workspace(source: Any) -> bool:
    each: Iterable[Any] = source if isinstance(source, list) else [source]
    return any(isinstance(one, Mapping) and one.get("workspace") is True for one in each)


def _members(root: Path, document: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Folder and pyproject.toml of each member of the workspace, by its name."""
    workspace = document.get("tool", {}).get("uv", {}).get("workspace", {})
    excluded = {folder for pattern in workspace.get("exclude", ()) for folder in root.glob(pattern)}
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for pattern in workspace.get("members", ()):
        for folder in sorted(root.glob(pattern)):
            if folder not in excluded and (folder / "pyproject.toml").is_file():
                content = document_of(folder)
                name = canonicalize_name(str(content.get("project", {}).get("name", "")))
                found[name] = (folder.relative_to(root).as_posix(), content)
    return found
