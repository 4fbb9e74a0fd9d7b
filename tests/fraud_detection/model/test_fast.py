"""The fast form of a model of 6,000 rows: the same scores as scikit-learn's, or not admitted."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from branchline import BadInput
from fraud_detection.features import names
from fraud_detection.model.fast import Fast, Graph, admission, proof_rows
from fraud_detection.model.training import Trained, train
from fraud_detection.scoring import artifact
from fraud_detection.scoring.logged import METADATA, LoggedModel, find_model
from fraud_detection.settings import Settings


def rows(count: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    found = pd.DataFrame(rng.lognormal(size=(count, 26)), columns=names("full"))
    fraud = rng.random(count) < .05 + .3 * (found["amount_to_usual"] > 3)
    return found.assign(is_fraud=fraud.astype(int),
                        customer_id=rng.integers(0, 200, count).astype(str))


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(rows(6000, 0), Settings())


@pytest.fixture(scope="module")
def values(trained: Trained) -> np.ndarray:
    """Other rows, some inputs missing."""
    found = rows(3000, 1)[trained.example.columns].to_numpy()
    found[np.random.default_rng(2).random(found.shape) < .01] = np.nan
    return found


def model_of(trained: Trained, fast: bool) -> LoggedModel:
    parts = trained.parts if fast else replace(trained.parts, fast=None)
    return LoggedModel("m", trained.classifier, list(trained.example.columns), trained.notes, parts)


def test_the_default_model_s_fast_form_is_admitted_on_50_000_rows(trained: Trained) -> None:
    form = trained.notes["form"]
    assert (form["form"], form["rows"], form["flips"]) == ("onnx", 50_000, 0), form
    assert form["largest_difference"] < 1e-5
    assert model_of(trained, fast=True).form.startswith("onnx: 50,000 rows, largest difference")


def test_its_scores_of_other_rows_are_scikit_learn_s(trained: Trained, values: np.ndarray) -> None:
    fast, slow = (model_of(trained, each)(values) for each in (True, False))
    assert np.abs(fast.score - slow.score).max() < 1e-5
    assert np.abs(fast.outlier_score - slow.outlier_score).max() < 1e-5
    assert (fast.alert == slow.alert).all() and (fast.outlier == slow.outlier).all()
    assert len(np.unique(fast.score)) > 100


def test_a_row_has_the_same_scores_in_any_batch_and_after_pickling(
        trained: Trained, values: np.ndarray) -> None:
    model = model_of(trained, fast=True)
    whole = model(values)
    again: LoggedModel = pickle.loads(pickle.dumps(model))
    for size in (1, 7, 500):
        parts = [again(values[at:at + size]) for at in range(0, 1000, size)]
        for column, expected in zip(zip(*parts, strict=True), whole, strict=True):
            assert np.concatenate(column)[:1000].tobytes() == expected[:1000].tobytes()


def test_the_whole_version_is_read_back_from_its_folder(
        trained: Trained, values: np.ndarray, tmp_path: Path) -> None:
    artifact.save_model(str(tmp_path / "m"), metadata=METADATA.written(trained.notes),
                        pip_requirements=[], **trained.about)
    found, expected = find_model(str(tmp_path / "m")), model_of(trained, fast=True)
    assert found.form == expected.form and found.parts.reference == trained.parts.reference
    for column, other in zip(found(values), expected(values), strict=True):
        assert column.tobytes() == other.tobytes()


def test_a_version_with_a_fast_form_needs_onnxruntime(
        trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact.save_model(str(tmp_path / "m"), metadata=METADATA.written(trained.notes),
                        pip_requirements=[], **trained.about)
    monkeypatch.setattr(artifact, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match="model m: scores with onnxruntime, .*extra `onnx`"):
        artifact.read_parts(tmp_path / "m")


@pytest.mark.parametrize(("off", "reason"), [
    (2e-5, "largest difference 2.0e-05, 0 flags"), (.6, "50,000 flags flipped")])
def test_a_form_that_scores_otherwise_is_not_admitted(off: float, reason: str) -> None:
    some = proof_rows(np.random.default_rng(0).random((1000, 3)), 0)

    class Off(Fast):
        def __call__(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return rows[:, 0] * 0 + off, rows[:, 1]

    form = admission(Off(Graph(b""), Graph(b"")), lambda rows: (rows[:, 0] * 0, rows[:, 1]),
                     (.5, 2.0), some)
    assert form["form"] == "scikit-learn" and reason in form["reason"]


def test_a_model_without_a_fast_form_says_so() -> None:
    found = train(rows(500, 0), Settings(model="logistic_regression"))
    assert found.parts.fast is None
    assert found.notes["form"] == {"form": "scikit-learn",
                                   "reason": "LogisticRegression has no fast form"}


def test_rows_for_the_proof_are_50_000_within_the_range_of_the_given_ones() -> None:
    few, many = np.random.default_rng(0).random((100, 2)), np.arange(120_000.0).reshape(60_000, 2)
    assert proof_rows(few, 0).shape == proof_rows(many, 0).shape == (50_000, 2)
    assert (proof_rows(few, 0)[:100] == few).all() and proof_rows(few, 0).max() == few.max()
