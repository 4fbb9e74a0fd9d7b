"""The `services` of deploy.yml: what runs on Kubernetes, and how a new version is tried there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from branchline.config.yaml_file import YamlMapping
from branchline.config.yaml_values import is_number

__all__ = ["Canary", "Service", "read_service"]

NAME = re.compile(r"[a-z]([a-z0-9-]{0,50}[a-z0-9])?")
REPOSITORY = re.compile(r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+")


@dataclass(frozen=True)
class Canary:
    """How a new version is tried in the last cluster before it replaces the present one.

    Args:
        weight: the percentage of the pods, and so of the requests, that it gets.
        minutes: how long it is watched.
        requests: the fewest requests that it must have answered by then.
        errors: by how much its share of answers 5xx may be above the present version's.
        slower: how many times the present version's 95th percentile its own may be.
        score_shift: the largest distance between both distributions of scores, 0 to 1
            (Kolmogorov-Smirnov).
        alerts: by how much its share of alerts may differ from the present version's.
    """

    weight: float = 10
    minutes: float = 10
    requests: float = 200
    errors: float = 0.005
    slower: float = 1.5
    score_shift: float = 0.1
    alerts: float = 0.05


BOUNDS = {"weight": (1, 50), "minutes": (0.01, 600), "requests": (1, 10**9), "errors": (0, 1),
          "slower": (1, 100), "score_shift": (0, 1), "alerts": (0, 1)}


@dataclass(frozen=True)
class Service:
    """A service; its Dockerfile and manifests are in deploy/NAME.

    `image` is the registry's repository, without a tag. In the smoke check, the 99th percentile of
    its answers must be at most `latency_ms`. Without `canary` a new version replaces the present
    one at once.
    """

    name: str
    image: str
    latency_ms: float = 250
    canary: Canary | None = None


def read_service(name: str, services: YamlMapping) -> Service:
    """The service at a key of `services`.

    Raises:
        BadInput: a missing, unknown or invalid key; the text has its line.
    """
    if not NAME.fullmatch(name):
        raise services.wrong(f"service {name!r}: expected a name of a-z, 0-9 and -.", name)
    mapping = services.below(name)
    mapping.check_keys(f"service {name}", Service)
    image = mapping.text("image")
    if not REPOSITORY.fullmatch(image):
        raise mapping.unfit("image", "a repository without a tag, such as "
                                     "registry.example.com/fraud-scoring-service")
    latency = _number(mapping, "latency_ms", Service.latency_ms, 1, 60_000)
    canary = _canary(mapping.below("canary")) if "canary" in mapping.values else None
    return Service(name, image, latency, canary)


def _canary(mapping: YamlMapping) -> Canary:
    mapping.check_keys("canary", Canary, without="")
    usual = vars(Canary())
    return Canary(**{name: _number(mapping, name, usual[name], *BOUNDS[name]) for name in usual})


def _number(mapping: YamlMapping, key: str, default: float, least: float, most: float) -> float:
    value = mapping.values.get(key, default)
    if not is_number(value) or not least <= value <= most:
        raise mapping.unfit(key, f"a number from {least:g} to {most:g}")
    return value
