"""The manifests of services that a release would make, and those that are in the clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from branchline.config.service_file import Service
from branchline.deploy.deployment import State
from branchline.deploy.production import Production
from branchline.deploy.release import Release
from branchline.errors import BadInput
from branchline.kubernetes.cluster import Cluster
from branchline.kubernetes.kubectl import Kubectl
from branchline.kubernetes.manifests import rendered
from branchline.wheels.artifacts import IMAGE

__all__ = ["actual_manifests", "manifests", "planned_services"]


def planned_services(production: Production,
                     release: Release) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """The manifests by cluster, service, and kind and name; the checkout's, with the images of
    the release.

    Raises:
        BadInput: a service has no image in the release, or an overlay cannot be used.
    """
    return {cluster: {each.name: rendered(production.root / "deploy" / each.name, cluster,
                                          each.name, _image(release, each))
                      for each in production.file.services}
            for cluster in production.clusters if production.file.services}


def manifests(state: State) -> dict[str, Mapping[str, Any]]:
    """All manifests of a state, by cluster, kind and name."""
    return {f"{cluster} {key}": each for cluster, services in state.services.items()
            for objects in services.values() for key, each in objects.items()}


def actual_manifests(state: State) -> dict[str, Mapping[str, Any] | None]:
    """The same objects as they are in the clusters; None for those that are not there."""
    return {f"{cluster} {key}": each for cluster, services in state.services.items()
            for objects in services.values()
            for key, each in Cluster(Kubectl(cluster)).actual(objects).items()}


def _image(release: Release, service: Service) -> str:
    found = next((each for each in release.artifacts
                  if (each.kind, each.name) == (IMAGE, service.name)), None)
    if found is None:
        raise BadInput(f"release {release.version}: has no image of {service.name}; build it with "
                       "image.py --push, and pass it to publish.py --images.")
    return found.reference
