"""The service in a process of its own, over HTTP, with a model as the train step logs it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
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
from tests.served import LIVE, SERVICE, as_records, bits, fill_store, save_model

INFER, SCORE, INVOKE = "/v2/models/fraud/infer", "/score", "/invocations"


@pytest.fixture(scope="module")
def model(folder: Path) -> LoggedModel:
    return replace(find_model(str(folder)), version=folder.name)  # saved, it has no id


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
