from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from branchline import Lakehouse
from branchline.errors import BadInput
from branchline.features.versions import version_of
from branchline.guardrails import Guardrails, Rule
from branchline.inference_log import HashKey
from branchline.inference_log.line import hashed
from branchline.inference_log.tables import INFERENCE_LOG
from fraud_detection.features import definitions
from fraud_detection.scoring.guarded import noted
from fraud_detection.scoring.logged import LoggedModel
from fraud_detection.settings import Settings
from fraud_detection.steps import predict
from fraud_detection.steps.predict import daily_kpis, scored
from fraud_detection.tables import DAILY_KPIS, FEATURES, SCORES
from tests.tables import copied, newest_model

pytestmark = pytest.mark.spark

KEY = b"a key of more than sixteen bytes"


@pytest.fixture(scope="module")
def model() -> LoggedModel:
    """A model whose score grows with `amount` and is one half at 10."""
    pipeline = make_pipeline(LogisticRegression(C=1e6)).fit(
        pd.DataFrame({"amount": [9.0, 11.0]}), [0, 1])
    return LoggedModel("m-1", pipeline, ["amount"], {"threshold": 0.5})


def at(day: int) -> datetime:
    return datetime(2024, 1, day, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def transactions(spark: Any) -> DataFrame:
    """Two days; the labels of the second are not known yet."""
    return spark.createDataFrame(
        [("a", at(1), "c", 5.0, 0), ("b", at(1), "c", 15.0, 1), ("d", at(1), "c", 9.0, 1),
         ("e", at(2), "c", 20.0, None)],
        "transaction_id STRING, event_time TIMESTAMP, customer_id STRING, amount DOUBLE, "
        "is_fraud INT")


def test_a_score_has_its_model_s_version_and_is_an_alert_from_the_threshold_on(
        transactions: DataFrame, model: LoggedModel) -> None:
    rows = scored(transactions, model).orderBy("transaction_id").collect()
    assert {row["model_version"] for row in rows} == {"m-1"}
    assert [row["is_alert"] for row in rows] == [False, True, False, True]
    expected = model.score(pd.DataFrame({"amount": [5.0, 15.0, 9.0, 20.0]}))
    assert [row["score"] for row in rows] == expected.tolist()


def test_a_refused_row_has_no_score_and_a_flagged_one_its_guardrails(
        transactions: DataFrame, model: LoggedModel) -> None:
    rules = Guardrails((Rule("small", "outside_range", "refuse"),
                        Rule("sure", "uncertain", between=(0.9, 1.0))))
    guarded = replace(model, notes={**model.notes, **noted(
        rules, pd.DataFrame({"amount": [9.0, 99.0]}))})
    rows = scored(transactions, guarded).orderBy("transaction_id").collect()
    assert [(row["transaction_id"], row["guardrails"]) for row in rows] == [
        ("b", "sure"), ("d", None), ("e", "sure")]


def test_the_log_tells_overridden_rows_from_flagged_ones(spark: Any) -> None:
    rows = spark.createDataFrame(
        [(None, "small"), (.5, None), (.5, "sure"), (.9, "sure,capped"), (.9, "capped")],
        "score DOUBLE, guardrails STRING")
    rules = [Rule("small", "outside_range", "refuse"), Rule("sure", "uncertain", between=(.4, .6)),
             Rule("capped", "missing", "override", score=.9)]
    assert [row[0] for row in rows.select(predict.outcome(rules)).collect()] == [
        "refused", "scored", "flagged", "overridden", "overridden"]
    assert rows.where("guardrails = 'sure'").select(predict.outcome(rules[:2])).first()[0] == (
        "flagged")


def test_kpis_count_the_frauds_and_the_amount_that_alerts_saved(
        transactions: DataFrame, model: LoggedModel) -> None:
    first, second = (row.asDict() for row in daily_kpis(
        transactions, scored(transactions, model)).orderBy("day").collect())
    mean = float(model.score(pd.DataFrame({"amount": [5.0, 15.0, 9.0]})).mean())
    assert first == {
        "day": date(2024, 1, 1), "transactions": 3, "amount": 29.0, "frauds": 2,
        "fraud_amount": 24.0, "alerts": 1, "saved_amount": 15.0,
        "mean_score": pytest.approx(mean), "model_version": "m-1"}
    assert (second["transactions"], second["frauds"], second["alerts"]) == (1, 0, 1)


def test_a_day_without_scores_has_its_transactions_and_no_model(
        transactions: DataFrame, model: LoggedModel) -> None:
    scores = scored(transactions.where("transaction_id = 'e'"), model)
    first = daily_kpis(transactions, scores).orderBy("day").collect()[0]
    assert (first["transactions"], first["alerts"], first["saved_amount"]) == (3, 0, 0.0)
    assert first["mean_score"] is None and first["model_version"] is None


def test_a_rerun_replaces_its_own_days_and_model_and_leaves_the_others(
        finished: Lakehouse, store: str, tmp_path: Path) -> None:
    lakehouse = copied(finished, tmp_path)
    uri = newest_model(finished)
    last = max(row["day"] for row in lakehouse.read(DAILY_KPIS).collect())
    table = lakehouse.reference(SCORES)
    other = "UPDATE {} SET model_version = 'other' WHERE is_alert"
    lakehouse.spark.sql(other.format(table))
    lakehouse.spark.sql(f"UPDATE {table} SET score = 2")
    before = {tuple(row)[:2]: row["score"] for row in lakehouse.read(SCORES).collect()}
    counts = predict.run(lakehouse, Settings(model_uri=uri, train_days=10, first_day=last,
                                             last_day=last, log_scores="true",
                                             hash_ids=HashKey("LOG_KEY", KEY)))
    rows = lakehouse.read(SCORES).collect()
    after = {tuple(row)[:2]: row["score"] for row in rows}
    assert len(after) == len(rows), "a key occurs twice"
    new = {key for key, score in after.items() if score != 2}
    assert len(new) == counts["rows"] > 0 and {version for _, version in new} == {
        uri.removeprefix("models:/")}
    assert {row["event_time"].date() for row in rows if row["score"] != 2} == {last}
    assert before.keys() - new == after.keys() - new
    logged = lakehouse.read(INFERENCE_LOG).collect()
    assert {row["record_id"]: row["score"] for row in logged} == {
        key: after[key, version] for key, version in new}
    assert {row["outcome"] for row in logged} <= {"scored", "flagged"}
    cards = {row["transaction_id"]: row["customer_id"] for row in rows}
    assert {row["record_id"]: json.loads(row["entities"])["customer_id"] for row in logged} == {
        key: hashed(cards[key], KEY) for key, _ in new}


def test_features_of_other_definitions_than_the_model_s_are_not_scored(
        finished: Lakehouse, store: str, tmp_path: Path) -> None:
    lakehouse, other = copied(finished, tmp_path), version_of(definitions("full", 6))
    lakehouse.spark.sql(f"UPDATE {lakehouse.reference(FEATURES)} SET definitions = '{other}'")
    with pytest.raises(BadInput, match="trained with another definition of .*terminal_fraud_run "
                                       f".* than gold.features on .* has .definitions {other}.; "):
        predict.run(lakehouse, Settings(model_uri=newest_model(finished), train_days=10,
                                        label_delay_days=6))


def test_days_without_features_are_bad_input(finished: Lakehouse, store: str) -> None:
    early = date(2018, 4, 2)
    with pytest.raises(BadInput, match="gold.features has no rows on 2018-04-02 to 2018-04-02"):
        predict.run(finished, Settings(model_uri=newest_model(finished), train_days=10,
                                       first_day=early, last_day=early))
