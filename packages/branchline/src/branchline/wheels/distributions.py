"""The distributions that a run of this repository installs: its own, and members it depends on."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from branchline.errors import BadInput
from branchline.wheels.artifacts import PACKAGE, Artifact

__all__ = ["Distribution", "distributions", "locked", "project_name", "requirements"]

KEPT = "branchline"  # the half of the template that teams upgrade like any dependency


@dataclass(frozen=True)
class Distribution:
    """A project of the workspace; `folder` is relative to the repository's root, "" for its own.

    `name` is spelled as in a wheel's file name, `table` is [project] of its pyproject.toml.
    """

    folder: str
    name: str
    version: str
    table: Mapping[str, Any]


def distributions(root: Path) -> tuple[Distribution, ...]:
    """What is built of the checkout at `root`, each after those that it requires; its own is last.

    Members of the uv workspace count where they are among the `dependencies`, directly or through
    another member; those of dependency groups and extras do not.

    Raises:
        BadInput: a pyproject.toml is no project with a name and a version, or a member is missing.
    """
    document = _document(root)
    members = _members(root, document)
    found: dict[str, Distribution] = {}

    def add(folder: str, content: Mapping[str, Any]) -> None:
        made = _distribution(root, folder, content)
        for name in _of_workspace(made, document, content):
            if name not in members:
                raise BadInput(f"{root}/pyproject.toml: source {name} is of the workspace, but "
                               "[tool.uv.workspace] has no member of that name.")
            if name not in found:
                add(*members[name])
        found[canonicalize_name(made.name)] = made

    add("", document)
    return tuple(found.values())


def project_name(root: Path) -> str:
    """The name that the wheel of the checkout at `root` has in its file name, `my_project`.

    Raises:
        BadInput: `root` holds no pyproject.toml with a name and a version.
    """
    return _distribution(root, "", _document(root)).name


def requirements(root: Path) -> tuple[str, ...]:
    """What the distributions of a checkout require besides each other, extras resolved."""
    ours: dict[str, Distribution] = {
        canonicalize_name(each.name): each for each in distributions(root)}
    pinned = {each.name: each.reference for each in locked(root)}
    top = canonicalize_name(project_name(root))
    found: dict[str, None] = {}
    seen: set[tuple[str, str]] = set()

    def add(name: str, extra: str) -> None:
        if (name, extra) in seen:
            return
        seen.add((name, extra))
        for needed in _required(ours[name], extra):
            wanted = canonicalize_name(needed.name)
            if wanted in ours:
                for each in ("", *sorted(needed.extras)):
                    add(wanted, each)
            else:
                found[pinned.get(wanted, str(needed))] = None

    add(top, "")
    return tuple(found)


def locked(root: Path) -> tuple[Artifact, ...]:
    """Branchline in the version of uv.lock, where it is of the index; nothing where it is a member.

    Raises:
        BadInput: it is required, but uv.lock has no version of an index.
    """
    own = distributions(root)
    needed = any(canonicalize_name(each.name) == KEPT
                 for one in own for each in _required(one, ""))
    if not needed or KEPT in {canonicalize_name(each.name) for each in own}:
        return ()
    for package in _lock(root).get("package", ()):
        if package.get("name") == KEPT and "registry" in package.get("source", {}):
            version = str(package["version"])
            return (Artifact(PACKAGE, KEPT, version, f"{KEPT}=={version}"),)
    raise BadInput(f"{root}/uv.lock: {KEPT} is neither a member of the workspace nor locked in a "
                   "version of an index; expected one of them, so that a run elsewhere can install "
                   "it: run `uv lock`.")


def _required(one: Distribution, extra: str) -> Iterator[Requirement]:
    listed = (one.table.get("optional-dependencies", {}).get(extra, ()) if extra
              else one.table.get("dependencies", ()))
    for text in listed:
        try:
            yield Requirement(text)
        except InvalidRequirement as problem:
            raise BadInput(f"pyproject.toml of {one.name}: dependency {text!r} is none: "
                           f"{str(problem).splitlines()[0]}.") from None


def _of_workspace(one: Distribution, top: Mapping[str, Any],
                  own: Mapping[str, Any]) -> list[str]:
    """The members that a distribution requires, branchline first, then by name."""
    sources = {canonicalize_name(name): source for document in (top, own)
               for name, source in document.get("tool", {}).get("uv", {}).get("sources",
                                                                              {}).items()}
    names = {canonicalize_name(each.name) for each in _required(one, "")}
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
                content = _document(folder)
                name = canonicalize_name(str(content.get("project", {}).get("name", "")))
                found[name] = (folder.relative_to(root).as_posix(), content)
    return found


def _distribution(root: Path, folder: str, document: Mapping[str, Any]) -> Distribution:
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


def _document(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadInput(f"{folder}/pyproject.toml: cannot be read as a project with a name "
                       f"({type(problem).__name__}: {problem}).") from None


def _lock(root: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise BadInput(f"{root}/uv.lock: cannot be read ({type(problem).__name__}: {problem}); "
                       "run `uv lock`.") from None
