"""The store: made once by processes that start together, its deleted names, its variables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from branchline.config.targets import LocalTarget
from branchline.errors import BadInput
from branchline.platforms.find import open_platform
from branchline.runs.tracking import Tracking, remove_variables

FIRST_USE = """
import sys
from pathlib import Path
from branchline.runs.tracking import connect
print(connect("sqlite:///new/mlflow.db", Path(sys.argv[1]), {}).experiment("/branchline/x"))
"""


@pytest.mark.spark
def test_processes_that_start_together_make_the_database_once(tmp_path: Path) -> None:
    environment = {name: text for name, text in os.environ.items()
                   if not name.startswith("MLFLOW_")}
    started = [subprocess.Popen([sys.executable, "-c", FIRST_USE, str(tmp_path)], text=True,
                                env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
               for _ in range(3)]
    ended = [(*process.communicate(), process.returncode) for process in started]
    assert [code for *_, code in ended] == [0, 0, 0], ended
    assert len({out for out, *_ in ended}) == 1


@pytest.mark.spark
def test_the_remedy_for_a_deleted_experiment_works(store: str, tmp_path: Path) -> None:
    tracking = Tracking(store, tmp_path)
    experiment_id = tracking.experiment(str(tmp_path))
    tracking.delete_experiment(experiment_id)
    with pytest.raises(BadInput) as refused:
        tracking.experiment(str(tmp_path))
    assert f"experiment {tmp_path}: is deleted, but its name is still taken." in str(refused.value)
    command = str(refused.value).partition("Restore it: ")[2].partition(";")[0]
    assert command == (f"MLFLOW_TRACKING_URI={store} mlflow experiments restore --experiment-id "
                       f"{experiment_id}")
    tracking.client().restore_experiment(experiment_id)
    assert tracking.experiment(str(tmp_path)) == experiment_id


def test_an_error_of_the_store_does_not_show_its_password() -> None:
    tracking = Tracking("http://ann:secret@127.0.0.1:9", None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with pytest.raises(Exception) as failed:
            tracking.experiment("/x")
    assert "127.0.0.1" in str(failed.value) and "secret" not in str(failed.value)


@pytest.mark.parametrize("name", ["MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID",
                                  "MLFLOW_EXPERIMENT_NAME", "MLFLOW_REGISTRY_URI"])
def test_variables_that_would_redirect_a_run_are_ignored_and_named(
        name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {name: "x", "MLFLOW_TRACKING_URI": "sqlite:///y.db"}
    open_platform(LocalTarget("local", "sqlite:///x.db", "b", "/c"), tmp_path, environment)
    assert environment == {"MLFLOW_TRACKING_URI": "sqlite:///y.db"}
    assert capsys.readouterr().err.startswith(f"note: {name} is set and not used")
    assert remove_variables(environment) == []
