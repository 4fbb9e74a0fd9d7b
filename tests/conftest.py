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
SHARED = ROOT.parent / "shared" / "data"

# A warning of ours is worth a look; MLflow's and Spark's own are not ours to mend.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")


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
