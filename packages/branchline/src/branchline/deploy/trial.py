"""Tries a new version of a service as a canary beside the present one, and records the verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from branchline.config.service_file import Canary, Service
from branchline.deploy.canary import judged
from branchline.deploy.deployment import Deployment
from branchline.deploy.journal import Journal
from branchline.errors import GateRefused
from branchline.gate.verdict import Verdict
from branchline.kubernetes.cluster import Cluster
from branchline.kubernetes.derived import canary_of, check_job
from branchline.kubernetes.manifests import Manifest, Objects, named

__all__ = ["try_out"]

START_SECONDS = 120
NEEDED = ("ConfigMap", "ServiceAccount")  # by the canary's pods, before it is promoted


def try_out(cluster: Cluster, journal: Journal, deployment: Deployment, service: Service,
            objects: Objects, say: Callable[[str], None]) -> None:
    """Nothing if the service is not there yet, or has these pods already.

    Raises:
        GateRefused: the verdict is no; the canary has been withdrawn.
        RunFailed: its pods are not ready; it has been withdrawn.
    """
    wanted = objects[f"deployment/{service.name}"]
    present = cluster.actual({named(wanted): wanted})[named(wanted)]
    if present is None or service.canary is None or _image(present) == _image(wanted):
        return
    canary = canary_of(wanted, _replicas(present, service.canary))
    cluster.apply({key: each for key, each in objects.items() if each["kind"] in NEEDED})
    try:
        cluster.apply({named(canary): canary})
        cluster.wait_for(canary)
        share = canary["spec"]["replicas"]
        say(f"cluster {cluster.name}  canary of {service.name}: {share} of "
            f"{share + _running(present)} pods, for {service.canary.minutes:g} minutes")
        verdict = _watched(cluster, service, service.canary, wanted, present, canary)
    except BaseException:
        cluster.remove({named(canary): canary})
        raise
    journal.attach(deployment, f"canary.{service.name}", json.loads(verdict.to_json()))
    for reason in verdict.reasons:
        say(f"  {reason.name}: {reason.found}, wanted {reason.wanted}: {reason.outcome}")
    if not verdict.passed:
        cluster.remove({named(canary): canary})
        failed = [each for each in verdict.reasons if each.outcome in ("fail", "undecided")]
        raise GateRefused(f"canary of {service.name}: withdrawn: " + "; ".join(
            f"{each.name} {each.found}, wanted {each.wanted}" for each in failed) + ".")


def _watched(cluster: Cluster, service: Service, limits: Canary, wanted: Manifest,
             present: Manifest, canary: Manifest) -> Verdict:
    command = ["python3", "-m", "branchline.serving.outcomes", "--seconds",
               f"{60 * limits.minutes:g}"]
    for track, owner in (("stable", present), ("canary", canary)):
        command += [f"--{track}", *_addresses(cluster, owner)]
    seconds = int(60 * limits.minutes) + START_SECONDS
    said = cluster.run(check_job(wanted, "outcomes", command, seconds))
    found = json.loads(said.strip().splitlines()[-1])
    return judged(found["canary"], found["stable"], limits, _image(wanted), _image(present))


def _addresses(cluster: Cluster, owner: Manifest) -> list[str]:
    port = owner["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"]
    return [f"http://{pod['status']['podIP']}:{port}" for pod in cluster.pods(owner)
            if pod.get("status", {}).get("podIP")]


def _replicas(present: Mapping[str, Any], limits: Canary) -> int:
    """As many pods as have the canary's weight among all; at least one."""
    return max(1, round(_running(present) * limits.weight / (100 - limits.weight)))


def _running(present: Mapping[str, Any]) -> int:
    return int(present.get("status", {}).get("availableReplicas", 0))


def _image(deployment: Manifest) -> str:
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])
