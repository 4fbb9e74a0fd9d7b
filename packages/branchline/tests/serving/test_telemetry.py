"""Traces of a service in a process of its own, sent to a collector over HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from branchline.serving import telemetry
from support.collector import Collector
from support.light_service import save_light
from support.web_service import WebService

pytestmark = pytest.mark.slow

LIGHT = "support.light_service:open_service"
TESTS = str(Path(__file__).parents[1])
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
ASKED = {"dataframe_split": {"columns": ["one", "other"], "data": [[1, 2]]}}


def light(folder: Path, collector: str) -> WebService:
    save_light(folder / "model", "m-1")
    return WebService(LIGHT, "--model", str(folder / "model"), "--inference-log",
                      str(folder / "log"), PYTHONPATH=TESTS, OTEL_BSP_SCHEDULE_DELAY="100",
                      OTEL_EXPORTER_OTLP_ENDPOINT=collector)


def logged(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted((folder / "log").glob("*.jsonl"))
            for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, Path]]:
    """A collector, and the folder of a service that answered once and was probed."""
    folder = tmp_path_factory.mktemp("traced")
    with Collector() as collector:
        with light(folder, collector.address) as service:
            assert service.post("/invocations", ASKED, **SENT).status == 200
            assert service.get("/v2/health/ready").status == 200
            assert service.get("/metrics").status == 200
        yield collector, folder


def test_a_request_has_a_span_with_those_of_its_model_and_log_below_the_clients(
        traced: tuple[Collector, Path]) -> None:
    found = traced[0].trace(TRACE, 3)
    assert set(found) == {"POST /invocations", "model", "log"}
    request = found["POST /invocations"]
    assert request.parent_span_id.hex() == PARENT
    assert {found[name].parent_span_id for name in ("model", "log")} == {request.span_id}
    assert all(request.start_time_unix_nano <= each.start_time_unix_nano
               <= each.end_time_unix_nano <= request.end_time_unix_nano
               for each in found.values())


def test_the_resource_is_the_model_that_is_served(traced: tuple[Collector, Path]) -> None:
    traced[0].trace(TRACE, 3)
    assert traced[0].resource["service.name"] == "light"
    assert traced[0].resource["service.version"] == "m-1"


def test_probes_and_scrapes_have_no_span(traced: tuple[Collector, Path]) -> None:
    traced[0].trace(TRACE, 3)
    assert {each.trace_id.hex() for each in traced[0].spans} == {TRACE}


def test_the_line_of_the_inference_log_names_its_trace(traced: tuple[Collector, Path]) -> None:
    assert [line["trace_id"] for line in logged(traced[1])] == [TRACE]


def test_a_collector_that_takes_connections_and_never_answers_fails_no_request(
        tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        check_answers(tmp_path, address)
    assert len(logged(tmp_path)) == 50


def test_a_collector_that_is_not_there_fails_no_request(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    check_answers(tmp_path, address)


def check_answers(folder: Path, collector: str) -> None:
    with light(folder, collector) as service:
        answers = [service.post("/invocations", ASKED).status for _ in range(50)]
        code, said = service.stop()
    assert answers == [200] * 50 and code == 0 and "Traceback" not in said


def test_without_a_collector_nothing_is_traced() -> None:
    assert telemetry.trace_id() is None
    with telemetry.span("model") as found:
        assert found is None
