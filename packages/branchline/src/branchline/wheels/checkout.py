"""A checkout's files by their content, not by `git status`.

`git status` can be configured to leave out untracked or changed files; so each file is compared
with the commit.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from branchline.git import git, is_own_checkout

__all__ = ["Checkout", "read_checkout"]

LINK = "120000"  # git's mode of a symbolic link


@dataclass(frozen=True)
class Checkout:
    """The files below some paths (content by relative path, in order), and their commit.

    If `clean`, they are the commit's to the byte, whatever line endings the checkout has.
    """

    commit: str | None
    clean: bool
    files: Mapping[str, bytes]


def read_checkout(root: Path, paths: Collection[str]) -> Checkout:
    """The files below the existing ones of `paths` (relative to `root`).

    Files that git ignores are left out. Without git, or before the first commit, all files but
    caches count.

    Raises:
        BadInput: git refuses the checkout.
    """
    commit = _commit(root, paths)
    if commit is None:
        return Checkout(None, False, _read(root, _walk(root, paths)))
    listed = git(root, "ls-files", "-z", "-co", "--exclude-standard", "--", *paths) or b""
    files = _read(root, os.fsdecode(listed).split("\0"))
    committed = _committed(root, files, _tree(root, paths))
    return Checkout(commit, committed is not None, files if committed is None else committed)


def _commit(root: Path, paths: Collection[str]) -> str | None:
    """HEAD; in a part of a larger repository, the last commit that changed one of the paths."""
    if not is_own_checkout(root):
        return None
    head = git(root, "rev-parse", "--verify", "-q", "HEAD")
    if head and git(root, "rev-parse", "--show-prefix") != b"\n":
        head = git(root, "log", "-1", "--format=%H", "--", *paths) or head
    return head.decode().strip() if head else None


def _walk(root: Path, paths: Collection[str]) -> Iterator[str]:
    for top in paths:
        for file in [root / top, *(root / top).rglob("*")]:
            if "__pycache__" not in file.parts:
                yield file.relative_to(root).as_posix()


def _read(root: Path, names: Iterator[str] | list[str]) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in sorted(set(names))
            if name and (root / name).is_file()}


def _tree(root: Path, paths: Collection[str]) -> dict[str, tuple[str, str]]:
    """Mode and object of each file in HEAD."""
    listed = git(root, "ls-tree", "-r", "-z", "HEAD", "--", *paths) or b""
    found = {}
    for line in os.fsdecode(listed).split("\0"):
        about, _, name = line.partition("\t")
        if name:
            mode, kind, content = about.split()
            if kind == "blob":  # else a submodule, whose files belong to another repository
                found[name] = (mode, content)
    return found


def _committed(root: Path, files: Mapping[str, bytes],
               tree: Mapping[str, tuple[str, str]]) -> dict[str, bytes] | None:
    """The files as they are in the commit; None if they differ from it."""
    if files.keys() != tree.keys():
        return None
    found, other = dict(files), []
    for name, content in files.items():
        mode, expected = tree[name]
        if mode == LINK:
            if not _is_link_inside(root, name, expected, tree):
                return None
        elif _object(content, expected) != expected:
            other.append(name)
    if not other:
        return found
    # Git changes some files on checkout: line endings, or what .gitattributes say.
    filtered = git(root, "hash-object", "--stdin-paths", given=os.fsencode("\n".join(other))) or b""
    if filtered.decode().split() != [tree[name][1] for name in other]:
        return None
    for name in other:
        committed = git(root, "cat-file", "blob", tree[name][1])
        if committed is not None and _unix(committed) == _unix(files[name]):
            found[name] = committed  # else a pointer, such as Git LFS's: the file counts
    return found


def _object(content: bytes, like: str) -> str:
    digest = hashlib.sha1 if len(like) == 40 else hashlib.sha256
    return digest(b"blob %d\0" % len(content) + content).hexdigest()


def _is_link_inside(root: Path, name: str, expected: str, tree: Collection[str]) -> bool:
    """Whether a symbolic link is the committed one, to a file that is compared itself."""
    link = root / name
    if not link.is_symlink() or _object(os.fsencode(os.readlink(link)), expected) != expected:
        return False
    target = link.resolve()
    top = root.resolve()
    return target.is_relative_to(top) and target.relative_to(top).as_posix() in tree


def _unix(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")
