"""One Spark session and one MLflow store for the whole test process; small tables for each test."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from branchline.lakehouse import Lakehouse
from support.clone import ROOT
from support.processes import free_port

# In the background of a shell, the tests and their processes would ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the trigger sets it for a project
# Most of a test's time is the JVM's compiler; its first stage is quick and changes no result.
# With that stage alone the JVM has room for a fifth of the code that it has otherwise: it then
# throws compiled code away, and compiles it again.
os.environ.setdefault("SPARK_SUBMIT_OPTS",
                      "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m")

# How long an example takes says something about the machine, not about the code.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

CONNECT = {"spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
           "spark.connect.grpc.binding.address": "127.0.0.1",
           "spark.connect.grpc.binding.port": str(free_port())}
# Each process of the tests has a JVM, and all of them and the runs that they start share a machine.
# 2 GB of it are for new objects (session.JAVA_OPTIONS).
SMALL = {"spark.driver.memory": "3g"}
# A query of a few rows costs more to generate, compile and load than to interpret.
INTERPRETED = {"spark.sql.codegen.wholeStage": "false",
               "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need the workspace server or a store as slow; start long ones first."""
    for item in items:
        needed = {"_workspace", "broker", "store"} & set(getattr(item, "fixturenames", ()))
        if needed or (ROOT / "packages" / "workspace-server") in item.path.parents:
            item.add_marker("slow")
    slow = {item.path for item in items
            if item.get_closest_marker("slow") or item.get_closest_marker("spark")}
    longest = ("test_story", "test_readme")
    items.sort(key=lambda item: (item.path.stem not in longest, item.path not in slow))


@pytest.fixture(autouse=True)
def _nothing_left_by_mlflow() -> Iterator[None]:
    """Remove variables that MLflow sets for child processes and leaves for the next test."""
    yield
    for name in ("MLFLOW_EXPERIMENT_ID", "MLFLOW_REGISTRY_URI"):
        os.environ.pop(name, None)
    if fluent := sys.modules.get("mlflow.tracking.fluent"):
        fluent._active_experiment_id = None  # left by set_experiment; nothing public resets it


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from branchline.spark.session import session
    warehouse = tmp_path_factory.mktemp("warehouse")
    settings = {**CONNECT, **SMALL, **INTERPRETED, "spark.sql.warehouse.dir": warehouse}
    os.environ["PYSPARK_SUBMIT_ARGS"] = " ".join(
        [*(f"--conf {name}={value}" for name, value in settings.items()), "pyspark-shell"])
    try:
        found = session({}, tmp_path_factory.mktemp("spark") / "spark.log")
    finally:
        del os.environ["PYSPARK_SUBMIT_ARGS"]  # not for the processes that tests start
    yield found
    found.stop()


@pytest.fixture(scope="session")
def connect(spark: Any) -> str:
    """The address of the Spark Connect server that the session's JVM also is."""
    port = spark.conf.get("spark.connect.grpc.binding.port")
    return f"sc://{CONNECT['spark.connect.grpc.binding.address']}:{port}"


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Kafka broker for all tests; each test creates its own topics."""
    from branchline.spark.kafka_broker import Broker
    with Broker(tmp_path_factory.mktemp("kafka")) as started:
        yield started


@pytest.fixture(scope="session")
def _workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from workspace_server import Workspace
    from workspace_server.__main__ import make_volumes
    with Workspace.start(tmp_path_factory.mktemp("workspace"), phase_seconds=0.1) as started:
        make_volumes(started.client())
        yield started


@pytest.fixture
def workspace(_workspace: Any) -> Iterator[Any]:
    """A Databricks workspace for all tests; each test starts without faults."""
    yield _workspace
    _workspace.clear_faults()


@pytest.fixture
def signed_in(workspace: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The workspace, with this process and its children signed in as a developer."""
    import mlflow
    before = mlflow.get_tracking_uri()
    for name, value in workspace.environment().items():
        monkeypatch.setenv(name, value)
    mlflow.set_tracking_uri("databricks")
    yield workspace
    mlflow.set_tracking_uri(before)


@pytest.fixture
def lakehouse(spark: Any, tmp_path: Path) -> Lakehouse:
    return Lakehouse(spark, str(tmp_path / "lakehouse"), "a_branch")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An MLflow database, created once: its tables take seconds."""
    import mlflow

    from branchline.runs.tracking import quiet
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
