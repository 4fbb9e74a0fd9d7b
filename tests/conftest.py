"""One Spark session and one MLflow store for the whole test process; small tables a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from branchline.lakehouse import Lakehouse

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "mlflow-notebooks" / "fraud-training"
COLUMNS = PROJECT / "columns.yml"
SHARED = ROOT.parent / "shared" / "data"

# A warning of ours is worth a look; MLflow's and Spark's own are not ours to mend.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the trigger sets it for a project


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from branchline.spark import session
    found = session({}, tmp_path_factory.mktemp("spark") / "spark.log")
    yield found
    found.stop()


@pytest.fixture
def lakehouse(spark: Any, tmp_path: Path) -> Lakehouse:
    return Lakehouse(spark, str(tmp_path / "lakehouse"), "a_branch")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An MLflow database, made once: its tables take seconds."""
    import mlflow

    from branchline.tracking import quiet
    quiet()
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.MlflowClient().search_experiments()
    return uri


@pytest.fixture
def run(store: str, tmp_path: Path) -> Iterator[Any]:
    """An active MLflow run in an experiment of its own."""
    import mlflow
    mlflow.set_tracking_uri(store)
    experiment = mlflow.create_experiment(str(tmp_path), (tmp_path / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=experiment) as active:
        yield active


@pytest.fixture(scope="session")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some 8,000 simulated transactions of 40 days, in the published columns, as landed files."""
    from fraud_detection.simulator import World, write
    folder = tmp_path_factory.mktemp("landing")
    write(World(customers=120, terminals=240, days=40, seed=3), folder, files=2)
    return folder


@pytest.fixture(scope="session")
def arguments(landing: Path) -> list[str]:
    """What the project is told in every test of the whole pipeline."""
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


def run_steps(lakehouse: Lakehouse, settings: Any) -> dict[str, dict[str, int]]:
    """Run the settings' steps in order; their counts by step."""
    from importlib import import_module
    return {name: import_module(f"fraud_detection.{name}").run(lakehouse, settings)
            for name in settings.steps}


def contents(lakehouse: Lakehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Every table's rows in order, less what differs from run to run: ingest time and model id."""
    from fraud_detection import tables
    found = {}
    for table in vars(tables).values():
        if isinstance(table, tables.Table) and lakehouse.exists(table):
            names = [name for name in table.column_names
                     if name not in ("ingested_at", "model_version")]
            rows = lakehouse.read(table).select(*names).collect()
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


Silver = Callable[..., None]


@pytest.fixture
def silver(lakehouse: Lakehouse) -> Silver:
    """Writes rows of (id, day or time, customer, terminal, amount, label) into silver."""
    from fraud_detection.tables import TRANSACTIONS

    def write(*rows: tuple[Any, ...]) -> None:
        made = [(str(name), _time(when), str(customer), str(terminal), float(amount), label,
                 "file:/landed.csv", number)
                for number, (name, when, customer, terminal, amount, label) in enumerate(rows, 1)]
        frame = lakehouse.spark.createDataFrame(made, ", ".join(
            f"{column.name} {column.type}" for column in TRANSACTIONS.columns))
        lakehouse.merge(TRANSACTIONS, frame)

    return write


def _time(when: date | datetime | float) -> datetime:
    if isinstance(when, (int, float)):
        return datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(days=when)
    if isinstance(when, datetime):
        return when
    return datetime(when.year, when.month, when.day, 12, tzinfo=timezone.utc)
