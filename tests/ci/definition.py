"""azure-pipelines.yml as the service takes it: stages, jobs and steps, templates put in place."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Step = dict[str, Any]
PARAMETER = re.compile(r"\$\{\{ parameters\.(\w+) \}\}")
ON = True  # YAML 1.1, which PyYAML reads, takes the key `on` for a truth value


@dataclass(frozen=True)
class Job:
    """A job; one that deploys has an environment, and steps for the case that the others fail."""

    name: str
    title: str
    needs: str | None
    condition: str
    steps: tuple[Step, ...]
    on_failure: tuple[Step, ...] = ()
    environment: str | None = None


@dataclass(frozen=True)
class Stage:
    """A stage; without `dependsOn` it needs the one before."""

    name: str
    title: str
    needs: str | None
    condition: str
    variables: Mapping[str, str]
    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Pipeline:
    """The whole file."""

    variables: Mapping[str, str]
    stages: tuple[Stage, ...]

    @classmethod
    def read(cls, root: Path) -> Pipeline:
        found = yaml.safe_load((root / "azure-pipelines.yml").read_text(encoding="utf-8"))
        stages: list[Stage] = []
        for stage in found["stages"]:
            before = stages[-1].name if stages else None
            stages.append(Stage(
                stage["stage"], stage["displayName"], stage.get("dependsOn", before),
                stage.get("condition", "succeeded()"), stage.get("variables", {}),
                tuple(_job(job, root) for job in stage["jobs"])))
        return cls(found["variables"], tuple(stages))


def _job(job: dict[str, Any], root: Path) -> Job:
    once = job["strategy"]["runOnce"] if "deployment" in job else {"deploy": job}
    return Job(
        job.get("job") or job["deployment"], job["displayName"], job.get("dependsOn"),
        job.get("condition", "succeeded()"), tuple(steps_of(once["deploy"]["steps"], root)),
        tuple(steps_of(once[ON]["failure"]["steps"], root)) if ON in once else (),
        job.get("environment"))


def steps_of(listed: list[Step], root: Path) -> Iterator[Step]:
    """The steps, and for each template those that are in it."""
    for step in listed:
        if "template" in step:
            yield from _from_template(root / step["template"], step.get("parameters", {}))
        else:
            yield step


def _from_template(file: Path, given: Mapping[str, str]) -> list[Step]:
    """The steps of a template; it must get exactly the parameters that it declares."""
    template = yaml.safe_load(file.read_text(encoding="utf-8"))
    declared = {parameter["name"] for parameter in template.get("parameters", [])}
    assert set(given) == declared, f"{file.name} declares {declared}, is given {set(given)}"
    return [_filled(step, given) for step in template["steps"]]


def _filled(part: Any, parameters: Mapping[str, str]) -> Any:
    """A part of a template with its parameters replaced in all of its texts."""
    if isinstance(part, dict):
        return {key: _filled(value, parameters) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, parameters) for value in part]
    if isinstance(part, str):
        return PARAMETER.sub(lambda found: parameters[found[1]], part)
    return part


def holds(condition: str, variables: Mapping[str, str], succeeded: bool) -> bool:
    """Whether a condition holds, given whether its dependencies succeeded."""
    def equal(one: str, other: str) -> bool:
        return one.lower() == other.lower()

    meaning = {"all_of": lambda *parts: all(parts), "eq": equal,
               "ne": lambda one, other: not equal(one, other),
               "succeeded": lambda: succeeded, "succeededOrFailed": lambda: True,
               "variables": defaultdict(str, variables)}
    return bool(eval(condition.replace("and(", "all_of("), {"__builtins__": {}}, meaning))
