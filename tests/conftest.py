"""One Spark session and one MLflow store for the whole test process; small tables a test."""

from __future__ import annotations

import os
import random
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from branchline.lakehouse import Lakehouse
from tests.clone import ROOT, Readme
from tests.tables import contents, run_steps

PROJECT = ROOT / "mlflow-notebooks" / "fraud-training"
COLUMNS = PROJECT / "columns.yml"
SHARED = ROOT.parent / "shared" / "data"


def free_port() -> int:
    """A port for a server that starts later: below those that systems hand out by themselves,
    where a connection of Spark's may take it in the meantime."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


# A shell that starts the tests in the background makes them, and all they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the trigger sets it for a project
# Most of a test's time is the JVM's compiler, whose first stage is quick, and verification of its
# classes; neither changes a result. With that stage alone the JVM has room for a fifth of the code
# that it has otherwise: it then throws compiled code away, and compiles it anew.
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m "
                      "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote")

CONNECT = {"spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
           "spark.connect.grpc.binding.address": "127.0.0.1",
           "spark.connect.grpc.binding.port": str(free_port())}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the workspace server or a store as slow; what takes long is begun first."""
    for item in items:
        needed = {"_workspace", "store"} & set(getattr(item, "fixturenames", ()))
        if needed or (ROOT / "tests" / "workspace") in item.path.parents:
            item.add_marker("slow")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path.stem != "test_story", item.path not in slow))


@pytest.fixture(scope="session")
def readme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readme]:
    """The README's commands at work in a fresh clone."""
    from tests.processes import kill
    started = Readme(tmp_path_factory.mktemp("readme"))
    yield started
    if started.shell.poll() is None:
        kill(started.shell)


@pytest.fixture(scope="session", autouse=True)
def _readme_first(request: pytest.FixtureRequest) -> None:
    """Start the README's commands before all tests if one asks for them: they take minutes."""
    if any("readme" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("readme")


@pytest.fixture(autouse=True)
def _nothing_left_by_mlflow() -> Iterator[None]:
    """Take away what MLflow sets for processes that a test starts, and leaves for the next test."""
    yield
    for name in ("MLFLOW_EXPERIMENT_ID", "MLFLOW_REGISTRY_URI"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from branchline.spark import session
    os.environ["PYSPARK_SUBMIT_ARGS"] = " ".join(
        [*(f"--conf {name}={value}" for name, value in CONNECT.items()), "pyspark-shell"])
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
def _workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.workspace import Workspace
    from tests.workspace.__main__ import make_volumes
    with Workspace.start(tmp_path_factory.mktemp("workspace"), phase_seconds=0.1) as started:
        make_volumes(started.client())
        yield started


@pytest.fixture
def workspace(_workspace: Any) -> Iterator[Any]:
    """A Databricks workspace, one for all tests; each begins without faults."""
    yield _workspace
    _workspace.clear_faults()


@pytest.fixture
def signed_in(workspace: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The workspace; this process, and those that it starts, are signed in as a developer."""
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


@pytest.fixture(scope="session")
def published(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The tables of the first published fold, for reading, and the settings they are made by."""
    from tests.published import first_fold
    return first_fold(spark, tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="session")
def expected(finished: Lakehouse) -> dict[str, list[tuple[Any, ...]]]:
    """What is in the tables then."""
    return contents(finished)
