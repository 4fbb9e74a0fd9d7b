from __future__ import annotations

from pathlib import Path

import pytest

from branchline.branch import Branch
from branchline.errors import BadInput
from branchline.projects import find_project
from branchline.targets import LocalTarget
from branchline.triggering import Here, pairs, place_of, request
from tests.clone import ROOT

LOCAL = LocalTarget("local", "sqlite:///here/mlflow.db", "tables", "/branchline")
FEATURE = Branch("branch", "feature-a")


def test_options_become_pairs_and_a_value_may_hold_an_equals_sign() -> None:
    assert pairs(["seed=1", "data=a=b", "empty="]) == {"seed": "1", "data": "a=b", "empty": ""}


@pytest.mark.parametrize(("given", "line"), [
    (["seed"], "-P seed: expected NAME=VALUE."), (["=1"], "-P =1: expected NAME=VALUE."),
    (["seed=1", "seed=2"], "-P seed: given twice.")])
def test_what_is_no_pair_is_refused(given: list[str], line: str) -> None:
    with pytest.raises(BadInput) as refused:
        pairs(given)
    assert str(refused.value) == line


def test_a_request_has_the_branchs_tables_unless_others_are_given(tmp_path: Path) -> None:
    project = find_project("fraud-training", ROOT / "mlflow-notebooks")
    asked = request(tmp_path, LOCAL, project, "compare", {"seed": "7"}, FEATURE)
    assert asked.parameters["schema"] == "feature_a"
    assert asked.parameters["lakehouse"] == str(tmp_path / "tables")
    assert (asked.parameters["seed"], asked.parameters["steps"]) == ("7", "compare")
    given = request(tmp_path, LOCAL, project, "compare", {"schema": "main"}, FEATURE)
    assert given.parameters["schema"] == "main"


def test_a_missing_wheel_is_refused_before_anything_is_reached(tmp_path: Path) -> None:
    project = find_project("fraud-training", ROOT / "mlflow-notebooks")
    with pytest.raises(BadInput, match="no such wheel file"):
        request(tmp_path, LOCAL, project, "main", {}, FEATURE, tmp_path / "none.whl")


def test_a_local_target_is_here_and_the_variable_names_its_store(tmp_path: Path) -> None:
    place = place_of(LOCAL, tmp_path, {})
    assert isinstance(place, Here) and place.backend == "local"
    assert place.tracking.uri == f"sqlite:///{tmp_path}/here/mlflow.db"
    assert place_of(LOCAL, tmp_path, {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"}
                    ).tracking.uri == "http://127.0.0.1:5000"
