"""The service's image, built by buildah and started as a cluster starts it.

On a machine with buildah, debootstrap and runc; `make test-image` also makes its base image, of
Debian's packages, which takes minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from branchline.features.online import SqliteStore
from branchline.images.context import Contents, prepare
from branchline.serving.smoke import Client
from branchline.streaming import Message
from fraud_detection.scoring.stream import FraudScorer
from fraud_detection.settings import Columns
from support.clone import ROOT
from support.containers import BASE, OPTIONS, base_problem, builder, container, lacking, make_base
from support.processes import free_port
from support.topics import Topic, received
from tests.served import as_records, batch_features, save_model, silver

pytestmark = pytest.mark.slow

SERVICE = ROOT / "deploy" / "fraud-scoring-service"
TAG = "localhost/branchline-test-image:latest"
MEMORY = 768 * 2**20  # the Deployment's limit
WORKERS_MEMORY = 2 * 2**30
# A cluster mounts Kafka's settings; here the first argument is what is in the file.
STREAM = 'printf %s "$0" > /tmp/kafka.yml && exec python3 -m branchline.cli.main score-stream "$@"'
MOST_BYTES = 400 * 10**6
FORBIDDEN = {"pyspark", "databricks", "matplotlib", "mlflow", "pip", "pytest"}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an image that was built; skipped where none can be."""
    wanted = os.environ.get("BRANCHLINE_TEST_IMAGE")
    problem = lacking() if wanted else base_problem()
    if problem:
        pytest.skip(problem)
    scratch = tmp_path_factory.mktemp("image")
    if base_problem():
        make_base(scratch)
    folder = scratch / "context"
    folder.mkdir()
    model = save_model(scratch / "model", batch_features(silver()))
    prepare(Contents(ROOT, SERVICE, model), folder)
    builder().build(folder, TAG, {"org.opencontainers.image.version": "test"}, BASE)
    return folder


@pytest.fixture(scope="module")
def address(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service in a container, ready, without a store."""
    scratch, port = tmp_path_factory.mktemp("container"), free_port()
    arguments = ["serve", "fraud_detection.scoring.service:open_service", "--host", "127.0.0.1",
                 "--port", str(port)]
    began = time.monotonic()
    with container(TAG, arguments, scratch / "bundle", scratch / "log", MEMORY) as process:
        found = f"http://127.0.0.1:{port}"
        while not _is_ready(found):
            assert process.poll() is None and time.monotonic() - began < 180, (
                scratch / "log").read_text()
            time.sleep(0.1)
        print(f"\nstart to ready {time.monotonic() - began:.1f} s")
        yield found
        used = [each.memory_info().rss for each in psutil.Process(process.pid).children()]
        print(f"\nmemory after these tests {sum(used) / 1e6:.0f} MB")
    assert "Traceback" not in (scratch / "log").read_text()


def _is_ready(address: str) -> bool:
    try:
        return Client(address, None).ask("/v2/health/ready")[0] == 200
    except Exception:
        return False


def test_the_container_scores_the_golden_rows_as_the_model_did_when_it_was_built(
        context: Path, address: str) -> None:
    import yaml
    golden = yaml.safe_load((context / "model" / "MLmodel").read_text())["metadata"]["golden"]
    about = json.loads(Client(address, None).ask("/v2/models/fraud")[1])
    names = [each["name"] for each in about["inputs"]]
    rows = {"dataframe_split": {"columns": names, "data": golden["rows"]}}
    status, body = Client(address, None).ask("/invocations", json.dumps(rows).encode())
    assert status == 200 and json.loads(body)["predictions"] == golden["predicted"]


def test_the_check_of_a_deployment_passes_from_a_second_container(
        context: Path, address: str, tmp_path: Path) -> None:
    with container(TAG, [], tmp_path / "bundle", tmp_path / "log", MEMORY,
                   ["python3", "-m", "branchline.serving.smoke", address, "--latency-ms",
                    "10000"]) as process:
        assert process.wait(120) == 0, (tmp_path / "log").read_text()
    assert "the same to the bit" in (tmp_path / "log").read_text()


def test_a_worker_in_a_container_scores_as_the_model_does_here_and_stops_with_0(
        context: Path, broker: Any, tmp_path: Path) -> None:
    client = {"bootstrap.servers": broker.address}
    events, scores = Topic(client), Topic(client)
    sold = as_records(silver())[:200]
    scorer = FraudScorer(SqliteStore(tmp_path / "here.db"), Columns(), 7)
    expected = [each.score for each in scorer.score(
        scorer.load(str(context / "model")),
        [Message(json.dumps(each).encode(), 2**41) for each in sold])]
    events.send(*sold)
    with container(TAG, [
            f"bootstrap_servers: {broker.address}\ngroup: {tmp_path.name}\n",
            "fraud_detection.scoring.stream:open_scorer", "--model", "/opt/service/model",
            "--kafka", "/tmp/kafka.yml", "--from", events.name, "--to", scores.name,
            "--store", "/tmp/events.db", "--metrics", "/tmp/worker.prom"],
            tmp_path / "bundle", tmp_path / "log", WORKERS_MEMORY, ["sh", "-c", STREAM]) as process:
        found = received(scores, len(sold))
        used = [each.memory_info().rss for each in psutil.Process(process.pid).children()]
        print(f"\nthe worker's memory {sum(used) / 1e6:.0f} MB")
    assert process.returncode == 0, (tmp_path / "log").read_text()
    assert found == expected and "stopped: 200 events" in (tmp_path / "log").read_text()


def test_the_image_is_small_and_holds_neither_spark_nor_mlflow_nor_a_compiler(
        context: Path) -> None:
    archive = context.parent / "image.tar"
    push = subprocess.run(["buildah", *OPTIONS, "push", TAG, f"oci-archive:{archive}"],
                          capture_output=True, text=True)
    assert push.returncode == 0, push.stderr
    print(f"\nimage: {archive.stat().st_size / 1e6:,.0f} MB to pull")
    assert archive.stat().st_size < MOST_BYTES
    installed = {path.name.partition("-")[0].lower()
                 for path in (context / "packages").glob("*.dist-info")}
    assert not installed & FORBIDDEN
    assert {"branchline", "scikit_learn"} <= installed


def test_the_bill_of_materials_lists_the_packages_that_are_in_it(context: Path) -> None:
    bill = json.loads((context / "sbom.cdx.json").read_text())
    listed = {(each["name"].lower().replace("-", "_"), each["version"])
              for each in bill["components"]}
    installed = {tuple(path.name.removesuffix(".dist-info").lower().split("-"))
                 for path in (context / "packages").glob("*.dist-info")}
    ours = {each for each in installed if each[0] in ("branchline", "fraud_detection")}
    assert bill["bomFormat"] == "CycloneDX" and installed - ours <= listed
