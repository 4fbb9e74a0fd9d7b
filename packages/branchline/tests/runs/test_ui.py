from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from branchline.runs.ui import page, port_to_use
from support.processes import free_port, kill


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_a_taken_port_is_skipped() -> None:
    with listening() as other:
        taken = other.getsockname()[1]
        assert port_to_use(taken) > taken
    assert port_to_use(taken) == taken


def test_the_address_is_that_of_the_last_make_ui_else_of_the_next(tmp_path: Path) -> None:
    assert page(tmp_path) == f"http://127.0.0.1:{port_to_use(5000)}"
    (tmp_path / "ui-port").write_text("5017")
    assert page(tmp_path) == "http://127.0.0.1:5017"


def healthy(server: subprocess.Popen[str], port: int) -> bool:
    """Whether the server answers; asked until it does or has ended."""
    while server.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
            return bool(answer.read() == b"OK")
        time.sleep(0.2)
    return False


@pytest.mark.slow
def test_make_ui_serves_on_the_port_that_it_is_given_and_prints(tmp_path: Path) -> None:
    port = free_port()
    started = subprocess.Popen(
        [sys.executable, "-m", "branchline.runs.ui", str(port)], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"})
    assert started.stdout
    try:
        assert started.stdout.readline().strip() == f"http://127.0.0.1:{port}"
        assert healthy(started, port)
        assert page(tmp_path / ".local") == f"http://127.0.0.1:{port}"
    finally:
        kill(started)
