"""The end of the service: requests that were begun are answered."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from support.web_service import WebService
from tests.served import SERVICE

PATH = "/invocations"
HEAD = ("POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\nExpect: 100-continue\r\n\r\n")


@pytest.fixture(scope="module")
def body(folder: Path) -> bytes:
    from branchline.serving.logged import read_logged
    row = dict.fromkeys(read_logged(folder).inputs, 1.5)
    return json.dumps({"instances": [row] * 200}).encode()


def begun(service: WebService, body: bytes) -> socket.socket:
    """A connection whose request the service has begun to read; its body is not yet sent."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=60)
    connection.sendall(HEAD.format(len(body)).encode())
    assert connection.recv(100).startswith(b"HTTP/1.1 100")
    return connection


def finished(connection: socket.socket, body: bytes) -> tuple[int, int]:
    """Send the body; status of the answer, and how many predictions it holds."""
    connection.sendall(body)
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    found = json.loads(answer.read())
    connection.close()
    return answer.status, len(found["predictions"])


class Client(threading.Thread):
    """Sends requests, each on a connection of its own, until the service takes none."""

    def __init__(self, service: WebService, body: bytes) -> None:
        super().__init__()
        self.service, self.body = service, body
        self.answers: list[Any] = []
        self.start()

    def run(self) -> None:
        while True:
            try:
                connection = begun(self.service, self.body)
            except (OSError, AssertionError):
                return  # not begun
            try:
                self.answers.append(finished(connection, self.body))
            except Exception as problem:
                self.answers.append(problem)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_sigterm_under_load_finishes_every_request_that_was_begun(
        folder: Path, body: bytes, processes: str) -> None:
    with WebService("fraud-training", "--model", str(folder), "--processes",
                    processes) as service:
        clients = [Client(service, body) for _ in range(4)]
        waiting = [begun(service, body) for _ in range(8)]
        stopped: list[tuple[int, str]] = []
        stopping = threading.Thread(target=lambda: stopped.append(service.stop()))
        stopping.start()
        time.sleep(1)  # the signal has arrived; bodies may take ten seconds
        assert [finished(connection, body) for connection in waiting] == [(200, 200)] * 8
        for client in clients:
            client.join(60)
        stopping.join(60)
    assert {answer for client in clients for answer in client.answers} <= {(200, 200)}
    assert stopped[0][0] == 0, stopped
    assert "Traceback" not in stopped[0][1]


def test_processes_share_a_port_and_their_metrics(folder: Path, body: bytes) -> None:
    with WebService(SERVICE, "--model", str(folder), "--processes", "2") as service:
        for _ in range(20):
            assert service.post(PATH, body).status == 200
        text = service.get("/metrics").body.decode()
    assert f'branchline_requests_total{{route="{PATH}",status="200"}} 20.0' in text
    assert 'branchline_rows_total{route="invocations"} 4000.0' in text
