"""The workspace's server: every part behind one front door, listening on a given socket."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable

import uvicorn
from fastapi import Depends, FastAPI

from workspace_server import (catalog_api, clusters, dbfs, dbfs_api, emulator_api, experiments,
                              experiments_api, files_api, identity, jobs_api, model_files, models,
                              models_api, permissions, runs_api, saved_jobs, sign_in,
                              workspace_files)
from workspace_server.catalog import Catalog
from workspace_server.environments import Environments
from workspace_server.errors import answer_errors
from workspace_server.faults import Faults
from workspace_server.fields import check_query
from workspace_server.front_door import Call, FrontDoor
from workspace_server.libraries import Libraries
from workspace_server.lifecycle import Machine
from workspace_server.mlflow_server import MlflowServer
from workspace_server.options import Options
from workspace_server.mounts import Mounts
from workspace_server.runs import Runs
from workspace_server.tree import Tree


def machine_of(options: Options, host: str, switches: Faults) -> Machine:
    """The executor of runs."""
    folder = options.folder
    mounts = Mounts(folder / "workspace", folder / "volumes",
                    folder / "dbfs" if options.dbfs_root else None)
    environments = Environments(folder / "layers", options.environment)
    return Machine(host, clusters.Clusters("18.x-cpu-ml-scala2.13"), environments,
                   Libraries(folder / "interactive", environments, mounts), mounts, switches,
                   folder / "catalogs" / "spark_catalog", options.phase_seconds,
                   options.spark_remote)


def application(options: Options, runs: Runs) -> FrontDoor:
    """The whole workspace as one ASGI application."""
    folder, calls = options.folder, list[Call]()
    tree = Tree(folder / "workspace")
    known = experiments.Experiments(tree, MlflowServer(folder), folder / "artifacts")
    catalog = Catalog(folder / "catalogs", folder / "volumes")
    registry = models.Models(catalog)
    rights = permissions.Permissions(folder / "permissions.json")
    saved = saved_jobs.SavedJobs(folder / "jobs.json", runs, rights)
    files = model_files.ModelFiles(folder / "volumes", folder / "artifacts", registry)
    parts = (
        identity.routes(),
        sign_in.routes(runs.machine.faults),
        emulator_api.routes(runs.machine.faults, calls),
        workspace_files.routes(tree, known.forget),
        files_api.routes(files),
        dbfs_api.routes(dbfs.Dbfs(folder / "dbfs", options.dbfs_root)),
        clusters.routes(runs.machine.clusters),
        catalog_api.routes(catalog),
        models_api.routes(registry),
        experiments_api.routes(known),
        runs_api.routes(runs),
        jobs_api.routes(saved),
        permissions.routes(rights, objects(saved, runs, known)))
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    answer_errors(app)
    for part in parts:
        app.include_router(part, dependencies=[Depends(check_query)])
    app.include_router(experiments_api.everything_else(known))
    return FrontDoor(app, runs.machine.faults, calls)


def objects(saved: saved_jobs.SavedJobs, runs: Runs, known: experiments.Experiments
            ) -> dict[str, Callable[[str], bool]]:
    """For each kind with permissions, whether an object with an id exists."""
    tree = known.tree
    return {
        "jobs": lambda number: number in saved.all(),
        "clusters": lambda number: any(cluster["cluster_id"] == number
                                       for cluster in runs.machine.clusters.all()),
        "cluster-policies": lambda number: number == clusters.POLICY["policy_id"],
        "experiments": known.exists,
        "directories": lambda number: tree.has("DIRECTORY", number),
        "notebooks": lambda number: tree.has("NOTEBOOK", number),
        "files": lambda number: tree.has("FILE", number)}


def main(options: Options, listening: socket.socket) -> None:
    """Serve until standard input ends: then the process that started this has ended."""
    host = f"http://127.0.0.1:{listening.getsockname()[1]}"
    runs = Runs(options.folder / "runs", machine_of(options, host, Faults()))
    server = uvicorn.Server(uvicorn.Config(application(options, runs), log_level="warning",
                                           timeout_graceful_shutdown=1))

    def watch() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
    try:
        server.run(sockets=[listening])
    finally:
        runs.stop()


if __name__ == "__main__":
    main(Options.from_json(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])))
