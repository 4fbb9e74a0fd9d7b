"""A cluster: puts objects in place, follows roll-outs and jobs, by kubectl."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from branchline.errors import BadInput, RunFailed
from branchline.kubernetes.kubectl import Kubectl
from branchline.kubernetes.manifests import Manifest, Objects, named
from branchline.kubernetes.pods import complaint

__all__ = ["Cluster"]

POLL_SECONDS = 1.0
MANAGER = "branchline"
GRACE_SECONDS = 60  # beyond the deadline that the cluster itself keeps


@dataclass(frozen=True)
class Cluster:
    """The cluster of a kubectl context, which is also the name of the overlay for it.

    Every operation raises NotAllowed, Unreachable or BadInput where the cluster refuses it.
    """

    kubectl: Kubectl

    @property
    def name(self) -> str:
        return self.kubectl.context

    def apply(self, objects: Objects) -> None:
        """Create the objects, or change them to what is given."""
        if objects:
            self.kubectl.run("apply", "--server-side", "--force-conflicts", "--field-manager",
                             MANAGER, "-f", "-", given=_listed(objects))

    def actual(self, objects: Objects) -> dict[str, Mapping[str, Any] | None]:
        """The objects as they are in the cluster; None for those that are not there."""
        if not objects:
            return {}
        said = self.kubectl.run("get", "--ignore-not-found", "-o", "json", "-f", "-",
                                given=_listed(objects))
        found = json.loads(said) if said.strip() else {"items": []}
        items = found["items"] if "items" in found else [found]
        return {**dict.fromkeys(objects), **{named(each): each for each in items}}

    def remove(self, objects: Objects) -> None:
        """Remove the objects that are there, with what belongs to them."""
        if objects:
            self.kubectl.run("delete", "--ignore-not-found", "--wait=false", "-f", "-",
                             given=_listed(objects))

    def wait_for(self, deployment: Manifest) -> None:
        """Wait until all pods of the Deployment are those of its present version, and ready.

        Raises:
            RunFailed: they are not within its progressDeadlineSeconds; the text says why.
        """
        end = time.monotonic() + self._deadline(deployment) + GRACE_SECONDS
        while True:
            found = self._one(deployment)
            if _rolled_out(found):
                return
            if _gave_up(found) or time.monotonic() > end:
                raise RunFailed(f"cluster {self.name}: {named(deployment)}: its new pods are not "
                                f"ready: {complaint(self.pods(deployment))}")
            time.sleep(POLL_SECONDS)

    def run(self, job: Manifest) -> str:
        """Run a job to its end, instead of an earlier one of its name; what it printed.

        Raises:
            RunFailed: it failed; the text has its last line.
        """
        self.kubectl.run("delete", "--ignore-not-found", "--cascade=foreground", "-f", "-",
                         given=_listed({named(job): job}))  # with its pods, which have logs
        self.apply({named(job): job})
        end = time.monotonic() + job["spec"]["activeDeadlineSeconds"] + GRACE_SECONDS
        while not (status := self._one(job).get("status", {})).get("succeeded"):
            if status.get("failed") or time.monotonic() > end:
                raise RunFailed(f"cluster {self.name}: {self._why(job)}")
            time.sleep(POLL_SECONDS)
        return self._log(job)

    def pods(self, owner: Manifest) -> list[Mapping[str, Any]]:
        """The pods of a Deployment or a job that are not being stopped."""
        labels = owner["spec"].get("selector", {}).get("matchLabels") or {
            "job-name": owner["metadata"]["name"]}
        chosen = ",".join(f"{key}={value}" for key, value in labels.items())
        said = self.kubectl.run("get", "pods", "-n", owner["metadata"]["namespace"], "-l", chosen,
                                "-o", "json")
        return [pod for pod in json.loads(said)["items"]
                if "deletionTimestamp" not in pod["metadata"]]

    def _one(self, manifest: Manifest) -> Mapping[str, Any]:
        found = self.actual({named(manifest): manifest})[named(manifest)]
        if found is None:
            raise BadInput(f"cluster {self.name}: {named(manifest)} was removed meanwhile; run "
                           "the command again.")
        return found

    def _log(self, job: Manifest) -> str:
        names = [pod["metadata"]["name"] for pod in self.pods(job)]
        return self.kubectl.run("logs", names[0], "-n", job["metadata"]["namespace"]
                                ) if names else ""

    def _why(self, job: Manifest) -> str:
        pods = self.pods(job)
        if not any(pod.get("status", {}).get("phase") == "Failed" for pod in pods):
            return f"{named(job)}: {complaint(pods)}"
        lines = self._log(job).strip().splitlines()
        return lines[-1] if lines else f"{named(job)}: failed without a word."

    @staticmethod
    def _deadline(deployment: Manifest) -> int:
        return int(deployment["spec"].get("progressDeadlineSeconds", 600))


def _listed(objects: Objects) -> str:
    return "\n---\n".join(json.dumps(each) for each in objects.values())


def _rolled_out(deployment: Mapping[str, Any]) -> bool:
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    return seen and counts == [wanted] * 3


def _gave_up(deployment: Mapping[str, Any]) -> bool:
    seen = deployment.get("status", {}).get("observedGeneration", 0) >= deployment[
        "metadata"].get("generation", 0)
    return seen and any(each.get("reason") == "ProgressDeadlineExceeded"
                        for each in deployment.get("status", {}).get("conditions", ()))
