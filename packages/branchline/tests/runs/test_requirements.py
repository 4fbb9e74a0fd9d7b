"""What a logged model was made with, against what is installed."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from branchline.runs.requirements import model_requirements, unmet
from branchline.runs.tracking import Tracking
from support.tracked import finished

SKLEARN = version("scikit-learn")


@pytest.mark.parametrize(("line", "found"), [
    ("scikit-learn==0.1", [f"scikit-learn==0.1 (here {SKLEARN})"]),
    ("scikit_learn<1", [f"scikit_learn<1 (here {SKLEARN})"]),
    (f"scikit-learn=={SKLEARN}", []), ("scikit-learn", []), ("scikit-learn>=1", []),
    ("no-such-package==1", ["no-such-package==1 (here not installed)"]),
    ("no-such-package==1; python_version < '3'", []),
    ("# a comment", []), ("", []), ("--index-url https://x", []), ("./local.whl", []),
])
def test_requirements_that_this_environment_does_not_meet_are_named(
        line: str, found: list[str]) -> None:
    assert unmet([line]) == found


@pytest.mark.spark
def test_a_model_s_requirements_are_those_that_mlflow_logged(store: str, tmp_path: Path) -> None:
    tracking = Tracking(store, tmp_path)
    run_id = finished(tracking.experiment(str(tmp_path)), with_model=True)
    [model] = tracking.client().search_logged_models(
        [tracking.run(run_id).info.experiment_id], f"source_run_id = '{run_id}'")
    assert model_requirements(f"models:/{model.model_id}") == [f"mlflow=={version('mlflow')}"]
