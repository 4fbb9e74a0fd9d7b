"""What is derived from a service's Deployment: its canary, and jobs that check it from within."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from branchline.kubernetes.manifests import Manifest, copied

__all__ = ["CANARY", "canary_of", "check_job"]

TRACK, CANARY = "track", "canary"
NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"
OF_A_SERVER = ("ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle", "args")
KEPT_SECONDS = 3600


def canary_of(deployment: Manifest, replicas: int) -> dict[str, Any]:
    """A second Deployment with the same pods, on the track `canary`.

    The Service selects the pods of both tracks: the share of requests is that of pods.
    """
    made = copied(deployment)
    made["metadata"]["name"] += f"-{CANARY}"
    made["spec"]["replicas"] = replicas
    for labels in (made["spec"]["selector"]["matchLabels"],
                   made["spec"]["template"]["metadata"]["labels"]):
        labels[TRACK] = CANARY
    return made


def check_job(deployment: Manifest, purpose: str, command: Sequence[str],
              seconds: int) -> dict[str, Any]:
    """A job that runs a command in a pod like the Deployment's: image, variables, secrets, limits.

    Args:
        purpose: the end of its name.
        seconds: how long it may run.
    """
    template = copied(deployment)["spec"]["template"]
    name, metadata = deployment["metadata"]["name"], deployment["metadata"]
    template["metadata"] = {"labels": {NAME: f"{name}-{purpose}", COMPONENT: "check"}}
    template["spec"] |= {"restartPolicy": "Never"}
    template["spec"].pop("topologySpreadConstraints", None)
    container = {key: value for key, value in template["spec"]["containers"][0].items()
                 if key not in OF_A_SERVER}
    template["spec"]["containers"] = [{**container, "command": list(command)}]
    return {
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": f"{name}-{purpose}", "namespace": metadata["namespace"],
                     "labels": dict(metadata.get("labels", {}))},
        "spec": {"backoffLimit": 0, "activeDeadlineSeconds": seconds,
                 "ttlSecondsAfterFinished": KEPT_SECONDS, "template": template}}
