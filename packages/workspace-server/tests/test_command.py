from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient

from support.clone import ROOT
from support.processes import free_port


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_person_starts_it_copies_the_exports_and_stops_it(ending: signal.Signals,
                                                            tmp_path: Path) -> None:
    port = str(free_port())
    process = subprocess.Popen(
        [sys.executable, "-m", "workspace_server", "--port", port, "--folder", str(tmp_path)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
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
