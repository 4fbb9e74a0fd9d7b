"""A release's service on its way through two clusters, and back.

What these clusters are, and are not, `support.api_server` tells. `make story` shows it to a person.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import mlflow
import pytest

from branchline.config.deploy_file import DeployFile, Job, Where
from branchline.config.service_file import Canary, Service
from branchline.config.targets import LocalTarget
from branchline.deploy.deployment import Deployment
from branchline.deploy.services import check_services
from branchline.errors import BadInput, BranchlineError, GateRefused, RunFailed
from branchline.platforms.local.platform import LocalPlatform
from branchline.runs.tracking import Tracking
from branchline.serving.smoke import Client
from branchline.wheels.artifacts import Artifact
from support.api_server import StandIn, clusters
from support.clone import ROOT
from support.light_service import save_light
from support.releasing import Shop, repository

NAME, KEY = "fraud-scoring-service", "the key"
SHIPPED = ROOT / "deploy" / NAME
REPOSITORY = f"registry.example.com/{NAME}"
SPACES = {"staging": "fraud-scoring-staging", "production": "fraud-scoring"}
MODELS: dict[str, Mapping[str, object]] = {
    "1.0+g1": {}, "1.0+g2": {"golden": [0.9, 0.9]}, "1.0+g3": {"seconds": 0.02},
    "1.0+g4": {"shift": 2.5}, "1.0+g5": {"shift": 0.001}}


def reference(version: str) -> str:
    return f"{REPOSITORY}@sha256:{list(MODELS).index(version) + 1:064x}"


class Said(list[str]):
    """The lines that commands say, printed too: pytest shows them with -s."""

    def append(self, line: str) -> None:
        print(line, flush=True)
        super().append(line)


@dataclass
class ServiceShop(Shop):
    """A shop whose project has a service, in two clusters."""

    there: dict[str, StandIn] = field(default_factory=dict)
    service: Service = Service(NAME, REPOSITORY, 2000)

    @property
    def file(self) -> DeployFile:
        return DeployFile((Job("score", check=True),), {
            "local": Where(clusters=("staging", "production"))}, (self.service,))

    def planned_image(self, version: str) -> str:
        made = self.release(version)
        image = Artifact("image", NAME, version, reference(version))
        return self.plan(replace(made, artifacts=(image, *made.artifacts)))

    def deploy_image(self, version: str) -> Deployment:
        return self.apply(self.planned_image(version))

    def chapter(self, heading: str) -> None:
        print(f"\n\n{'#' * 100}\n# {heading}\n{'#' * 100}", flush=True)

    @contextmanager
    def refused(self, error: type[BranchlineError], match: str) -> Iterator[None]:
        with pytest.raises(error, match=match) as caught:
            yield
        print(f"deploy.py: {caught.value}\nexit code {caught.value.exit_code}", flush=True)

    def images(self) -> dict[str, str | None]:
        return {name: cluster.image(NAME) for name, cluster in self.there.items()}


@pytest.fixture(scope="module")
def shop(store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceShop]:
    folder = tmp_path_factory.mktemp("services")
    mlflow.set_tracking_uri(store)
    root = repository(folder / "repository")
    copied = root / "deploy" / NAME
    shutil.copytree(SHIPPED, copied)
    scaler = copied / "kubernetes" / "base" / "autoscaler.yaml"
    assert "minReplicas: 2" in scaler.read_text()  # a process each: one will do
    scaler.write_text(scaler.read_text().replace("minReplicas: 2", "minReplicas: 1"))
    for overlay in (copied / "kubernetes" / "overlays").glob("*/kustomization.yaml"):
        assert "components: [../../worker]\n" in overlay.read_text()  # there is no Kafka
        overlay.write_text(overlay.read_text().replace("components: [../../worker]\n", ""))
    images = {reference(version): save_light(folder / "models" / version, version, **about)
              for version, about in MODELS.items()}
    target = LocalTarget("local", store, ".local/lakehouse", "/branchline")
    platform = LocalPlatform(target, root, Tracking(store, folder / "artifacts"))
    with clusters(folder / "clusters", images, *SPACES) as (config, there), \
            pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(config))
        patch.setenv("KUBECACHEDIR", str(folder / "cache"))
        for name, cluster in there.items():
            cluster.put("secrets", SPACES[name], {"metadata": {"name": NAME}, "stringData": {
                "api-key": KEY}})
        yield ServiceShop(root, "services", platform, Said(), "greeting", there)


@contextmanager
def traffic(cluster: StandIn) -> Iterator[list[int]]:
    """Live requests to all ready pods in turn, as the Service spreads them; yields statuses."""
    ended, statuses = threading.Event(), [0]
    body = (b'{"inputs": [{"name": "one", "datatype": "FP64", "shape": [2], "data": [1, 3]}, '
            b'{"name": "other", "datatype": "FP64", "shape": [2], "data": [2, 0.5]}]}')

    def send() -> None:
        while not ended.wait(0.05):
            for address in cluster.addresses(NAME):
                try:
                    statuses.append(Client(address, KEY).ask("/v2/models/light/infer", body)[0])
                except Exception:  # a pod that is being stopped
                    continue

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield statuses
    finally:
        ended.set()
        thread.join()


def test_a_release_goes_to_staging_is_checked_there_and_then_goes_to_production(
        shop: ServiceShop) -> None:
    shop.chapter("A release with a service: staging, its check there, the jobs, production")
    shop.deploy_image("1.0+g1")
    assert shop.images() == dict.fromkeys(SPACES, reference("1.0+g1"))
    said = "\n".join(shop.said)
    assert f"cluster staging  {NAME} works: model 1.0+g1; golden rows 2, the same to the bit; " \
           "bad request 422; latency p50" in said
    assert said.index("cluster staging") < said.index("job score") < said.index(
        f"cluster production  deployment/{NAME}")


def test_the_service_in_production_answers_those_who_have_its_key(shop: ServiceShop) -> None:
    [address] = shop.there["production"].addresses(NAME)
    assert Client(address, KEY).ask("/v2/models/light")[0] == 200
    assert Client(address, None).ask("/v2/models/light")[0] == 401


def test_the_check_of_a_deployment_asks_the_service_in_production(shop: ServiceShop) -> None:
    said: list[str] = []
    check_services(shop.production("ci"), shop.journal.current().state, said.append)
    assert said[0].startswith(f"cluster production  {NAME} works: model 1.0+g1; golden rows 2")


def test_a_plan_shows_the_new_digest_and_what_was_changed_by_hand(shop: ServiceShop) -> None:
    production = shop.there["production"]
    before = production.objects["services", SPACES["production"], NAME]
    production.put("services", SPACES["production"], {**before, "spec": {
        **before["spec"], "ports": [{"name": "http", "port": 81, "targetPort": "http"}]}})
    shop.planned_image("1.0+g5")
    production.put("services", SPACES["production"], before)
    changes = {each["path"]: (each["was"], each["becomes"]) for each in shop.planned["changes"]}
    both = (reference("1.0+g1"), reference("1.0+g5"))
    path = f"{{}} deployment/{NAME}.spec.template.spec.containers[0].image"
    assert changes[f"image {NAME}"] == both
    assert changes[path.format("staging")] == changes[path.format("production")] == both
    assert [(each["path"], each["was"], each["becomes"]) for each in shop.planned["drift"]] == [
        (f"production service/{NAME}.spec.ports[0].port", 80, 81)]
    assert reference("1.0+g5") in (shop.evidence / "evidence.html").read_text()


def test_an_image_whose_pods_are_not_ready_in_staging_never_reaches_production(
        shop: ServiceShop) -> None:
    shop.chapter("An image that scores its golden row otherwise: not ready in staging, rolled back")
    with shop.refused(RunFailed, "cluster staging: .* its new pods are not ready: pod "):
        shop.deploy_image("1.0+g2")
    assert shop.images() == {"staging": reference("1.0+g2"), "production": reference("1.0+g1")}
    shop.rollback()
    assert shop.images() == dict.fromkeys(SPACES, reference("1.0+g1"))


def test_an_image_that_is_too_slow_in_staging_never_reaches_production(shop: ServiceShop) -> None:
    shop.chapter("An image that is too slow: stopped by the check in staging, rolled back")
    shop.service = Service(NAME, REPOSITORY, 15)
    asked = len(shop.there["production"].asked)
    with shop.refused(RunFailed, r"latency: the 99th percentile is \d+ ms, expected at most "
                                 r"15 ms .* is half done"):
        shop.deploy_image("1.0+g3")
    assert not [each for each in shop.there["production"].asked[asked:] if "PATCH" in each]
    shop.service = Service(NAME, REPOSITORY, 2000)
    shop.rollback()
    assert shop.images() == dict.fromkeys(SPACES, reference("1.0+g1"))


def test_a_canary_that_scores_otherwise_is_withdrawn(shop: ServiceShop) -> None:
    shop.chapter("A canary whose scores are others: withdrawn by the gate, rolled back")
    production = shop.there["production"]
    canary = Canary(weight=50, minutes=0.05, requests=5, slower=100)
    shop.service = Service(NAME, REPOSITORY, 2000, canary)
    with traffic(production) as statuses:
        with shop.refused(GateRefused, "withdrawn: .*score distribution distance"):
            shop.deploy_image("1.0+g4")
        assert shop.images()["production"] == reference("1.0+g1")
        assert production.image(f"{NAME}-canary") is None
        shop.rollback()
    assert len(statuses) > 20 and set(statuses) == {0, 200}
    number = shop.journal.current().number - 1
    content = shop.source.read(f"sample/deployments/greeting/{number:06d}.canary.{NAME}.json")
    assert content and b'"passed": false' in content


def test_a_canary_that_answers_as_the_present_version_is_promoted(shop: ServiceShop) -> None:
    shop.chapter("A canary that answers as the present version: promoted")
    with traffic(shop.there["production"]):
        shop.deploy_image("1.0+g5")
    assert shop.images() == dict.fromkeys(SPACES, reference("1.0+g5"))
    assert shop.there["production"].image(f"{NAME}-canary") is None
    assert any("canary of" in line and "1 of 2 pods" in line for line in shop.said)


def test_a_rollback_returns_to_the_digest_before_production_first(shop: ServiceShop) -> None:
    shop.chapter("A rollback: the digest before, in production first")
    shop.said.clear()
    shop.rollback()
    assert shop.images() == dict.fromkeys(SPACES, reference("1.0+g1"))
    order = [line.split()[1] for line in shop.said if line.startswith("cluster ")]
    assert order == ["production", "staging"]


def test_a_cluster_that_does_not_answer_ends_the_deployment_which_can_be_finished_later(
        shop: ServiceShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    approved = shop.planned_image("1.0+g1")
    config = Path(os.environ["KUBECONFIG"])
    with monkeypatch.context() as patch:
        gone = tmp_path / "kubeconfig"
        gone.write_text(config.read_text().replace("http://127.0.0.1:", "http://127.0.0.1:1"))
        patch.setenv("KUBECONFIG", str(gone))
        with pytest.raises(Exception, match="cluster staging: kubectl says: .* is half done"):
            shop.apply(approved)
    shop.service = Service(NAME, REPOSITORY, 2000)
    assert shop.apply(approved).finished
    assert shop.images() == dict.fromkeys(SPACES, reference("1.0+g1"))


def test_a_service_without_an_image_in_the_release_cannot_be_planned(shop: ServiceShop) -> None:
    with pytest.raises(BadInput, match=f"has no image of {NAME}; build it with image.py --push"):
        shop.plan(shop.release("1.0+g6"))
