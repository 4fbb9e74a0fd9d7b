"""Programs of the distribution for tests, unpacked into the user's cache: nothing is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from branchline.errors import NotInstalled
from branchline.spark.jars import cache

__all__ = ["program", "unpacked"]


def program(name: str, package: str) -> str:
    """A program without libraries of its own: the one in PATH, else that of Debian's package.

    Raises:
        NotInstalled: there is neither.
    """
    return shutil.which(name) or str(unpacked(package, [package]) / "usr" / "bin" / name)


def unpacked(name: str, packages: Sequence[str]) -> Path:
    """A folder with Debian's packages, unpacked: installed, they might start a service.

    Raises:
        NotInstalled: this machine has no such packages; the text calls the program `name`.
    """
    folder = cache() / name
    if not folder.is_dir():
        _unpack(folder, name, packages)
    return folder


def _unpack(folder: Path, name: str, packages: Sequence[str]) -> None:
    if not shutil.which("apt-get"):
        raise NotInstalled(f"{name}: not found in PATH; tests need it. Install your system's "
                           "package (as `brew install redis prometheus`) and try again.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as scratch:
        done = _download(scratch, packages)
        if done.returncode:  # the lists of packages may be missing, or old
            subprocess.run([*_sudo(), "apt-get", "update", "-qq"], capture_output=True)
            done = _download(scratch, packages)
        if done.returncode:
            raise NotInstalled(f"{name}: not found in PATH, and its packages could not be "
                               f"downloaded: {done.stderr.strip().splitlines()[-1]}. Install "
                               f"{name} and try again.")
        for package in Path(scratch).glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, f"{scratch}/unpacked"], check=True)
        try:
            Path(scratch, "unpacked").rename(folder)
        except OSError:
            if not folder.is_dir():  # another process was first: its copy is as good
                raise


def _download(folder: str, packages: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["apt-get", "download", "-qq", *packages], cwd=folder,
                          capture_output=True, text=True)


def _sudo() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo", "-n"]
