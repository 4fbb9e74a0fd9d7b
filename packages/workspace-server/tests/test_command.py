from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient

from support.processes import free_port


COMMAND = [str(Path(sys.executable).with_name("workspace-server"))]


@pytest.mark.parametrize(("command", "ending"), [
    (COMMAND, signal.SIGINT), ([sys.executable, "-m", "workspace_server"], signal.SIGTERM)])
def test_a_person_starts_it_anywhere_copies_the_exports_and_stops_it(
        command: list[str], ending: signal.Signals, tmp_path: Path) -> None:
    port = str(free_port())
    process = subprocess.Popen(
        [*command, "--port", port, "--folder", "here"], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    assert process.stdout
    exports = {}
    for line in process.stdout:
        name, _, value = line.removeprefix("export ").partition("=")
        exports[name] = value.split("#")[0].strip()
        if name == "DATABRICKS_TOKEN":
            break
    client = WorkspaceClient(host=exports["DATABRICKS_HOST"], token=exports["DATABRICKS_TOKEN"],
                             auth_type="pat")
    assert client.current_user.me().user_name == "dev@example.com"
    process.send_signal(ending)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")


def test_a_port_that_is_taken_is_an_error_of_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*COMMAND, "--port", port], cwd=tmp_path, capture_output=True,
                              text=True)
    assert done.returncode == 2
    line, = done.stderr.splitlines()
    assert f"port {port}" in line and "choose another --port" in line
