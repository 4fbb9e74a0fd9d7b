"""Why pods are not ready, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from branchline.text import one_line

__all__ = ["complaint"]


def complaint(pods: Iterable[Mapping[str, Any]]) -> str:
    """The first reason that a pod's status gives."""
    listed = list(pods)
    listed = [pod for pod in listed if not _is_ready(pod)] or listed
    if not listed:
        return "there is no pod; see `kubectl describe` of it: quota, admission or the namespace."
    for pod in listed:
        for reason in _reasons(pod.get("status", {})):
            return f"pod {pod['metadata']['name']}: {one_line(reason)}"
    return f"pod {listed[0]['metadata']['name']}: runs, but its probes fail; see `kubectl logs`."


def _is_ready(pod: Mapping[str, Any]) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True"
               for each in pod.get("status", {}).get("conditions", ()))


def _reasons(status: Mapping[str, Any]) -> Iterable[str]:
    for container in status.get("containerStatuses", ()):
        state = {**container.get("lastState", {}), **container.get("state", {})}
        for kind in ("waiting", "terminated"):
            if found := state.get(kind):
                said = found.get("message") or (f"exit code {found['exitCode']}"
                                                if "exitCode" in found else "")
                yield f"{found.get('reason', kind)}{f': {said}' if said else ''}"
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield f"{condition.get('reason', '')}: {condition.get('message', '')}"
