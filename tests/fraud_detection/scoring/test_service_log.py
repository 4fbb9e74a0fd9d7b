"""What the service scores: in its inference log, under its guardrails, the same as batch."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from branchline.features.online import SqliteStore
from branchline.guardrails import Guardrails, Rule
from branchline.inference_log import InferenceLog, LogSettings
from branchline.inference_log.checked import checked
from branchline.inference_log.tables import INFERENCE_LOG
from branchline.inference_log.writer import complete_left_files
from branchline.parity import compare, of_lines
from branchline.streaming import Message
from fraud_detection.data.landed_columns import Columns
from fraud_detection.model.estimators import inputs
from fraud_detection.scoring.guarded import judge_of, noted
from fraud_detection.scoring.logged import LoggedModel, find_model
from fraud_detection.scoring.parity import batch_features as columns_of_batch, recomputed
from fraud_detection.scoring.stream import FraudScorer
from support.processes import wait_until
from support.web_service import WebService
from tests.served import SERVICE, as_records, batch_features, bits, fill_store, save_model, silver

LIVE = datetime(2018, 5, 29, tzinfo=timezone.utc)
INFER, SCORE, INVOKE = "/v2/models/fraud/infer", "/score", "/invocations"
RULES = Guardrails((
    Rule("large", "outside_range", inputs=("amount",)),
    Rule("unusual", "outside_range", "override", ("amount_to_usual",), score=0.875),
    Rule("restless", "outside_range", "refuse", ("customer_max_ratio_7d",))))


def narrow(rows: pd.DataFrame) -> dict[str, Any]:
    """The rules' note, with ranges that one transaction of ten leaves."""
    some = rows[inputs("hist_gradient_boosting", "full")]
    return noted(RULES, some.clip(upper=some.quantile(0.9), axis="columns"))


@dataclass(frozen=True)
class Place:
    """The model's folder, the log's folder, and all transactions with their features by batch."""

    model: Path
    log: Path
    transactions: pa.Table
    rows: pd.DataFrame

    @property
    def live(self) -> list[dict[str, Any]]:
        return [each for each in as_records(self.transactions)
                if each["event_time"] >= LIVE.isoformat()]

    def lines(self) -> list[dict[str, Any]]:
        """Every line so far, complete files or not."""
        files = sorted(self.log.glob("*.jsonl"), key=lambda file: file.name.lstrip("_"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder, transactions = tmp_path_factory.mktemp("logged"), silver()
    rows = batch_features(transactions)
    model = save_model(folder / "model", rows, **narrow(rows))
    return Place(model, folder / "log", transactions, rows)


@pytest.fixture(scope="module")
def model(place: Place) -> LoggedModel:
    return replace(find_model(str(place.model)), version=place.model.name)


@pytest.fixture(scope="module")
def service(place: Place) -> Iterator[WebService]:
    store = fill_store(place.model.parent / "events.db", place.transactions, LIVE)
    with WebService(SERVICE, "--model", str(place.model), "--store", str(store),
                    "--inference-log", str(place.log)) as started:
        yield started


@pytest.fixture(scope="module")
def answers(service: WebService, place: Place) -> list[dict[str, Any]]:
    """The live transactions' answers, one each."""
    found: list[dict[str, Any]] = []
    for first in range(0, len(place.live), 5):
        some = place.live[first:first + 5]
        found += service.post(SCORE, {"transactions": some}).json["transactions"]
    return found


def table_of(lines: list[dict[str, Any]]) -> pa.Table:
    """The lines as rows of gold.inference_log."""
    texts = [{name: value if value is None or isinstance(value, str) else json.dumps(value)
              for name, value in line.items()} for line in lines]
    times = pa.timestamp("us", "UTC")
    found = pa.Table.from_pylist([checked(each) for each in texts])
    return found.set_column(found.schema.get_field_index("time"), "time", found["time"].cast(times))


def test_guardrails_are_the_same_in_service_batch_and_stream(
        place: Place, model: LoggedModel, answers: list[dict[str, Any]], tmp_path: Path) -> None:
    live = place.rows.set_index("transaction_id").loc[
        [each["transaction_id"] for each in answers]]
    judged = judge_of(model.notes, model.inputs, "m").judge(
        live[model.inputs].to_numpy(np.float64), model.score(live), model.threshold)
    assert {"overridden", "refused", "flagged", "scored"} == set(judged.outcomes)
    assert [each["outcome"] for each in answers] == judged.outcomes
    assert [tuple(each["guardrails"]) for each in answers] == judged.fired
    assert bits([np.nan if each["score"] is None else each["score"] for each in answers]) == bits(
        judged.scores)
    assert {each["is_alert"] for each in answers if each["outcome"] == "refused"} == {None}
    store = SqliteStore(fill_store(tmp_path / "events.db", place.transactions, LIVE))
    log = InferenceLog(LogSettings(tmp_path / "log"))
    scorer = FraudScorer(store, Columns(), 7, log)
    messages = [Message(json.dumps(each).encode(), 2**41) for each in place.live]
    streamed = [each.score for each in scorer.score(model, messages)]
    assert [each and each["score"] for each in streamed] == [each["score"] for each in answers]
    log.close()
    written = replace(place, log=tmp_path / "log").lines()
    assert [each["outcome"] for each in written] == judged.outcomes
    assert {each["source"] for each in written} == {"stream"}


def test_every_transaction_is_in_the_log_as_it_was_answered(
        place: Place, service: WebService, answers: list[dict[str, Any]]) -> None:
    lines = {line["record_id"]: line for line in place.lines() if line["record_id"]}
    for each in answers:
        line = lines[each["transaction_id"]]
        assert (line["score"], line["is_alert"], line["outcome"]) == (
            each["score"], each["is_alert"], each["outcome"])
        assert (line["guardrails"] or "") == ",".join(each["guardrails"])
        assert line["latency_ms"] > 0 and json.loads(line["entities"]).keys() == {
            "customer_id", "terminal_id"}


def test_parity_of_the_service_s_lines_with_batch_has_no_mismatch(
        place: Place, model: LoggedModel, answers: list[dict[str, Any]]) -> None:
    log = of_lines(table_of([line for line in place.lines() if line["record_id"]]))
    features = columns_of_batch(place.transactions, 7)
    found = compare(log, recomputed(place.transactions, features, 7, model))
    assert found.events == len(answers) and found.values == 27 * found.events
    assert (found.mismatches, found.explained, dict(found.skipped)) == (0, 0, {})


def test_given_features_are_logged_with_the_request_s_id(
        place: Place, service: WebService, model: LoggedModel) -> None:
    row = place.rows[model.inputs].iloc[-1].astype(float).to_dict()
    tensors = [{"name": name, "datatype": "FP64", "shape": [1], "data": [value]}
               for name, value in row.items()]
    mine = service.post(INFER, {"inputs": tensors}, X_Request_Id="order-66")
    other = service.post(INVOKE, {"instances": [row]}, X_Request_Id="no\tid")
    assert mine.headers["x-request-id"] == "order-66" != other.headers["x-request-id"] != "no\tid"
    for answer in (mine, other):
        [line] = [line for line in place.lines()
                  if line["request_id"] == answer.headers["x-request-id"]]
        assert json.loads(line["inputs"]) == row and line["record_id"] is None
        assert checked({name: value if value is None or isinstance(value, str)
                        else json.dumps(value) for name, value in line.items()}).keys() == {
            column.name for column in INFERENCE_LOG.columns} - {"source_file", "source_row"}


def test_outcomes_and_guardrails_are_counted(place: Place, service: WebService,
                                             answers: list[dict[str, Any]]) -> None:
    text = service.get("/metrics").body.decode()
    count = sum(line["outcome"] == "overridden" for line in place.lines())
    assert count > 0
    assert f'branchline_outcomes_total{{outcome="overridden"}} {count}.0' in text
    assert 'branchline_guardrails_total{rule="large"}' in text
    assert "branchline_log_lines_total" in text


def test_reasons_are_the_strongest_inputs_that_speak_for_fraud(
        place: Place, service: WebService, model: LoggedModel) -> None:
    asked = {"transactions": place.live[-3:], "reasons": True, "features": True}
    for each in service.post(SCORE, asked).json["transactions"]:
        given = [reason["contribution"] for reason in each["reasons"]]
        assert len(given) <= 3 and given == sorted(given, reverse=True)
        assert min(given, default=1) > 0
        assert all(each["features"][reason["input"]] == reason["value"]
                   for reason in each["reasons"])


def test_sigkill_under_load_loses_no_line_of_an_answer(place: Place, tmp_path: Path) -> None:
    row = dict.fromkeys(find_model(str(place.model)).inputs, 1.0)
    body, answered = json.dumps({"instances": [row]}).encode(), list[str]()
    with WebService(SERVICE, "--model", str(place.model), "--inference-log",
                    str(tmp_path / "log")) as started:
        def call() -> None:
            while True:
                try:
                    answer = started.post(INVOKE, body)
                except Exception:
                    return
                answered.append(answer.headers["x-request-id"])

        clients = [threading.Thread(target=call) for _ in range(4)]
        for client in clients:
            client.start()
        wait_until(lambda: len(answered) >= 200)
        started.process.kill()
        for client in clients:
            client.join(60)
    assert complete_left_files(tmp_path / "log") == 1
    logged = {line["request_id"] for line in replace(place, log=tmp_path / "log").lines()}
    assert len(answered) >= 200 and not set(answered) - logged
