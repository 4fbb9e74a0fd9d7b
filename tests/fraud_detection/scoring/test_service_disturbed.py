"""Slow clients, many connections, a store that is lost, a model that is replaced under load."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from support.processes import wait_until
from support.redis_server import redis_server
from support.web_service import WebService
from tests.served import SERVICE

SCORE, INVOKE = "/score", "/invocations"


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[WebService]:
    with WebService(SERVICE, "--model", str(folder)) as started:
        yield started


@pytest.fixture(scope="module")
def body(folder: Path) -> bytes:
    from branchline.serving.logged import read_logged
    return json.dumps({"instances": [dict.fromkeys(read_logged(folder).inputs, 1.5)]}).encode()


def sold(key: str) -> dict[str, Any]:
    return {"transactions": [{"transaction_id": key, "event_time": "2018-06-01T00:00:00Z",
                              "customer_id": "1", "terminal_id": "1", "amount": 10.0}]}


def head(length: int) -> bytes:
    return (f"POST {INVOKE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def test_a_body_that_comes_too_slowly_is_answered_408_and_others_are_served_meanwhile(
        service: WebService, body: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as slow:
        slow.sendall(head(len(body)) + body[:5])
        assert service.post(INVOKE, body).status == 200
        answer = http.client.HTTPResponse(slow)
        answer.begin()
        assert answer.status == 408 and b"did not arrive within 10 seconds" in answer.read()


def test_two_hundred_connections_at_once_are_all_answered(service: WebService,
                                                          body: bytes) -> None:
    opened = [socket.create_connection(("127.0.0.1", service.port), timeout=120)
              for _ in range(200)]
    for connection in opened:  # none is finished before all have begun
        connection.sendall(head(len(body)) + body[:-1])
    for connection in opened:
        connection.sendall(body[-1:])
    with ThreadPoolExecutor(20) as threads:
        said = list(threads.map(lambda connection: connection.recv(10_000), opened))
    for connection in opened:
        connection.close()
    assert [each[:15] for each in said] == [b"HTTP/1.1 200 OK"] * 200


@pytest.mark.parametrize("lost", ["refuse", "degraded"])
def test_a_store_that_is_lost_is_said_or_its_score_is_marked_as_degraded(
        folder: Path, tmp_path: Path, lost: str) -> None:
    with redis_server(tmp_path) as store, \
            WebService(SERVICE, "--model", str(folder), "--store", store.url, "--store-lost", lost,
                       "--inference-log", str(tmp_path / "log")) as started:
        [before] = started.post(SCORE, sold("a")).json["transactions"]
        store.kill()
        answer = started.post(SCORE, sold("b"))
        ready = started.get("/v2/health/ready")
        assert started.get("/v2/health/live").status == 200
    assert before["outcome"] == "scored"
    if lost == "refuse":
        assert (answer.status, ready.status) == (503, 503)
        assert answer.json["error"].startswith("online store: the Redis server failed")
        assert answer.headers["retry-after"] == "1"
    else:
        assert (answer.status, ready.status) == (200, 200)
        [found] = answer.json["transactions"]
        assert found["outcome"] == "degraded" and found["score"] == before["score"]
        logged = [json.loads(line) for file in (tmp_path / "log").glob("*.jsonl")
                  for line in file.read_text().splitlines()]
        assert [line["outcome"] for line in logged] == ["scored", "degraded"]


def test_a_model_is_replaced_under_load_without_a_lost_request(
        folder: Path, body: bytes, tmp_path: Path) -> None:
    """The address is a link, as an alias is: it names another model from now on."""
    link = tmp_path / "current"
    link.symlink_to(folder)
    other = _copy(folder, tmp_path / "m-other")
    broken = _copy(folder, tmp_path / "m-broken")
    (broken / "model.pkl").write_bytes(b"no pickle")
    answers, stop = list[int](), threading.Event()
    with WebService(SERVICE, "--model", str(link), "--reload", "1") as started:
        def call() -> None:
            while not stop.is_set():
                answers.append(started.post(INVOKE, body).status)

        clients = [threading.Thread(target=call) for _ in range(2)]
        for client in clients:
            client.start()
        link.unlink()
        link.symlink_to(broken)
        time.sleep(1.5)  # a model that cannot be loaded replaces none
        before = started.get("/v2").json["version"]
        link.unlink()
        link.symlink_to(other)
        wait_until(lambda: started.get("/v2").json["version"] == "m-other")
        stop.set()
        for client in clients:
            client.join(60)
        assert started.get("/v2/models/fraud/versions/m-other/ready").status == 200
    assert before == "current" and set(answers) == {200} and len(answers) > 10


def _copy(folder: Path, to: Path) -> Path:
    """The model as another version, named as the folder is."""
    shutil.copytree(folder, to)
    lines = (to / "MLmodel").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("model_id:")]
    (to / "MLmodel").write_text("\n".join([*kept, f"model_id: {to.name}", ""]))
    return to
