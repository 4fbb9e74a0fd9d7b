"""Images without a Docker daemon: a base of Debian's packages, and containers by runc."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from branchline.images.builder import Builder

__all__ = ["BASE", "OPTIONS", "base_problem", "builder", "container", "lacking", "make_base"]

BASE = "localhost/branchline-base:bookworm"
PROGRAMS = ("buildah", "debootstrap", "runc")
# As root in a container of one's own, neither user namespaces nor overlay mounts can be had.
OPTIONS = ("--storage-driver", "vfs")
PATH = "/usr/local/bin:/usr/bin:/bin"


def lacking() -> str | None:
    """Why no image can be built here; None if one can."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        return (f"{', '.join(missing)} not in PATH: `apt-get install {' '.join(PROGRAMS)}` "
                "(Debian, Ubuntu)")
    return "building needs root here" if os.geteuid() else None


def base_problem() -> str | None:
    """Why there is no base image; None if there is one."""
    if problem := lacking():
        return problem
    known = _buildah("images", "--format", "{{.Name}}:{{.Tag}}", check=False)
    return None if BASE in known.splitlines() else "no base image yet: `make test-image` makes it"


def make_base(scratch: Path) -> None:
    """Debian 12 with its Python 3.11, from Debian's packages, as root."""
    top = scratch / "root"
    subprocess.run(["debootstrap", "--variant=minbase", "--include=python3,ca-certificates",
                    "bookworm", str(top)], check=True, capture_output=True)
    for left in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale",
                 "usr/share/man"):
        shutil.rmtree(top / left, ignore_errors=True)
    name = _buildah("from", "scratch").strip()
    _buildah("add", "--quiet", name, str(top), "/")
    _buildah("config", "--env", f"PATH={PATH}", name)
    _buildah("commit", "--quiet", "--rm", name, BASE)


@contextmanager
def container(image: str, arguments: Sequence[str], folder: Path, log: Path, memory: int,
              command: Sequence[str] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """The image's entry point, or another command, as a process with the Deployment's restrictions.

    Not root, no capabilities, a read-only root file system, /tmp in memory, limited memory in
    bytes; the network is this machine's.
    """
    name = _buildah("from", "--pull-never", image).strip()
    try:
        root = _buildah("mount", name).strip()
        about = json.loads(_buildah("inspect", "--type", "image", image))["OCIv1"]["config"]
        words = [*(command or about["Entrypoint"]), *arguments]
        config = _configuration(Path(root), about, words, memory)
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))
        with log.open("wb") as output:
            process = subprocess.Popen(["runc", "run", "--bundle", str(folder), name],
                                       stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            subprocess.run(["runc", "kill", name, "TERM"], capture_output=True)
            process.wait(60)
            subprocess.run(["runc", "delete", "--force", name], capture_output=True)
    finally:
        _buildah("umount", name, check=False)
        _buildah("rm", name, check=False)


def _configuration(root: Path, about: dict[str, Any], arguments: Sequence[str],
                   memory: int) -> dict[str, Any]:
    user, _, group = about["User"].partition(":")
    return {
        "ociVersion": "1.0.2", "hostname": "service",
        "root": {"path": str(root), "readonly": True},
        "process": {
            "args": list(arguments), "env": about["Env"],
            "cwd": about["WorkingDir"], "user": {"uid": int(user), "gid": int(group)},
            "capabilities": {}, "noNewPrivileges": True},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "mode=755", "size=65536k"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "nodev", "mode=1777", "size=65536k"]}],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")],
                  "resources": {"memory": {"limit": memory}}}}


def builder() -> Builder:
    return Builder("buildah", OPTIONS)


def _buildah(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["buildah", *OPTIONS, *arguments], capture_output=True, text=True)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout
