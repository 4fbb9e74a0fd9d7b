"""Services in clusters: deployed and checked in each cluster before the next, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from branchline.config.service_file import Service
from branchline.deploy.deployment import Deployment, State
from branchline.deploy.production import Production
from branchline.deploy.trial import try_out
from branchline.kubernetes.cluster import Cluster
from branchline.kubernetes.derived import canary_of, check_job
from branchline.kubernetes.kubectl import Kubectl
from branchline.kubernetes.manifests import Manifest, Objects, deployments, named

__all__ = ["Services", "check_services"]

CHECK_SECONDS = 180
Say = Callable[[str], None]


@dataclass(frozen=True)
class Services:
    """The services of a deployment; `before` are the deployments that it takes the place of."""

    production: Production
    deployment: Deployment
    before: list[Deployment]
    say: Say

    def rehearse(self) -> None:
        """Deploy to each cluster but the last, and check there; a rollback has been there before.

        Raises:
            RunFailed: pods are not ready, or a check failed.
        """
        if self.deployment.restores is None:
            for name in self._clusters[:-1]:
                self._put(name)
                _check(self.production, name, self.deployment.state, self.say)

    def release(self) -> None:
        """Deploy to the last cluster, with a canary if the service has one; a rollback: to all.

        Raises:
            RunFailed: pods are not ready.
            GateRefused: the canary was withdrawn.
        """
        if self.deployment.restores is not None:
            for name in reversed(self._clusters):
                self._put(name)
        elif self._clusters:
            self._try_out(self._clusters[-1])
            self._put(self._clusters[-1])

    def repeat(self) -> None:
        """Put in place what is deployed already, after somebody else was late to write."""
        for name in self._clusters:
            wanted = _objects(self.deployment.state, name)
            Cluster(Kubectl(name)).apply(wanted)
            self._remove_others(name, wanted)

    def _try_out(self, name: str) -> None:
        cluster = Cluster(Kubectl(name))
        for service in self.production.file.services:
            objects = self.deployment.state.services.get(name, {}).get(service.name)
            if objects and service.canary:
                self._require_newest()
                try_out(cluster, self.production.journal, self.deployment, service, objects,
                        self.say)

    def _put(self, name: str) -> None:
        self._require_newest()
        cluster, wanted = Cluster(Kubectl(name)), _objects(self.deployment.state, name)
        cluster.apply(wanted)
        for each in deployments(wanted):
            cluster.wait_for(each)
            self.say(f"cluster {name}  {named(each)}  {_images(each)}")
        self._remove_others(name, wanted)

    def _remove_others(self, name: str, wanted: Objects) -> None:
        left = {key: each for key, each in self._former(name).items() if key not in wanted}
        Cluster(Kubectl(name)).remove(left)
        for key in left:
            self.say(f"cluster {name}  {key}  removed")

    def _former(self, name: str) -> dict[str, Manifest]:
        """What earlier deployments put there, and the canaries of all."""
        states = [each.state for each in self.before]
        found = {key: each for state in states for key, each in _objects(state, name).items()}
        canaries = [canary_of(each, 1) for each in deployments(
            {**found, **_objects(self.deployment.state, name)}) if _has_tracks(each)]
        there = Cluster(Kubectl(name)).actual({named(each): each for each in canaries})
        return {**found, **{named(each): each for each in canaries if there[named(each)]}}

    def _require_newest(self) -> None:
        self.production.journal.require_newest(self.deployment)

    @property
    def _clusters(self) -> list[str]:
        """In order; those that deploy.yml no longer names come first."""
        states = [self.deployment.state, *(each.state for each in self.before)]
        known = self.production.clusters
        others = {name for state in states for name in state.services} - set(known)
        return [*sorted(others), *(known if any(state.services for state in states) else ())]


def check_services(production: Production, state: State, say: Say) -> None:
    """Check the deployed services in the last cluster.

    Raises:
        RunFailed: a check failed.
    """
    for name in [each for each in production.clusters if each in state.services][-1:]:
        _check(production, name, state, say)


def _check(production: Production, name: str, state: State, say: Say) -> None:
    cluster = Cluster(Kubectl(name))
    for service in production.file.services:
        objects = state.services.get(name, {}).get(service.name)
        if objects:
            said = cluster.run(_smoke(service, objects))
            say(f"cluster {name}  {service.name} works: {'; '.join(said.strip().splitlines())}")


def _smoke(service: Service, objects: Objects) -> dict[str, Any]:
    """The job that asks the service as a client in the cluster does."""
    place = objects[f"service/{service.name}"]
    address = (f"http://{service.name}.{place['metadata']['namespace']}.svc:"
               f"{place['spec']['ports'][0]['port']}")
    return check_job(objects[f"deployment/{service.name}"], "smoke", [
        "python3", "-m", "branchline.serving.smoke", address, "--latency-ms",
        f"{service.latency_ms:g}"], CHECK_SECONDS)


def _objects(state: State, cluster: str) -> dict[str, Mapping[str, Any]]:
    return {key: each for objects in state.services.get(cluster, {}).values()
            for key, each in objects.items()}


def _has_tracks(deployment: Manifest) -> bool:
    return "track" in deployment["spec"]["selector"]["matchLabels"]


def _images(deployment: Manifest) -> str:
    found: Iterable[dict[str, Any]] = deployment["spec"]["template"]["spec"]["containers"]
    return ", ".join(str(each["image"]) for each in found)
