from __future__ import annotations

from typing import Any

import pytest

from branchline.kubernetes.pods import complaint

READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def pod(name: str, status: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": status}


@pytest.mark.parametrize(("status", "said"), [
    ({"containerStatuses": [{"state": {"waiting": {
        "reason": "ImagePullBackOff", "message": "Back-off pulling\nimage"}}}]},
     "pod new: ImagePullBackOff: Back-off pulling image"),
    ({"containerStatuses": [{"state": {"running": {}}, "lastState": {"terminated": {
        "reason": "OOMKilled", "exitCode": 137}}}]}, "pod new: OOMKilled: exit code 137"),
    ({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                      "message": "0/3 nodes: Insufficient cpu"}]},
     "pod new: Unschedulable: 0/3 nodes: Insufficient cpu"),
    ({"containerStatuses": [{"state": {"running": {}}}]},
     "pod new: runs, but its probes fail; see `kubectl logs`.")])
def test_the_reason_is_that_of_the_pod_that_is_not_ready(
        status: dict[str, Any], said: str) -> None:
    assert complaint([pod("old", READY), pod("new", status)]) == said


def test_without_any_pod_the_reason_is_elsewhere() -> None:
    assert complaint([]).startswith("there is no pod; see `kubectl describe`")
