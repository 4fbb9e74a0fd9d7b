from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from branchline.errors import RunFailed, Unreachable
from branchline.serving.smoke import Client, check
from support.light_service import open_service, save_light
from support.processes import free_port
from support.web_service import WebService

SERVICE, KEY = "support.light_service:open_service", "the key"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_light(tmp_path_factory.mktemp("light") / "model", "1")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    tests = str(Path(__file__).parents[1])
    with WebService(SERVICE, "--model", str(folder), BRANCHLINE_API_KEY=KEY,
                    PYTHONPATH=tests) as running:
        yield Client(f"http://127.0.0.1:{running.port}", KEY)


def test_a_service_that_answers_as_its_image_passes(client: Client, folder: Path) -> None:
    said = check(open_service(str(folder), None), client, 5000)
    assert said[:3] == ["model 1", "golden rows 2, the same to the bit", "bad request 422"]
    assert said[3].startswith("latency p50 ")


def test_a_service_of_another_model_fails(client: Client, folder: Path) -> None:
    other = replace(open_service(str(folder), None), version="2")
    with pytest.raises(RunFailed, match=r"model: found \['1'\], expected \['2'\]"):
        check(other, client, 5000)


def test_a_score_that_differs_in_its_last_bit_fails(client: Client, folder: Path) -> None:
    found = open_service(str(folder), None)
    other = replace(found, predict=lambda rows: found.predict(rows) * (1 + 2**-52))
    with pytest.raises(RunFailed, match="golden rows: found 200"):
        check(other, client, 5000)


def test_an_answer_that_takes_too_long_fails(client: Client, folder: Path) -> None:
    with pytest.raises(RunFailed, match="latency: the 99th percentile is .*latency_ms"):
        check(open_service(str(folder), None), client, 0.0001)


def test_a_wrong_key_and_a_service_that_is_not_there_fail(client: Client, folder: Path) -> None:
    found = open_service(str(folder), None)
    with pytest.raises(RunFailed, match="API key: is missing or wrong"):
        check(found, replace(client, key="another"), 5000)
    with pytest.raises(Unreachable, match="does not answer"):
        Client(f"http://127.0.0.1:{free_port()}", None).ask("/v2")
