"""Which repository a folder of wheels belongs to: two of the same name never share it."""

from __future__ import annotations

from pathlib import Path

from branchline.errors import BadInput
from branchline.git import git, is_own_checkout
from branchline.records import Format, encoded, read_object
from branchline.wheels.destinations import Destination

__all__ = ["require_own"]

FORMAT = Format("repository", 1)


def require_own(root: Path, name: str, destination: Destination) -> None:
    """Claim the folder `name` for the repository at `root`, unless another one has it.

    A repository is known by its first commit; a shallow clone, which has none, is not checked.

    Raises:
        BadInput: it belongs to another repository.
    """
    first = _first_commit(root)
    if first is None:
        return
    path = f"{name}/repository.json"
    try:
        destination.create(path, encoded(FORMAT.written({"first_commit": first})))
    except FileExistsError:
        where = destination.reference(path)
        found = FORMAT.read(read_object(path, destination) or {}, where).get("first_commit", first)
        if found != first:
            raise BadInput(f"{where}: belongs to the repository whose first commit is "
                           f"{found[:12]}; this one's is {first[:12]}: give this project "
                           "another name in pyproject.toml or another `wheels` in targets.yml "
                           "(or remove the file, if the history was rewritten).") from None


def _first_commit(root: Path) -> str | None:
    """The oldest commit without a parent; None without git or in a shallow clone."""
    if not is_own_checkout(root) or git(root, "rev-parse", "--is-shallow-repository") != b"false\n":
        return None
    found = (git(root, "rev-list", "--max-parents=0", "HEAD") or b"").split()
    return found[-1].decode() if found else None
