from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from branchline.errors import BadInput
from branchline.gate.comparison import ARTIFACT, Comparison
from branchline import Lakehouse
from fraud_detection.settings import Settings
from fraud_detection.steps import compare
from fraud_detection.steps.compare import compared, slices_of
from tests.tables import newest_model

FIRST = pd.Timestamp("2024-03-01")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """3,000 transactions of 300 customers on 7 days; every tenth customer came a week ago."""
    source = np.random.default_rng(0)
    customer = source.integers(0, 300, 3000)
    fraud = (source.random(3000) < .05).astype(int)
    return pd.DataFrame({
        "customer_id": customer.astype(str), "is_fraud": fraud, "threshold": 1.,
        "day": FIRST + pd.to_timedelta(source.integers(0, 7, 3000), "D"),
        "first_day": FIRST - pd.to_timedelta(np.where(customer % 10 == 0, 7, 90), "D"),
        "amount": source.lognormal(4, 1, 3000), "score": source.random(3000) + fraud})


def test_slices_are_all_amounts_and_the_customers_not_known_for_long(rows: pd.DataFrame) -> None:
    *amounts, new = slices_of(rows)
    assert [value for _, value, _ in amounts] == [
        "0 to 25", "25 to 50", "50 to 100", "100 to 200", "from 200"]
    assert sorted(np.concatenate([found for *_, found in amounts])) == list(range(len(rows)))
    assert new[:2] == ("new_customers", "under 30 days")
    assert set(rows["customer_id"].iloc[new[2]].astype(int) % 10) == {0}


def test_each_measure_has_both_values_and_an_error_on_all_rows_and_slices(
        rows: pd.DataFrame) -> None:
    noise = .3 * np.random.default_rng(1).normal(size=len(rows))
    measures, slices = compared(rows, rows.assign(score=rows["score"] + noise),
                                Settings(draws=100))
    assert [each.name for each in measures] == [
        "average_precision", "card_precision_100", "net_saving", "calibration_error"]
    for each in [*measures, *(part.measured for part in slices)]:
        assert each.candidate is not None and each.champion is not None
        assert each.standard_error is not None and each.standard_error > 0
    assert sum(part.rows for part in slices if part.kind == "amount") == len(rows)
    assert sum(part.positives for part in slices if part.kind == "amount") == rows["is_fraud"].sum()


def test_without_a_champion_there_is_no_difference(rows: pd.DataFrame) -> None:
    measures, slices = compared(rows, None, Settings())
    assert {each.champion for each in measures} == {None}
    assert {part.measured.standard_error for part in slices} == {None}


def logged(inputs: list[str], train_last: str) -> str:
    """The address of a model of these columns in the active run."""
    table = pd.DataFrame(np.random.default_rng(0).random((20, len(inputs))), columns=inputs)
    pipeline = make_pipeline(LogisticRegression()).fit(table, [0, 1] * 10)
    info = mlflow.sklearn.log_model(
        pipeline, name="model", serialization_format="cloudpickle", pip_requirements=[],
        signature=mlflow.models.infer_signature(table, pipeline.predict_proba(table)),
        metadata={"threshold": 0.5, "train_last": train_last})
    return str(info.model_uri)


def found_by(run: Any, lakehouse: Lakehouse, settings: Settings) -> Comparison:
    compare.run(lakehouse, settings)
    return Comparison.from_json(mlflow.artifacts.load_text(f"{run.info.artifact_uri}/{ARTIFACT}"))


@pytest.fixture
def settings(finished: Lakehouse) -> Settings:
    return Settings(model_uri=newest_model(finished), train_days=10, draws=100)


@pytest.mark.spark
def test_the_model_has_the_same_values_as_in_evaluate_and_is_no_better_than_itself(
        finished: Lakehouse, settings: Settings, run: Any) -> None:
    found = found_by(run, finished, replace(settings, champion_uri=settings.model_uri))
    experiment = mlflow.get_experiment_by_name(finished.root)
    assert experiment is not None
    evaluated = mlflow.MlflowClient().search_runs([experiment.experiment_id])[0].data.metrics
    for each in found.measures:
        assert each.candidate == pytest.approx(evaluated[each.name])
        assert each.champion == each.candidate and each.standard_error == 0


@pytest.mark.spark
def test_the_comparison_says_what_it_was_made_from(
        finished: Lakehouse, settings: Settings, run: Any) -> None:
    found = found_by(run, finished, settings)
    assert found.candidate.uri == settings.model_uri and found.champion is None
    assert found.data is not None and found.data.rows > 500 and found.data.positives > 0
    now = datetime.now(timezone.utc)
    assert found.data.last_ingest is not None and found.data.last_event is not None
    assert timedelta() < now - found.data.last_ingest < timedelta(days=1)
    assert found.data.last_event.date().isoformat() == "2018-05-10"
    assert found.notes["tables"].keys() == {"silver.transactions", "gold.features"}
    assert found.notes["draws"] == 100 and found.notes["days"] == "2018-05-04 to 2018-05-10"


@pytest.mark.spark
@pytest.mark.parametrize(("inputs", "train_last", "problem"), [
    (["amount", "speed"], "2018-04-26", "needs speed, which gold.features no longer has."),
    (["amount"], "2018-05-04", "was trained on days up to 2018-05-04; expected none from the fir"),
])
def test_a_champion_that_cannot_be_scored_fairly_is_reported_and_a_candidate_is_bad_input(
        finished: Lakehouse, settings: Settings, run: Any, inputs: list[str], train_last: str,
        problem: str) -> None:
    unfit = logged(inputs, train_last)
    found = found_by(run, finished, replace(settings, champion_uri=unfit))
    assert found.champion is not None and found.champion.uri == unfit
    assert problem in str(found.champion.problem)
    assert {each.champion for each in found.measures} == {None}
    with pytest.raises(BadInput, match=problem[:20]):
        compare.run(finished, replace(settings, model_uri=unfit))


@pytest.mark.spark
def test_a_champion_that_does_not_load_is_reported(
        finished: Lakehouse, settings: Settings, run: Any) -> None:
    gone = found_by(run, finished, replace(settings, champion_uri="models:/none/1")).champion
    assert gone is not None and "models:/none/1: cannot be loaded" in str(gone.problem)
    spoilt = logged(["amount"], "2018-04-26")
    folder = mlflow.get_logged_model(spoilt.removeprefix("models:/")).artifact_location
    Path(folder.removeprefix("file://"), "model.pkl").write_bytes(b"no pickle")
    champion = found_by(run, finished, replace(settings, champion_uri=spoilt)).champion
    assert champion is not None and str(champion.problem).startswith("UnpicklingError: ")


@pytest.mark.spark
def test_a_champion_of_another_scikit_learn_is_reported_before_it_is_loaded(
        finished: Lakehouse, settings: Settings, run: Any,
        capsys: pytest.CaptureFixture[str]) -> None:
    other = logged(["amount"], "2018-04-26")
    folder = Path(mlflow.get_logged_model(other.removeprefix("models:/")).artifact_location
                  .removeprefix("file://"))
    (folder / "requirements.txt").write_text("mlflow\nscikit-learn==1.5.0\n")
    told = f"scikit-learn==1.5.0 (here {version('scikit-learn')})"
    found = found_by(run, finished, replace(settings, champion_uri=other))
    assert f"champion {other}: was logged with {told}; it may not load" in capsys.readouterr().out
    assert found.champion is not None and found.champion.problem is None
    assert found.notes["other_libraries"] == [told]
    (folder / "model.pkl").write_bytes(b"no pickle")
    champion = found_by(run, finished, replace(settings, champion_uri=other)).champion
    assert champion is not None and str(champion.problem).startswith("UnpicklingError: ")
    assert str(champion.problem).endswith(f"It was logged with {told}.")
