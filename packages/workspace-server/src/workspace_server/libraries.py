"""Installs a run's libraries, in a fresh environment or in an interactive cluster's."""

from __future__ import annotations

import re
import shutil
import threading
from pathlib import Path

from workspace_server.endings import Ending, Stopped
from workspace_server.environments import Base, Environments, InstallFailed, install
from workspace_server.mounts import Mounts
from workspace_server.task_run import TaskRun

PATH = re.compile(r"(?P<path>(dbfs:)?/[^\[]*\.whl)(?P<extras>\[.*\])?")


class Libraries:
    """Environments by compute; those of interactive clusters keep what is installed."""

    def __init__(self, folder: Path, environments: Environments, mounts: Mounts) -> None:
        self.folder, self.environments, self.mounts = folder, environments, mounts
        self._installed: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def environment_for(self, run: TaskRun, base: Base) -> Path:
        """The `python` that has the run's libraries.

        Raises:
            Stopped: LIBRARY_INSTALLATION_ERROR.
        """
        try:
            if run.work.compute in ("existing", "shared"):
                return self._kept(run, base)
            python = self.environments.fresh(run.folder / "environment", base)
            wanted = [self._found(library, run) for library in run.work.libraries]
            if wanted:
                install(python, wanted)
            return python
        except InstallFailed as problem:
            raise libraries_failed(str(problem)) from None

    def forget(self, cluster: str) -> None:
        """Delete the environment of a job cluster that has ended."""
        with self._lock:
            self._installed.pop(cluster, None)
            shutil.rmtree(self.folder / cluster, ignore_errors=True)

    def _kept(self, run: TaskRun, base: Base) -> Path:
        """A wheel with an installed file name is not installed again, even if it changed."""
        home = self.folder / run.cluster
        with self._lock:
            python = home / "bin" / "python"
            if run.cluster not in self._installed:
                python = self.environments.fresh(home, base)
                self._installed[run.cluster] = set()
            there = self._installed[run.cluster]
            for library in run.work.libraries:
                name = library.rsplit("/", 1)[-1]
                if name not in there:
                    install(python, [self._found(library, run)])
                    there.add(name)
        return python

    def _found(self, library: str, run: TaskRun) -> str:
        """The argument for pip: a file on this machine, or a requirement as it is."""
        path = PATH.fullmatch(library)
        if not path:
            return library
        seen = self.mounts.seen(path["path"])
        if seen.startswith("/dbfs/") and not _may_use_dbfs(run):
            raise InstallFailed(f"{library}: libraries in the DBFS root are not supported by "
                                f"{run.work.version}; store them as workspace files or in volumes.")
        file = self.mounts.on_disk(seen)
        if file is None:
            raise InstallFailed(f"{library}: No such file or directory")
        return f"{file}{path['extras'] or ''}"


def _may_use_dbfs(run: TaskRun) -> bool:
    return run.work.compute != "serverless" and int(run.work.version.split(".")[0]) < 15


def libraries_failed(message: str) -> Stopped:
    return Stopped(Ending("FAILED", "LIBRARY_INSTALLATION_ERROR", "CLIENT_ERROR",
                          f"Library installation failed: {message}"))
