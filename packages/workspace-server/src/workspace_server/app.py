"""The workspace's server: every part below one front door, listening on a socket it is given."""

from __future__ import annotations

import socket
import sys
import threading

import uvicorn
from fastapi import FastAPI

from workspace_server import (catalog_api, clusters, dbfs, experiments, faults, identity, jobs,
                              models, models_api, saved_jobs, volumes, workspace_files)
from workspace_server.catalog import Catalog
from workspace_server.environments import Environments
from workspace_server.errors import answer_errors
from workspace_server.faults import Call, Faults, FrontDoor
from workspace_server.jobs import Runs
from workspace_server.libraries import Libraries
from workspace_server.lifecycle import Machine
from workspace_server.mlflow_server import MlflowServer
from workspace_server.options import Options
from workspace_server.places import Places
from workspace_server.tree import Tree


def machine_of(options: Options, host: str, switches: Faults) -> Machine:
    """What runs are executed with."""
    folder = options.folder
    places = Places(folder / "workspace", folder / "volumes",
                    folder / "dbfs" if options.dbfs_root else None)
    environments = Environments(folder / "layers", options.environment)
    return Machine(host, clusters.Clusters("18.x-cpu-ml-scala2.13"), environments,
                   Libraries(folder / "interactive", environments, places), places, switches,
                   folder / "catalogs" / "spark_catalog", options.phase_seconds)


def application(options: Options, runs: Runs) -> FrontDoor:
    """All of the workspace as one ASGI application."""
    folder, calls = options.folder, list[Call]()
    tree = Tree(folder / "workspace")
    known = experiments.Experiments(tree, MlflowServer(folder), folder / "artifacts")
    catalog = Catalog(folder / "catalogs", folder / "volumes")
    registry = models.Models(catalog)
    files = models.ModelFiles(folder / "volumes", folder / "artifacts", registry)
    parts = (
        identity.routes(),
        faults.routes(runs.machine.faults, calls),
        workspace_files.routes(tree, known.forget),
        volumes.routes(files),
        dbfs.routes(dbfs.Dbfs(folder / "dbfs", options.dbfs_root)),
        clusters.routes(runs.machine.clusters),
        catalog_api.routes(catalog),
        models_api.routes(registry),
        experiments.routes(known),
        jobs.routes(runs),
        saved_jobs.routes(saved_jobs.SavedJobs(folder / "jobs.json", runs)))
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    answer_errors(app)
    for part in parts:
        app.include_router(part)
    return FrontDoor(app, runs.machine.faults, calls)


def main(options: Options, listening: socket.socket) -> None:
    """Serve until standard input ends: then whoever started this has gone, in whatever way."""
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
