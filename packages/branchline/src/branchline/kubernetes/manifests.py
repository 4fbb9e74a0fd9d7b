"""A service's manifests in a cluster: rendered by kustomize, with the image by digest."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from branchline.errors import BadInput
from branchline.kubernetes.kubectl import kustomize

__all__ = ["Manifest", "Objects", "containers", "copied", "deployments", "named", "rendered"]

Manifest = Mapping[str, Any]
Objects = Mapping[str, Manifest]  # by kind and name, such as deployment/fraud-scoring-service


def rendered(folder: Path, cluster: str, service: str, image: str) -> dict[str, dict[str, Any]]:
    """The objects of the overlay of a cluster.

    Args:
        folder: the service's, with kubernetes/overlays/CLUSTER.
        image: REPOSITORY@sha256:DIGEST; it takes the place of the image with the service's name.

    Raises:
        BadInput: the overlay is missing or cannot be used.
    """
    overlay = folder / "kubernetes" / "overlays" / cluster
    objects = [each for each in yaml.safe_load_all(kustomize(overlay)) if each]
    placed = 0
    for each in objects:
        if not each["metadata"].get("namespace"):
            raise BadInput(f"{overlay}: {named(each)} has no namespace; expected `namespace:` in "
                           "kustomization.yaml.")
        for container in containers(each):
            if container.get("image") == service:
                container["image"] = image
                placed += 1
    found = {named(each): each for each in objects}
    if f"deployment/{service}" not in found or not placed:
        raise BadInput(f"{overlay}: has no Deployment {service} with the image {service}; "
                       "expected one, as in deploy/fraud-scoring-service.")
    return found


def named(manifest: Manifest) -> str:
    """An object's kind and name."""
    return f"{manifest['kind'].lower()}/{manifest['metadata']['name']}"


def deployments(objects: Objects) -> list[Manifest]:
    return [each for each in objects.values() if each["kind"] == "Deployment"]


def containers(manifest: Manifest) -> list[dict[str, Any]]:
    """The containers of an object's pods, initialising ones too; none if it has no pods."""
    spec = (manifest.get("spec") or {}).get("template", {}).get("spec", {})
    return [*spec.get("initContainers", ()), *spec.get("containers", ())]


def copied(manifest: Manifest) -> dict[str, Any]:
    """A manifest that may be changed."""
    return copy.deepcopy(dict(manifest))
