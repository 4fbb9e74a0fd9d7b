"""The shipped manifests, rendered as they are deployed: valid, and by rules that a schema lacks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from branchline.cli.score_stream import command
from branchline.config.kafka_file import KafkaFile
from branchline.kubernetes.derived import canary_of, check_job
from branchline.kubernetes.manifests import Manifest, containers, rendered
from support.clone import ROOT

NAME = "fraud-scoring-service"
IMAGE = f"registry.example.com/{NAME}@sha256:{'a' * 64}"
CLUSTERS = ["staging", "production"]
PROGRAMS = Path(sys.executable).parent
OF_THE_SERVICE = {"app.kubernetes.io/name": NAME}
WORKER = "fraud-scoring-worker"
OF_THE_WORKER = {"app.kubernetes.io/name": WORKER}


@cache
def objects(cluster: str) -> dict[str, dict[str, Any]]:
    """All that a deployment applies, the derived objects too."""
    found = rendered(ROOT / "deploy" / NAME, cluster, NAME, IMAGE)
    deployment = found[f"deployment/{NAME}"]
    return {**found, "canary": canary_of(deployment, 1),
            "check": check_job(deployment, "smoke", ["python3"], 60)}


def workloads(cluster: str) -> list[Manifest]:
    return [each for each in objects(cluster).values() if containers(each)]


def template(manifest: Manifest) -> dict[str, Any]:
    return dict(manifest["spec"]["template"])


def worker(cluster: str) -> dict[str, Any]:
    """The container of the stream worker."""
    [found] = containers(objects(cluster)[f"deployment/{WORKER}"])
    return found


def options_of(container: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, equals, value in (
        argument.partition("=") for argument in container["args"]) if equals}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_every_object_is_valid_by_the_schemas_of_kubernetes(cluster: str, tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all(objects(cluster).values()))
    done = subprocess.run([PROGRAMS / "kubernetes-validate", "--strict", str(file)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_misspelt_field_is_found_by_that_check(tmp_path: Path) -> None:
    wrong = {**objects("production")[f"service/{NAME}"], "spec": {"selektor": {}}}
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(wrong))
    done = subprocess.run([PROGRAMS / "kubernetes-validate", "--strict",
                           str(tmp_path / "wrong.yaml")], capture_output=True, text=True)
    assert done.returncode != 0 and "selektor" in done.stdout + done.stderr


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_service_and_worker_have_one_object_of_each_kind_that_they_need(cluster: str) -> None:
    found = rendered(ROOT / "deploy" / NAME, cluster, NAME, IMAGE)
    kinds: dict[str, list[str]] = {NAME: [], WORKER: []}
    for each in found.values():
        name = each["metadata"]["name"]
        kinds[WORKER if name.startswith(WORKER) else name].append(each["kind"])
    assert sorted(kinds[NAME]) == [
        "Deployment", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy",
        "PodDisruptionBudget", "Service", "ServiceAccount"]
    assert sorted(kinds[WORKER]) == ["ConfigMap", "Deployment", "NetworkPolicy", "ServiceAccount"]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_every_image_is_named_by_its_digest(cluster: str) -> None:
    assert {each["image"] for workload in workloads(cluster)
            for each in containers(workload)} == {IMAGE}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_containers_have_no_rights(cluster: str) -> None:
    for workload in workloads(cluster):
        pod = template(workload)["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] >= 10_000
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        for container in containers(workload):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]}}
    for name in (NAME, WORKER):
        assert objects(cluster)[f"serviceaccount/{name}"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_memory_is_limited_and_what_is_requested_is_said(cluster: str) -> None:
    for workload in workloads(cluster):
        for container in containers(workload):
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_only_readiness_asks_for_what_the_service_depends_on(cluster: str) -> None:
    for name in (f"deployment/{NAME}", "canary"):
        [container] = containers(objects(cluster)[name])
        paths = {probe: container[probe]["httpGet"]["path"] for probe in (
            "startupProbe", "readinessProbe", "livenessProbe")}
        assert paths == {"startupProbe": "/v2/health/live", "readinessProbe": "/v2/health/ready",
                         "livenessProbe": "/v2/health/live"}
        ports = {each["name"] for each in container["ports"]}
        assert {container[probe]["httpGet"]["port"] for probe in paths} <= ports


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_pod_has_time_to_stop(cluster: str) -> None:
    pod = template(objects(cluster)[f"deployment/{NAME}"])["spec"]
    sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= sleep + 30 + 5  # of ServerSettings.stop_seconds


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_selectors_select_the_pods_of_both_tracks_or_of_their_own(cluster: str) -> None:
    found = objects(cluster)
    stable = template(found[f"deployment/{NAME}"])["metadata"]["labels"]
    canary = template(found["canary"])["metadata"]["labels"]
    check = template(found["check"])["metadata"]["labels"]
    selectors = [found[f"service/{NAME}"]["spec"]["selector"],
                 found[f"poddisruptionbudget/{NAME}"]["spec"]["selector"]["matchLabels"],
                 found[f"networkpolicy/{NAME}"]["spec"]["podSelector"]["matchLabels"]]
    for selector in selectors:
        assert selector == OF_THE_SERVICE
        assert selector.items() <= stable.items() and selector.items() <= canary.items()
        assert not selector.items() <= check.items()
        assert not selector.items() <= template(
            found[f"deployment/{WORKER}"])["metadata"]["labels"].items()
    for name, own, other in ((f"deployment/{NAME}", stable, canary), ("canary", canary, stable)):
        chosen = found[name]["spec"]["selector"]["matchLabels"]
        assert chosen.items() <= own.items() and not chosen.items() <= other.items()


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_what_one_object_names_another_one_is(cluster: str) -> None:
    found = objects(cluster)
    pod = template(found[f"deployment/{NAME}"])["spec"]
    assert f"serviceaccount/{pod['serviceAccountName']}" in found
    mounted = {each["name"] for each in pod["containers"][0]["volumeMounts"]}
    assert mounted == {each["name"] for each in pod["volumes"]}
    target = found[f"horizontalpodautoscaler/{NAME}"]["spec"]["scaleTargetRef"]
    assert f"{target['kind'].lower()}/{target['name']}" in found
    [path] = found[f"ingress/{NAME}"]["spec"]["rules"][0]["http"]["paths"]
    backend, ports = path["backend"]["service"], found[f"service/{NAME}"]["spec"]["ports"]
    assert (backend["name"], backend["port"]["name"]) == (NAME, ports[0]["name"])
    [host] = found[f"ingress/{NAME}"]["spec"]["tls"][0]["hosts"]
    assert host == found[f"ingress/{NAME}"]["spec"]["rules"][0]["host"]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_pod_can_be_evicted_at_any_time_without_an_outage(cluster: str) -> None:
    found = objects(cluster)
    scaler = found[f"horizontalpodautoscaler/{NAME}"]["spec"]
    assert "replicas" not in found[f"deployment/{NAME}"]["spec"]
    assert scaler["minReplicas"] < scaler["maxReplicas"]
    assert scaler["minReplicas"] >= 2 or cluster == "staging"
    assert found[f"poddisruptionbudget/{NAME}"]["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_no_value_of_a_secret_is_in_a_manifest(cluster: str) -> None:
    for workload in workloads(cluster):
        for each in containers(workload)[0]["env"]:
            assert each.keys() == {"name", "valueFrom"} and "secretKeyRef" in each["valueFrom"]


def test_the_clusters_differ_in_namespace_host_and_number_of_pods() -> None:
    one, other = objects("staging"), objects("production")
    assert one[f"deployment/{NAME}"]["spec"] == other[f"deployment/{NAME}"]["spec"]
    assert one[f"service/{NAME}"]["metadata"]["namespace"] != other[f"service/{NAME}"][
        "metadata"]["namespace"]
    assert one[f"ingress/{NAME}"]["spec"] != other[f"ingress/{NAME}"]["spec"]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_two_workers_never_run_at_once(cluster: str) -> None:
    found = objects(cluster)
    spec = found[f"deployment/{WORKER}"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert options_of(worker(cluster))["--worker"] == WORKER
    assert [each["spec"]["scaleTargetRef"]["name"] for each in found.values()
            if each["kind"] == "HorizontalPodAutoscaler"] == [NAME]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_workers_selectors_select_its_pods_alone(cluster: str) -> None:
    found = objects(cluster)
    assert found[f"deployment/{WORKER}"]["spec"]["selector"]["matchLabels"] == OF_THE_WORKER
    policy = found[f"networkpolicy/{WORKER}"]["spec"]
    assert policy["podSelector"]["matchLabels"] == OF_THE_WORKER
    assert "Ingress" in policy["policyTypes"] and "ingress" not in policy
    others = [each for each in workloads(cluster) if each["metadata"]["name"] != WORKER]
    assert len(others) == 3 and not [
        each for each in others if OF_THE_WORKER.items() <= template(each)["metadata"][
            "labels"].items()]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_worker_is_started_with_options_that_the_command_has(cluster: str) -> None:
    name, *arguments = worker(cluster)["args"]
    assert name == command.name
    given = command.make_context(name, [*arguments, "--store", "of the Secret"]).params
    assert given["scorer"] == "fraud_detection.scoring.stream:open_scorer"
    dockerfile = (ROOT / "deploy" / NAME / "Dockerfile").read_text()
    assert f"BRANCHLINE_MODEL={given['model']} " in dockerfile


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_worker_mounts_settings_for_kafka_that_can_be_read(
        cluster: str, tmp_path: Path) -> None:
    pod = template(objects(cluster)[f"deployment/{WORKER}"])["spec"]
    mounts = {each["mountPath"]: each["name"] for each in worker(cluster)["volumeMounts"]}
    [config] = [each["configMap"]["name"] for each in pod["volumes"] if "configMap" in each]
    assert set(mounts.values()) == {each["name"] for each in pod["volumes"]}
    folder, _, file = options_of(worker(cluster))["--kafka"].rpartition("/")
    assert folder in mounts
    (tmp_path / file).write_text(objects(cluster)[f"configmap/{config}"]["data"][file])
    secrets = {each["name"]: "from the Secret" for each in worker(cluster)["env"]}
    client = KafkaFile.read(tmp_path / file, secrets).client
    assert client["security.protocol"] == "SASL_SSL" and "sasl.password" in client
    port = int(client["bootstrap.servers"].rpartition(":")[2])
    assert {"port": port} in [each for rule in objects(cluster)[f"networkpolicy/{WORKER}"]["spec"][
        "egress"] for each in rule["ports"]]


def test_the_workers_probes_fail_when_its_metrics_are_old(tmp_path: Path) -> None:
    container, file = worker("production"), tmp_path / "worker.prom"
    written = options_of(container)["--metrics"]
    for probe in ("startupProbe", "livenessProbe"):
        words = [word.replace(written, str(file)) for word in container[probe]["exec"]["command"]]
        file.unlink(missing_ok=True)
        found = [subprocess.run(words, stderr=subprocess.DEVNULL).returncode]
        file.write_text("branchline_stream_events_total 0\n")
        found.append(subprocess.run(words).returncode)
        os.utime(file, (time.time() - 120,) * 2)
        found.append(subprocess.run(words).returncode)
        assert found == [1, 0, 1] and str(file) in " ".join(words)
