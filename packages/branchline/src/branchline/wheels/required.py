"""What a checkout's distributions require from an index, and branchline's locked version."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from branchline.errors import BadInput
from branchline.wheels.artifacts import PACKAGE, Artifact
from branchline.wheels.distributions import KEPT, distributions
from branchline.wheels.pyproject import Distribution, project_name, required

__all__ = ["locked", "requirements"]


def requirements(root: Path) -> tuple[str, ...]:
    """What a checkout's distributions require besides each other, with extras resolved."""
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
        for needed in required(ours[name], extra):
            wanted = canonicalize_name(needed.name)
            if wanted in ours:
                for each in ("", *sorted(needed.extras)):
                    add(wanted, each)
            else:
                found[pinned.get(wanted, str(needed))] = None

    add(top, "")
    return tuple(found)


def locked(root: Path) -> tuple[Artifact, ...]:
    """Branchline in uv.lock's version if it comes from the index; nothing if it is a member.

    Raises:
        BadInput: it is required, but uv.lock has no version from an index.
    """
    own = distributions(root)
    needed = any(canonicalize_name(each.name) == KEPT
                 for one in own for each in required(one, ""))
    if not needed or KEPT in {canonicalize_name(each.name) for each in own}:
        return ()
    for package in _lock(root).get("package", ()):
        if package.get("name") == KEPT and "registry" in package.get("source", {}):
            version = str(package["version"])
            return (Artifact(PACKAGE, KEPT, version, f"{KEPT}=={version}"),)
    raise BadInput(f"{root}/uv.lock: {KEPT} is neither a workspace member nor locked to a "
                   "version from an index; expected one of the two, so that a run elsewhere can "
                   "install it: run `uv lock`.")


def _lock(root: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise BadInput(f"{root}/uv.lock: cannot be read ({type(problem).__name__}: {problem}); "
                       "run `uv lock`.") from None
