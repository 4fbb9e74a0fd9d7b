"""The operating system's process that executes a run: its variables, its start, its end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from workspace_server.mounts import Mounts
from workspace_server.sandbox import replaced, unshare, with_mounts
from workspace_server.task_run import TaskRun

DRIVER = Path(__file__).with_name("driver.py")
INHERITED = ("PATH", "HOME", "JAVA_HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE",
             "SPARK_SUBMIT_OPTS")
GRACE_SECONDS = 3


def start(run: TaskRun, python: Path, host: str, mounts: Mounts,
          spark_remote: str = "") -> subprocess.Popen[bytes]:
    """Start the task's script; its output goes to its log."""
    for name in ("work", "root"):
        (run.folder / name).mkdir()
    # -P: the run must not import from the driver's folder.
    command = [str(python), "-P", "-u", str(DRIVER), str(report_of(run)),
               mounts.seen(run.work.python_file), *run.parameters]
    remote = {"SPARK_REMOTE": spark_remote} if spark_remote else {}
    with run.log.open("ab") as log:
        return subprocess.Popen(
            with_mounts(command, mounts.mounts, run.folder / "root"),
            env={**_variables(run, python, host, mounts.mounts), **remote}, cwd=run.folder / "work",
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def report_of(run: TaskRun) -> Path:
    return run.folder / "report.json"


def _variables(run: TaskRun, python: Path, host: str, mounts: Mapping[str, Path]) -> dict[str, str]:
    """As on a cluster: not this process's, but the user's sign-in and the request's own."""
    work = run.work
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    version = work.version.split("-")[0]
    own = {name: value if unshare() else replaced(value, mounts)
           for name, value in work.cluster.get("spark_env_vars", {}).items()}
    return {
        **inherited, "PATH": f"{python.parent}{os.pathsep}{inherited.get('PATH', os.defpath)}",
        "DATABRICKS_RUNTIME_VERSION":
            f"client.{version}.0" if work.compute == "serverless" else version,
        "DATABRICKS_HOST": host, "DATABRICKS_TOKEN": run.user.token,
        "MLFLOW_TRACKING_URI": "databricks", "PYTHONNOUSERSITE": "1",
        "PYSPARK_PYTHON": str(python), "SPARK_CONF_DIR": str(run.folder / "spark"),
        "SPARK_LOCAL_IP": "127.0.0.1", **own}


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and its children: first with SIGTERM, then with SIGKILL."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
