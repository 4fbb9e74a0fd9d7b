"""The service in a process of its own, over HTTP, with a model as the train step logs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from branchline import BadInput
from branchline.features.online import SqliteStore
from fraud_detection.data.landed_columns import Columns
from fraud_detection.scoring.logged import LoggedModel, find_model
from fraud_detection.scoring.service import open_service
from fraud_detection.scoring.stream import FraudScorer
from support.collector import Collector
from support.web_service import WebService
from tests.served import (SERVICE, as_records, batch_features, bits, fill_store, save_model,
                          silver)

LIVE = datetime(2018, 5, 28, tzinfo=timezone.utc)  # what comes from here on, the service scores
INFER, SCORE, INVOKE = "/v2/models/fraud/infer", "/score", "/invocations"


@pytest.fixture(scope="module")
def transactions() -> pa.Table:
    return silver()


@pytest.fixture(scope="module")
def rows(transactions: pa.Table) -> pd.DataFrame:
    return batch_features(transactions)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, rows: pd.DataFrame) -> Path:
    return save_model(tmp_path_factory.mktemp("served") / "model", rows)


@pytest.fixture(scope="module")
def model(folder: Path) -> LoggedModel:
    return replace(find_model(str(folder)), version=folder.name)  # saved, it has no id


@pytest.fixture(scope="module")
def service(folder: Path, transactions: pa.Table) -> Iterator[WebService]:
    store = fill_store(folder.parent / "events.db", transactions, LIVE)
    with WebService(SERVICE, "--model", str(folder), "--store", str(store)) as started:
        yield started


def as_tensors(rows: pd.DataFrame) -> dict[str, Any]:
    return {"inputs": [{"name": name, "datatype": "FP64", "shape": [len(rows)],
                        "data": rows[name].tolist()} for name in rows]}


def test_scores_of_given_features_are_those_of_batch_to_the_bit(
        service: WebService, model: LoggedModel, rows: pd.DataFrame) -> None:
    some = rows.tail(500)[model.inputs]
    expected = model(some)
    found = service.post(INFER, as_tensors(some)).json
    outputs = {each["name"]: each["data"] for each in found["outputs"]}
    assert set(outputs["outcome"]) == {"scored"} and set(outputs["guardrails"]) == {""}
    assert bits(outputs["score"]) == bits(expected.score)
    assert bits(outputs["outlier_score"]) == bits(expected.outlier_score)
    assert outputs["is_alert"] == expected.alert.tolist()
    assert outputs["is_outlier"] == expected.outlier.tolist()
    assert found["model_version"] == model.version


def test_a_traced_transaction_has_spans_for_its_features_and_its_score(
        folder: Path, transactions: pa.Table, tmp_path: Path) -> None:
    store, trace = fill_store(tmp_path / "events.db", transactions, LIVE), "7" * 32
    with Collector() as collector:
        with WebService(SERVICE, "--model", str(folder), "--store", str(store),
                        OTEL_EXPORTER_OTLP_ENDPOINT=collector.address) as traced:
            asked = {"transactions": as_records(transactions)[-1:]}
            assert traced.post(SCORE, asked, traceparent=f"00-{trace}-{'7' * 16}-01").status == 200
        assert set(collector.trace(trace, 3)) == {"POST /score", "features", "model"}


@pytest.mark.parametrize("form", ["split", "records", "instances", "lists", "inputs", "csv"])
def test_invocations_answers_what_the_logged_model_predicts(
        service: WebService, model: LoggedModel, rows: pd.DataFrame, form: str) -> None:
    some = rows.tail(300)[model.inputs]
    body: Any = {
        "split": {"dataframe_split": some.to_dict("split")},
        "records": {"dataframe_records": some.to_dict("records")},
        "instances": {"instances": some.to_dict("records")},
        "lists": {"instances": some.to_numpy().tolist()},
        "inputs": {"inputs": some.to_dict("list")},
        "csv": some.to_csv(index=False).encode()}[form]
    kind = "text/csv" if form == "csv" else "application/json"
    found = service.post(INVOKE, body, Content_Type=kind)
    assert bits(found.json["predictions"]) == bits(model.probabilities(some.to_numpy()))


def test_scores_of_transactions_are_those_of_batch_to_the_bit(
        service: WebService, model: LoggedModel, rows: pd.DataFrame, transactions: pa.Table,
        ) -> None:
    live = rows[rows["event_time"] >= pd.Timestamp(LIVE)]
    expected = dict(zip(live["transaction_id"], model.score(live), strict=True))
    records = [each for each in as_records(transactions) if each["transaction_id"] in expected]
    assert len(records) > 100
    found: list[dict[str, Any]] = []
    for first in range(0, len(records), 7):  # in several requests: the store is written between
        answer = service.post(SCORE, {"transactions": records[first:first + 7], "features": True})
        assert answer.status == 200 and answer.json["model_version"] == model.version
        found += answer.json["transactions"]
    assert {each["transaction_id"]: each["score"] for each in found} == expected
    assert [each["is_alert"] for each in found] == [
        each["score"] >= model.threshold for each in found]
    by_id = live.set_index("transaction_id")
    for each in found:
        assert bits(list(each["features"].values())) == bits(
            by_id.loc[each["transaction_id"], model.inputs].astype(float))


def test_unknown_entities_are_no_error(service: WebService) -> None:
    [found] = service.post(SCORE, {"transactions": [
        {"transaction_id": "new", "event_time": "2018-06-02T00:00:00Z", "customer_id": "nobody",
         "terminal_id": "nowhere", "amount": 12}]}).json["transactions"]
    assert 0 <= found["score"] <= 1


def test_a_transaction_that_came_too_late_has_no_score(service: WebService) -> None:
    def at(key: str, day: str) -> dict[str, Any]:
        return {"transaction_id": key, "event_time": day, "customer_id": "late",
                "terminal_id": "late", "amount": 1.0}

    found = service.post(SCORE, {"transactions": [at("late-2", "2018-06-20"),
                                                  at("late-1", "2018-05-20")]})
    late = service.post(SCORE, {"transactions": [at("late-0", "2018-05-21")]})
    assert found.status == late.status == 200
    assert late.json["transactions"] == [
        {"transaction_id": "late-0", "score": None, "is_alert": None, "outlier_score": None,
         "is_outlier": None, "outcome": "late", "guardrails": []}]


def test_health_and_metadata_tell_the_model(service: WebService, model: LoggedModel) -> None:
    version = f"/v2/models/fraud/versions/{model.version}"
    assert service.get("/v2/health/ready").json == {
        "ready": True, "golden": "as when the model was built"}
    for path in ("/v2/models/fraud", version):
        about = service.get(path).json
        assert about["versions"] == [model.version]
        assert [each["name"] for each in about["inputs"]] == model.inputs
    for path in ("/v2/models/fraud/ready", f"{version}/ready"):
        assert service.get(path).json["ready"] is True
    for path in ("/v2/models/other", "/v2/models/fraud/versions/other/ready", "/nowhere"):
        assert service.get(path).status == 404


def test_every_example_of_the_openapi_page_works(service: WebService) -> None:
    assert service.get("/docs").status == 200
    count = 0
    for path, methods in service.get("/openapi.json").json["paths"].items():
        path = path.replace("{model}", "fraud").replace(
            "{version}", service.get("/v2").json["version"])
        content = methods.get("post", {}).get("requestBody", {}).get("content", {})
        for kind, about in content.items():
            for example in about["examples"].values():
                value = example["value"]
                body = value.encode() if isinstance(value, str) else value
                assert service.post(path, body, Content_Type=kind).status == 200, path
                count += 1
    assert count == 9


def test_metrics_count_requests_and_rows(service: WebService, model: LoggedModel,
                                         rows: pd.DataFrame) -> None:
    service.post(INFER, as_tensors(rows.tail(3)[model.inputs]))
    service.post(INFER, b"{")
    text = service.get("/metrics").body.decode()
    route = 'route="/v2/models/{model}/infer"'
    assert f'branchline_requests_total{{{route},status="200"}}' in text
    assert f'branchline_requests_total{{{route},status="422"}}' in text
    assert f"branchline_request_seconds_bucket{{le=\"0.001\",{route}}}" in text
    assert f'branchline_model{{name="fraud",version="{model.version}"}} 1.0' in text


def test_neither_spark_nor_databricks_nor_matplotlib_is_imported(folder: Path,
                                                                 tmp_path: Path) -> None:
    script = ("import sys; from branchline.cli import serve; from branchline.serving import server;"
              "from branchline.serving.app import application; from branchline.serving import *;"
              "service = serve._function(sys.argv[1])(sys.argv[2], sys.argv[3]);"
              "application(service, ServerSettings()); print(*sys.modules)")
    done = subprocess.run([sys.executable, "-c", script, SERVICE, str(folder),
                           str(tmp_path / "events.db")], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "sklearn" in loaded and "fastapi" in loaded
    assert not loaded & {"pyspark", "delta", "databricks", "matplotlib", "mlflow"}


def test_a_model_that_scores_its_golden_row_otherwise_is_not_ready(
        folder: Path, rows: pd.DataFrame, model: LoggedModel, tmp_path: Path) -> None:
    golden = {**model.notes["golden"], "predicted": [[0.25, 0.75]]}
    other = save_model(tmp_path / "model", rows, golden=golden)
    with WebService(SERVICE, "--model", str(other)) as started:
        ready = started.get("/v2/health/ready")
        assert ready.status == 503 and "golden row is scored" in ready.json["error"]
        assert started.post(INFER, as_tensors(rows.tail(1)[model.inputs])).status == 503


def test_a_model_whose_inputs_are_defined_otherwise_now_is_neither_served_nor_followed(
        tmp_path: Path, rows: pd.DataFrame) -> None:
    other = str(save_model(tmp_path / "model", rows, definitions={
        "version": "0badc0de", "inputs": {"amount_to_usual": "0badc0de"}}))
    said = "trained with another definition of amount_to_usual .* than this code has"
    with pytest.raises(BadInput, match=said):
        open_service(other, None)
    with pytest.raises(BadInput, match=said):
        FraudScorer(SqliteStore(tmp_path / "store.db"), Columns(), 7).load(other)


def test_with_a_key_only_who_has_it_may_call(folder: Path) -> None:
    with WebService(SERVICE, "--model", str(folder), BRANCHLINE_API_KEY="a key") as started:
        assert started.get("/v2/health/live").status == 200
        assert [started.get("/v2", **headers).status for headers in (
            {}, {"X-API-Key": "another"}, {"Authorization": "Bearer a"}, {"X-API-Key": "\xe9"},
            {"X-API-Key": "a key"}, {"Authorization": "Bearer a key"})] == [401] * 4 + [200] * 2


def test_a_folder_that_is_no_model_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "branchline.cli.main", "serve", SERVICE,
                           "--model", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2 and "is no folder with a file MLmodel" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def deep(levels: int) -> bytes:
    return b'{"inputs":' + b"[" * levels + b"]" * levels + b"}"


TENSOR = {"name": "amount", "datatype": "FP64", "shape": [1], "data": [1.0]}
GOOD = {"transaction_id": "h", "event_time": "2018-06-01T00:00:00Z", "customer_id": "1",
        "terminal_id": "1", "amount": 1.0}


def tensor(**changed: Any) -> dict[str, Any]:
    return {"inputs": [{**TENSOR, **changed}]}


def record(**changed: Any) -> dict[str, Any]:
    return {"transactions": [{**GOOD, **changed}]}


HOSTILE: list[tuple[str, Any, str]] = [
    (INFER, b"", "is not JSON"), (INFER, b"{", "is not JSON"), (INFER, b"[]", "a JSON object"),
    (INFER, b"null", "found null"), (INFER, b"\xff\xfe{}", "UTF-8"), (INFER, b"\x00", "not JSON"),
    (INFER, "{'a': 1}".encode(), "is not JSON"), (INFER, b'{"inputs": NaN}', "found NaN"),
    (INFER, b'{"inputs": -Infinity}', "found -Infinity"),
    (INFER, b'{"inputs": [], "inputs": []}', "twice"),
    (INFER, b'{"inputs": ' + b"9" * 5000 + b"}", "digits"),
    (INFER, deep(20), "nested deeper"), (INFER, deep(500_000), "nested deeper"),
    (INFER, b"[" * 2_000_000, "nested deeper"), (INFER, b'{"a":' * 100_000, "nested deeper"),
    (INFER, b'{"' + b'\\"' * 500_000, "is not JSON"), (INFER, {}, "expected inputs"),
    (INFER, {"inputs": {}}, "expected a list"), (INFER, {"inputs": [1]}, "expected an object"),
    (INFER, {"inputs": [], "x": 1}, "found the keys"), (INFER, {"inputs": []}, "is missing"),
    (INFER, {"id": 1, **tensor()}, "id: found 1"), (INFER, {"id": "x" * 999, **tensor()}, "id:"),
    (INFER, tensor(name="other"), "found the name"), (INFER, tensor(name=None), "found the name"),
    (INFER, tensor(name=["a"]), "found the name"), (INFER, tensor(datatype="BYTES"), "BYTES"),
    (INFER, tensor(datatype=["x"]), "datatype"), (INFER, tensor(shape=[2]), "expected 2"),
    (INFER, tensor(shape=[-1]), "shape"), (INFER, tensor(shape=[1, 2]), "shape"),
    (INFER, tensor(shape="1"), "shape"), (INFER, tensor(shape=[True]), "shape"),
    (INFER, tensor(shape=[10**30]), "shape|rows"), (INFER, tensor(shape=[0], data=[]), "0 rows"),
    (INFER, tensor(shape=[10_001], data=[1.0] * 10_001), "10,001 rows"),
    (INFER, tensor(data="1"), "expected a list"), (INFER, tensor(datatype="INT8", data=[1.5]),
                                                   "INT8"),
    (INFER, {"inputs": [TENSOR, TENSOR]}, "once"),
    (INFER, {**tensor(), "outputs": [{"name": "other"}]}, "outputs"),
    (INVOKE, {}, "expected one of"),
    (INVOKE, {"instances": [[1]], "inputs": [[1]]}, "expected one"),
    (INVOKE, {"instances": []}, "0 rows"), (INVOKE, {"instances": [1]}, "expected a list"),
    (INVOKE, {"instances": [[1, 2]]}, "found 2 values"), (INVOKE, {"instances": 7}, "a list"),
    (INVOKE, {"instances": [{}, 3]}, "is missing"), (INVOKE, {"inputs": {"amount": 1}}, "a list"),
    (INVOKE, {"inputs": {}}, "is missing"),
    (INVOKE, {"inputs": [[1]], "params": {"a": 1}}, "params"),
    (INVOKE, {"dataframe_records": [[1]]}, "expected an object"),
    (INVOKE, {"dataframe_split": []}, "columns and data"),
    (INVOKE, {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, "twice"),
    (INVOKE, {"dataframe_split": {"columns": [["a"]], "data": [[1]]}}, "expected names"),
    (INVOKE, {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, "found 2 values"),
    (SCORE, {}, "expected transactions"), (SCORE, {"transactions": []}, "0 rows"),
    (SCORE, {"transactions": {}}, "a list"), (SCORE, {"transactions": [None]}, "found null"),
    (SCORE, {"transactions": [GOOD] * 10_001}, "10,001 rows"),
    (SCORE, {"transactions": [GOOD], "features": "yes"}, "features"),
    (SCORE, {"transactions": [{**GOOD, "is_fraud": 1}]}, "is_fraud"),
    (SCORE, {"transactions": [{"amount": 1}]}, "is missing"),
    (SCORE, record(amount=-1), "found -1"), (SCORE, record(amount=True), "found true"),
    (SCORE, record(amount="1"), "expected a number"), (SCORE, record(amount=None), "found null"),
    (SCORE, record(amount=1e300), "expected 0 to"), (SCORE, record(amount=10**400), "finite"),
    (SCORE, b'{"transactions":[{"amount":1e999}]}', "is missing"),
    (SCORE, json.dumps(record()).replace("1.0", "1e999").encode(), "finite number"),
    (SCORE, record(event_time="yesterday"), "ISO 8601"),
    (SCORE, record(event_time=0), "ISO 8601"),
    (SCORE, record(event_time="2018-02-30"), "ISO 8601"),
    (SCORE, record(event_time="2999-01-01"), "until now"),
    (SCORE, record(event_time="\ud800"), "ISO 8601"), (SCORE, record(customer_id=""), "1 to 200"),
    (SCORE, record(customer_id="\ud800"), "control"),
    (SCORE, record(terminal_id="a\nb"), "control"),
    (SCORE, record(terminal_id="\x00"), "control"), (SCORE, record(transaction_id=1.5), "a text"),
    (SCORE, record(transaction_id="x" * 201), "1 to 200"),
    (SCORE, record(customer_id={}), "object"),
]
CSVS: list[tuple[bytes, str]] = [
    (b"", "is empty"), (b"\xff\xff", "UTF-8"), (b"amount\n", "0 rows"), (b'"a', "is not CSV"),
    (b"a,a\n1,2\n", "twice"), (b"a,b\n1\n", "found 1 values"), (b"other\n1\n", "is missing"),
    (b"a\n" + b"1\n" * 10_001, "10,001 rows"), (b"a\n" + b"1" * 200_000, "is not CSV")]


@pytest.mark.parametrize(("path", "body", "said"), HOSTILE)
def test_a_malformed_body_is_one_clear_line(service: WebService, path: str, body: Any, said: str,
                                            ) -> None:
    check_refused(service.post(path, body), said)


@pytest.mark.parametrize(("body", "said"), CSVS)
def test_a_malformed_csv_is_one_clear_line(service: WebService, body: bytes, said: str) -> None:
    check_refused(service.post(INVOKE, body, Content_Type="text/csv"), said)


def check_refused(answer: Any, said: str) -> None:
    assert answer.status == 422
    assert list(answer.json) == ["error"]
    line = answer.json["error"]
    assert any(each in line for each in said.split("|")), line
    assert "\n" not in line and "Traceback" not in line and len(line) < 500


@pytest.mark.parametrize(("headers", "status"), [
    ({"Content_Type": "text/plain"}, 415), ({"Content_Type": ""}, 415),
    ({"Content_Encoding": "gzip"}, 415), ({"Content_Length": str(10**12)}, 413)])
def test_other_media_and_sizes_are_refused(service: WebService, headers: dict[str, str],
                                           status: int) -> None:
    answer = service.post(INFER, b"{}", **headers)
    assert answer.status == status and list(answer.json) == ["error"]


def test_a_body_without_end_is_refused_at_its_limit(service: WebService) -> None:
    connection = service.connection()
    connection.putrequest("POST", INFER)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    part = b"100000\r\n" + b" " * 2**20 + b"\r\n"
    try:
        for _ in range(20):
            connection.send(part)
    except OSError:
        pass  # it hangs up on who sends on
    assert connection.getresponse().status == 413
    connection.close()
    assert service.get("/v2/health/ready").status == 200
