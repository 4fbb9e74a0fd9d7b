"""Builds and pushes images with buildah or podman, which need no daemon."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from branchline.errors import BadInput, NotInstalled, PlatformError
from branchline.text import one_line

__all__ = ["Builder"]

PROGRAMS = ("buildah", "podman")


@dataclass(frozen=True)
class Builder:
    """buildah or podman; `options` go before their commands, such as --storage-driver."""

    program: str
    options: tuple[str, ...] = ()

    @classmethod
    def found(cls) -> Builder:
        """The first of them in PATH.

        Raises:
            NotInstalled: there is neither.
        """
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if program is None:
            raise NotInstalled("buildah, podman: neither is in PATH; install one (Debian, Ubuntu: "
                               "`apt-get install buildah`).")
        return cls(program)

    def build(self, folder: Path, tag: str, labels: Mapping[str, str],
              base: str | None = None) -> None:
        """Build the folder's Dockerfile; `base` takes the place of its argument BASE.

        Raises:
            BadInput: it does not build; the text has the last lines.
        """
        arguments = [f"--build-arg=BASE={base}"] if base else []
        arguments += [f"--label={name}={value}" for name, value in labels.items()]
        code, said = self._run("build", "--timestamp=0", *arguments, "--tag", tag, str(folder))
        if code:
            raise BadInput(f"image {tag}: does not build: {said}")

    def push(self, tag: str, repository: str, scratch: Path) -> str:
        """Push to the registry, where the user of the registry's sign-in may; the digest.

        Raises:
            PlatformError: the registry does not take it.
        """
        file = scratch / "digest"
        code, said = self._run("push", "--digestfile", str(file), tag, f"docker://{repository}")
        if code:
            raise PlatformError(f"image {tag}: cannot be pushed to {repository}: {said}")
        return file.read_text(encoding="utf-8").strip()

    def _run(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run([self.program, *self.options, *arguments], capture_output=True,
                              text=True)
        lines = (done.stdout + done.stderr).strip().splitlines()
        return done.returncode, one_line(" ".join(lines[-3:]) or "no output")
