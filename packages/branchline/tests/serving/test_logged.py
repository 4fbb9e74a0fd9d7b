"""A model's folder read without MLflow, and fetched from where MLflow keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from branchline.errors import BadInput, RunFailed
from branchline.serving.logged import fetched, read_logged


def logged() -> str:
    """The address of a small model that the active run logs."""
    import mlflow
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    rows = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]})
    model = LogisticRegression().fit(rows, [0, 1])
    return str(mlflow.sklearn.log_model(
        model, name="model", pip_requirements=[], metadata={"threshold": 0.5},
        serialization_format="cloudpickle",
        signature=mlflow.models.infer_signature(rows, [0.5])).model_uri)


def test_a_model_is_fetched_by_its_address_or_as_the_newest(run: Any, store: str,
                                                            tmp_path: Path) -> None:
    address = logged()
    for asked in (address, "newest"):
        found = read_logged(fetched(asked, store, tmp_path / "models"))
        assert f"models:/{found.version}" == address
        assert found.inputs == ("a", "b") and found.metadata["threshold"] == 0.5
        assert found.model.predict([[2.0, 5.0]]) == [1]


def test_an_address_without_a_model_is_one_line(run: Any, store: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="^model models:/nothing/1: cannot be fetched: [^\n]+$"):
        fetched("models:/nothing/1", store, tmp_path)


def test_a_folder_is_served_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").touch()
    assert fetched(str(tmp_path), "sqlite:///none.db", tmp_path / "models") == tmp_path


@pytest.mark.parametrize("text", ["", "{", "flavors: {}", "flavors: {sklearn: {}}", "- 1"])
def test_another_file_than_mlflow_s_says_what_is_expected(tmp_path: Path, text: str) -> None:
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(BadInput, match="MLmodel: cannot be read .* expected a scikit-learn model"):
        read_logged(tmp_path)


def test_inputs_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(
        'flavors: {sklearn: {pickled_model: model.pkl}}\n'
        'signature: {inputs: \'[{"name": "a", "type": "string"}]\'}\n')
    with pytest.raises(BadInput, match="has inputs of type string"):
        read_logged(tmp_path)


def test_a_pickle_that_cannot_be_loaded_says_so(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"no pickle")
    (tmp_path / "MLmodel").write_text(
        'flavors: {sklearn: {pickled_model: model.pkl}}\n'
        'signature: {inputs: \'[{"name": "a", "type": "double"}]\'}\n')
    with pytest.raises(RunFailed, match="cannot be loaded with the packages that are here"):
        read_logged(tmp_path)
