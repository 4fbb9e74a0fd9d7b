"""A Databricks workspace on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import suppress
from pathlib import Path

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import AlreadyExists, BadRequest
from databricks.sdk.service.catalog import VolumeType

from workspace_server import Workspace
from workspace_server.identity import USERS


def main() -> None:
    """Serve a workspace from a folder that is kept, and print how to use it."""
    parser = argparse.ArgumentParser(prog="workspace-server", description=__doc__)
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--folder", type=Path, default=Path(".local/workspace"))
    parser.add_argument("--environment", choices=["current", "runtime"], default="runtime",
                        help="the libraries that runs find: this environment's or the runtime's")
    parser.add_argument("--no-dbfs-root", action="store_true", help="as in new workspaces")
    parser.add_argument("--spark-remote", default="", metavar="sc://HOST:PORT",
                        help="a Spark Connect server that serverless runs share")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        serve(given)
    except OSError as problem:
        print(f"workspace-server: cannot serve at port {given.port} from {given.folder}: {problem};"
              " choose another --port or --folder, or see server.log there.", file=sys.stderr)
        sys.exit(2)


def serve(given: argparse.Namespace) -> None:
    """Serve until Ctrl-C.

    Raises:
        OSError: the port is taken, or the server ended at once.
    """
    with suppress(KeyboardInterrupt), Workspace.start(
            given.folder, given.port, environment=given.environment,
            dbfs_root=not given.no_dbfs_root, spark_remote=given.spark_remote) as workspace:
        make_volumes(workspace.client())
        print(f"workspace  {workspace.host}, kept in {given.folder}; Ctrl-C ends it\n\n"
              f"export DATABRICKS_HOST={workspace.host}\n"
              f"export DATABRICKS_TOKEN={workspace.token()}  # {next(iter(USERS))}\n"
              "python mlflow-triggers/run.py fraud-training --on emulated", flush=True)
        signal.pause()


def make_volumes(client: WorkspaceClient) -> None:
    """Create the volumes of the target `emulated` in targets.yml, if they are missing."""
    with suppress(BadRequest, AlreadyExists):
        client.schemas.create("branchline", "dev")
    for name in ("files", "wheels"):
        with suppress(BadRequest, AlreadyExists):
            client.volumes.create("dev", "branchline", name, VolumeType.MANAGED)


if __name__ == "__main__":
    main()
