"""Shows a process the workspace's folders where a cluster mounts them, such as /Workspace."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# In a mount namespace of its own: a new root that holds all of the old one and the mounts, so that
# nothing is written at this machine's root. Everything ends by `exec`: the process keeps its id.
SCRIPT = """set -e
new=$1; shift
mount -t tmpfs none "$new"
for old in /*; do
  if [ -L "$old" ]; then ln -s "$(readlink "$old")" "$new$old"
  elif [ -d "$old" ]; then mkdir "$new$old"; mount --rbind "$old" "$new$old"
  fi
done
while [ "$1" != -- ]; do
  mkdir -p "$new$1"; mount --bind "$2" "$new$1"; shift 2
done
shift
exec chroot "$new" /bin/sh -c 'cd "$0"; exec "$@"' "$PWD" "$@"
"""


@functools.cache
def unshare() -> tuple[str, ...]:
    """The command that makes a mount namespace; empty if this machine does not allow one."""
    flags = "-m" if os.geteuid() == 0 else "-rm"
    program = shutil.which("unshare")
    if program is None:
        return ()
    # Some machines permit the namespace, but no mount in it.
    tried = subprocess.run([program, flags, "mount", "-t", "tmpfs", "none", "/tmp"],
                           capture_output=True)
    return () if tried.returncode else (program, flags)


def with_mounts(command: Sequence[str], mounts: Mapping[str, Path], root: Path) -> list[str]:
    """The command with the folders at their mount points; `root` is an empty folder.

    Without namespaces, the paths in the command are replaced instead.
    """
    if not unshare():
        return [replaced(word, mounts) for word in command]
    mounts = [word for point, folder in mounts.items() for word in (point, str(folder))]
    return [*unshare(), "/bin/sh", "-c", SCRIPT, "sh", str(root), *mounts, "--", *command]


def replaced(word: str, mounts: Mapping[str, Path]) -> str:
    """The word with a mount point at its start, or after a `=`, replaced by the folder."""
    for point, folder in mounts.items():
        for before in ("", "="):
            head, found, tail = word.partition(f"{before}{point}/")
            if found and (before or not head):
                return f"{head}{before}{folder}/{tail}"
    return word
