from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from branchline.errors import BadInput, Unreachable
from branchline.gate.candidates import find_candidate
from branchline.runs.registry import Registry
from branchline.runs.tracking import Tracking
from support.processes import free_port, kill, wait_until
from support.tracked import experiment, finished


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server with a database of its own."""
    import requests
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    log = folder / "server.log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
             "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
             "--artifacts-destination", str(folder)], cwd=folder, text=True,
            start_new_session=True, stdout=said, stderr=subprocess.STDOUT)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    try:
        wait_until(answers)
        yield f"http://127.0.0.1:{port}"
    finally:
        kill(process)


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.slow),
                        pytest.param("server", marks=pytest.mark.spark)])
def tracked(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Tracking, str, str]:
    """A store, an experiment and a name for a model, in a database and behind a server."""
    if request.param == "sqlite":
        return *experiment(request.getfixturevalue("store"), tmp_path), tmp_path.name
    tracking = Tracking(request.getfixturevalue("server"), None)
    return tracking, tracking.experiment(str(tmp_path)), tmp_path.name


def test_a_version_leads_back_to_its_run_and_is_found_by_its_alias(
        tracked: tuple[Tracking, str, str]) -> None:
    tracking, experiment_id, name = tracked
    candidate = find_candidate(tracking, experiment_id, finished(experiment_id, with_model=True),
                               with_model=True)
    registry = Registry(tracking)
    assert registry.champion(name) is None and candidate.model_id
    made = registry.register(name, candidate.model_id, candidate.run_id, {"commit": "c0ffee"})
    assert (made.version, made.run_id, made.tags) == ("1", candidate.run_id, {"commit": "c0ffee"})
    registry.challenge(name, made.version)
    assert registry.aliased(name, "challenger") == made and registry.champion(name) is None
    registry.promote(name, made.version)
    assert registry.champion(name) == made
    assert mlflow.sklearn.load_model(made.uri).predict(pd.DataFrame({"amount": [1.0]})).size == 1


def test_a_run_is_registered_once_and_its_tags_are_those_of_the_last_verdict(
        store: str, tmp_path: Path) -> None:
    tracking, experiment_id = experiment(store, tmp_path)
    registry = Registry(tracking)
    for number in (1, 2):
        found = find_candidate(tracking, experiment_id, finished(experiment_id, with_model=True),
                               with_model=True)
        assert found.model_id
        first = registry.register(tmp_path.name, found.model_id, found.run_id, {"gate": "refused"})
        again = registry.register(tmp_path.name, found.model_id, found.run_id, {"gate": "passed"})
        assert first.version == again.version == str(number)
        assert again.tags == {"gate": "passed"}


def test_a_tags_value_is_cut_to_what_unity_catalog_takes(store: str, tmp_path: Path) -> None:
    tracking, experiment_id = experiment(store, tmp_path)
    found = find_candidate(tracking, experiment_id, finished(experiment_id, with_model=True),
                           with_model=True)
    assert found.model_id
    made = Registry(tracking).register(tmp_path.name, found.model_id, found.run_id,
                                       {"short": " so ", "long": "x" * 999 + " yz"})
    assert made.tags == {"short": "so", "long": "x" * 999}


def test_promoting_a_missing_version_is_bad_input(store: str, tmp_path: Path) -> None:
    tracking, _ = experiment(store, tmp_path)
    with pytest.raises(BadInput, match="alias champion of none version 7: MLflow: "):
        Registry(tracking).promote("none", "7")


def test_a_registry_that_does_not_answer_is_an_error_not_a_missing_champion(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(Unreachable):
        Registry(Tracking(f"http://127.0.0.1:{free_port()}", None)).champion("fraud")
