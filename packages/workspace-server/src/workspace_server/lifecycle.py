"""An attempt of a task from its start to its end: compute, libraries, the process."""

from __future__ import annotations

import json
import shutil
import traceback
from dataclasses import dataclass
from pathlib import Path

from workspace_server import process as processes
from workspace_server.clusters import Clusters
from workspace_server.endings import SUCCESS, Ending, Stopped, now
from workspace_server.environments import Base, Environments
from workspace_server.faults import Faults
from workspace_server.libraries import Libraries, libraries_failed
from workspace_server.mounts import Mounts
from workspace_server.run import Run
from workspace_server.spark_settings import write_settings
from workspace_server.task_run import TaskRun

TICK_SECONDS = 0.05
LOST = Ending("FAILED", "CLUSTER_ERROR", "CLOUD_FAILURE",
              "Cluster was terminated during the run: the driver node was lost")
NOT_STARTED = Ending("FAILED", "CLUSTER_ERROR", "CLOUD_FAILURE",
                     "Unexpected failure while waiting for the cluster to be ready: "
                     "CLOUD_PROVIDER_LAUNCH_FAILURE")
WORKLOAD_FAILED = "Workload failed, see run output for details"


@dataclass(frozen=True)
class Machine:
    """Shared by all runs; `host` is the workspace's address, `warehouse` Spark's tables.

    `spark_remote` is the address of a Spark Connect server that serverless runs use; empty: each
    has a Spark of its own.
    """

    host: str
    clusters: Clusters
    environments: Environments
    libraries: Libraries
    mounts: Mounts
    faults: Faults
    warehouse: Path
    phase_seconds: float
    spark_remote: str = ""


def live(task: TaskRun, run: Run, machine: Machine) -> None:
    """Execute an attempt; in the end it is TERMINATED, whatever happens."""
    try:
        ending = _worked(task, run, machine)
    except Stopped as stop:
        ending = stop.ending
    except Exception as problem:
        traceback.print_exc()
        ending = Ending("FAILED", "INTERNAL_ERROR", "INTERNAL_ERROR", str(problem))
    task.execution_end = now()
    task.state = "TERMINATING"
    shared = task.cluster in run.clusters.values()  # which ends with the run
    if task.work.compute != "existing" and task.cluster and not shared:
        machine.clusters.becomes(task.cluster, "TERMINATED")
    shutil.rmtree(task.folder / "environment", ignore_errors=True)
    task.ended(ending)


def _worked(task: TaskRun, run: Run, machine: Machine) -> Ending:
    _start_compute(task, run, machine)
    base = machine.environments.base(task.work.version)
    task.pause(machine.phase_seconds)
    if machine.faults.of_run("library_failure"):
        raise libraries_failed("a fault that a test asked for")
    python = machine.libraries.environment_for(task, base)
    return _execute(task, machine, base, python)


def _start_compute(task: TaskRun, run: Run, machine: Machine) -> None:
    shared = str(task.work.given.get("job_cluster_key", ""))
    if task.work.compute == "existing":
        task.cluster = task.work.cluster["cluster_id"]
        return
    if shared in run.clusters:
        task.cluster = run.clusters[shared]
        return
    if task.serverless:
        machine.clusters.count_one()
    else:
        task.cluster = machine.clusters.start_for(run.job, run.id, run.user.name,
                                                  task.work.cluster)
    if machine.faults.of_run("never_starts"):
        while True:
            task.pause(TICK_SECONDS)
    task.pause(machine.phase_seconds)
    if machine.faults.of_run("cluster_failure"):
        raise Stopped(NOT_STARTED)
    if not task.serverless:
        machine.clusters.becomes(task.cluster, "RUNNING")
    if shared:
        run.clusters[shared] = task.cluster


def _execute(task: TaskRun, machine: Machine, base: Base, python: Path) -> Ending:
    file = machine.mounts.seen(task.work.python_file)
    if machine.mounts.on_disk(file) is None:
        return Ending("FAILED", "RESOURCE_NOT_FOUND", "CLIENT_ERROR",
                      f"Cannot read the python file {task.work.python_file}. Please check driver "
                      "logs for more details")
    write_settings(task.folder / "spark", base, machine.warehouse,
                   task.work.cluster.get("spark_conf", {}))
    task.setup_end = now()
    remote = machine.spark_remote if task.serverless else ""
    process = processes.start(task, python, machine.host, machine.mounts, remote)
    task.state = "RUNNING"
    lost = machine.faults.of_run("node_lost")
    try:
        while process.poll() is None:
            task.pause(TICK_SECONDS)
            if lost and now() - task.setup_end > lost.seconds * 1000:
                raise Stopped(LOST)
    finally:
        processes.stop(process)
    return _ending(task, process.returncode)


def _ending(task: TaskRun, exit_code: int) -> Ending:
    report = processes.report_of(task)
    if report.exists():
        return Ending("FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR", WORKLOAD_FAILED,
                      **json.loads(report.read_text()))
    if exit_code == 0:
        return SUCCESS
    return Ending("FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR", WORKLOAD_FAILED,
                  "Fatal error: The Python kernel is unresponsive.",
                  f"The Python process exited with exit code {exit_code}.")
