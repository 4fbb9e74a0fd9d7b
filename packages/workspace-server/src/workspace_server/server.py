"""A workspace for tests: a server process to start, call, and make fail."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace_server.identity import USERS
from workspace_server.options import Options

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

STOP_SECONDS = 20


class Workspace:
    """A running workspace; `host` is its address."""

    def __init__(self, host: str, folder: Path) -> None:
        self.host, self.folder = host, folder

    @classmethod
    @contextmanager
    def start(cls, folder: Path, port: int = 0, **options: Any) -> Iterator[Workspace]:
        """Serve a workspace kept in `folder`; `options` are the fields of Options.

        The socket listens before the process is ready, so the first call waits for it.

        Raises:
            OSError: the port is taken, or the server ended at once (see server.log in the folder).
        """
        folder.mkdir(parents=True, exist_ok=True)
        chosen = Options(folder.resolve(), **options)
        with socket.create_server(("127.0.0.1", port)) as listening:
            host = f"http://127.0.0.1:{listening.getsockname()[1]}"
            process = _serve(chosen, listening)
        try:
            started = cls(host, chosen.folder)
            started.calls()
            yield started
        finally:
            _stop(process)

    def token(self, user: str = "dev@example.com") -> str:
        return USERS[user].token

    def environment(self, user: str = "dev@example.com") -> dict[str, str]:
        """The variables by which a client process finds the workspace as this user."""
        return {"DATABRICKS_HOST": self.host, "DATABRICKS_TOKEN": self.token(user),
                "DATABRICKS_AUTH_TYPE": "pat", "MLFLOW_TRACKING_URI": "databricks"}

    def client(self, user: str = "dev@example.com") -> WorkspaceClient:
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.core import Config
        return WorkspaceClient(config=Config(
            host=self.host, token=self.token(user), auth_type="pat", retry_timeout_seconds=20))

    def fault(self, kind: str, path: str = "", method: str = "", times: int = 1,
              **more: float) -> None:
        """Switch a fault on; see faults.Fault."""
        self._ask("POST", "faults", {"kind": kind, "path": path, "method": method,
                                     "times": times, **more})

    def clear_faults(self) -> None:
        self._ask("DELETE", "faults")

    def calls(self) -> list[dict[str, Any]]:
        """All calls so far: method, path, status (0: the connection was cut), user."""
        found: list[dict[str, Any]] = self._ask("GET", "calls")["calls"]
        return found

    def clusters_started(self) -> int:
        """How many job clusters and serverless computes were ever started."""
        return int(self._ask("GET", "clusters")["started"])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.host}/_emulator/{path}", method=method,
                                         data=json.dumps(body).encode() if body else None)
        with urllib.request.urlopen(request, timeout=60) as answer:
            answered: dict[str, Any] = json.load(answer)
            return answered


def _serve(options: Options, listening: socket.socket) -> subprocess.Popen[bytes]:
    with (options.folder / "server.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "workspace_server.app", options.as_json(),
             str(listening.fileno())],
            pass_fds=[listening.fileno()], stdin=subprocess.PIPE, stdout=log, stderr=log,
            start_new_session=True)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Closing its standard input stops the server, which first ends its runs."""
    assert process.stdin
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
