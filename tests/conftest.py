"""The example project's fixtures: landed files, and the tables after one undisturbed run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from branchline import Lakehouse
from support.clone import ROOT
from support.processes import PROJECT
from tests.tables import contents, run_steps

COLUMNS = PROJECT / "columns.yml"
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some 8,000 simulated transactions of 40 days, in the published columns, as landed files."""
    from fraud_detection.data.simulator import write
    from fraud_detection.data.world import World
    folder = tmp_path_factory.mktemp("landing")
    write(World(customers=120, terminals=240, days=40, seed=3), folder, files=2)
    return folder


@pytest.fixture(scope="session")
def arguments(landing: Path) -> list[str]:
    """The project's parameters in every test of the whole pipeline."""
    return ["--data", str(landing), "--columns", str(COLUMNS), "--train_days", "10",
            "--schema", "a_branch"]


@pytest.fixture(scope="session")
def finished(spark: Any, store: str, arguments: list[str],
             tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """The tables after the whole pipeline has run once, undisturbed, in this session."""
    import mlflow

    from fraud_detection.settings import Settings
    folder = tmp_path_factory.mktemp("finished")
    settings = Settings.from_arguments([*arguments, "--lakehouse", str(folder)])
    lakehouse = Lakehouse(spark, settings.lakehouse, settings.tables_schema)
    mlflow.set_tracking_uri(store)
    experiment = mlflow.create_experiment(str(folder), (folder / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=experiment):
        run_steps(lakehouse, settings)
    return lakehouse


@pytest.fixture(scope="session")
def published(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The tables of the first published fold, for reading, and the settings they are made by."""
    from tests.published import first_fold
    return first_fold(spark, tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="session")
def expected(finished: Lakehouse) -> dict[str, list[tuple[Any, ...]]]:
    """The content of these tables."""
    return contents(finished)
