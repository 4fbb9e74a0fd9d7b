"""A run from its submission to its end: compute, libraries, the process, one after the other."""

from __future__ import annotations

import json
import shutil
import traceback
from dataclasses import dataclass
from pathlib import Path

from workspace_server import process as processes
from workspace_server.clusters import Clusters
from workspace_server.environments import Base, Environments
from workspace_server.faults import Faults
from workspace_server.libraries import Libraries, libraries_failed
from workspace_server.places import Places
from workspace_server.run import SUCCESS, Ending, Run, Stopped, now
from workspace_server.spark_settings import write_settings

TICK_SECONDS = 0.05
LOST = Ending("FAILED", "CLUSTER_ERROR", "CLOUD_FAILURE",
              "Cluster was terminated during the run: the driver node was lost")
NOT_STARTED = Ending("FAILED", "CLUSTER_ERROR", "CLOUD_FAILURE",
                     "Unexpected failure while waiting for the cluster to be ready: "
                     "CLOUD_PROVIDER_LAUNCH_FAILURE")
WORKLOAD_FAILED = "Workload failed, see run output for details"


@dataclass(frozen=True)
class Machine:
    """What all runs share; `host` is the workspace's address, `warehouse` Spark's tables."""

    host: str
    clusters: Clusters
    environments: Environments
    libraries: Libraries
    places: Places
    faults: Faults
    warehouse: Path
    phase_seconds: float


def live(run: Run, machine: Machine) -> None:
    """All that happens to a run; ends with the run TERMINATED, whatever happens."""
    try:
        ending = _worked(run, machine)
    except Stopped as stop:
        ending = stop.ending
    except Exception as problem:
        traceback.print_exc()
        ending = Ending("FAILED", "INTERNAL_ERROR", "INTERNAL_ERROR", str(problem))
    run.execution_end = now()
    run.state = "TERMINATING"
    if run.work.compute != "existing" and run.cluster:
        machine.clusters.becomes(run.cluster, "TERMINATED")
    shutil.rmtree(run.folder / "environment", ignore_errors=True)
    run.ended(ending)


def _worked(run: Run, machine: Machine) -> Ending:
    _start_compute(run, machine)
    base = machine.environments.base(run.work.version)
    run.pause(machine.phase_seconds)
    if machine.faults.of_run("library_failure"):
        raise libraries_failed("a fault that a test asked for")
    python = machine.libraries.environment_for(run, base)
    return _execute(run, machine, base, python)


def _start_compute(run: Run, machine: Machine) -> None:
    if run.work.compute == "existing":
        run.cluster = run.work.cluster["cluster_id"]
        return
    run.cluster = machine.clusters.start_for(run.id, run.user.name, run.work.cluster)
    if machine.faults.of_run("never_starts"):
        while True:
            run.pause(TICK_SECONDS)
    run.pause(machine.phase_seconds)
    if machine.faults.of_run("cluster_failure"):
        raise Stopped(NOT_STARTED)
    machine.clusters.becomes(run.cluster, "RUNNING")


def _execute(run: Run, machine: Machine, base: Base, python: Path) -> Ending:
    file = machine.places.seen(run.work.python_file)
    if machine.places.on_disk(file) is None:
        return Ending("FAILED", "RESOURCE_NOT_FOUND", "CLIENT_ERROR",
                      f"Cannot read the python file {run.work.python_file}. Please check driver "
                      "logs for more details")
    write_settings(run.folder / "spark", base, machine.warehouse,
                   run.work.cluster.get("spark_conf", {}))
    run.setup_end = now()
    process = processes.start(run, python, machine.host, machine.places)
    run.state = "RUNNING"
    lost = machine.faults.of_run("node_lost")
    try:
        while process.poll() is None:
            run.pause(TICK_SECONDS)
            if lost and now() - run.setup_end > lost.seconds * 1000:
                raise Stopped(LOST)
    finally:
        processes.stop(process)
    return _ending(run, process.returncode)


def _ending(run: Run, exit_code: int) -> Ending:
    report = processes.report_of(run)
    if report.exists():
        return Ending("FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR", WORKLOAD_FAILED,
                      **json.loads(report.read_text()))
    if exit_code == 0:
        return SUCCESS
    return Ending("FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR", WORKLOAD_FAILED,
                  "Fatal error: The Python kernel is unresponsive.",
                  f"The Python process exited with exit code {exit_code}.")
