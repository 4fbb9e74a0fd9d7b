"""deploy.yml: the project's jobs and services in production, and what differs by target."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from branchline.config.retraining_file import read_retraining
from branchline.config.service_file import Service, read_service
from branchline.config.yaml_file import YamlMapping, read_yaml
from branchline.monitoring.retraining import Retraining

__all__ = ["DeployFile", "Job", "Schedule", "Where", "read_deploy_file"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
CONTEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
APPLICATION = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Schedule:
    """When a job starts: Quartz's cron expression, seconds first, in a time zone."""

    quartz: str
    timezone: str = "UTC"


@dataclass(frozen=True)
class Job:
    """A scheduled run of the project; `check` marks those that `deploy.py check` starts.

    A `continuous` job always runs: whenever a run ends or fails, the next one is started.
    """

    name: str
    entry_point: str = "main"
    parameters: Mapping[str, str] = field(default_factory=dict)
    schedule: Schedule | None = None
    check: bool = False
    continuous: bool = False


@dataclass(frozen=True)
class Where:
    """A target's own settings.

    `releases` is the target whose releases it takes (None: its own), `parameters` are those of all
    jobs, `run_as` is the service principal (its application id) that the jobs run as. Services
    are deployed to `clusters`, contexts of kubectl, and checked in each before the next one.
    """

    releases: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    run_as: str | None = None
    clusters: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeployFile:
    """A project's deploy.yml."""

    jobs: tuple[Job, ...]
    targets: Mapping[str, Where] = field(default_factory=dict)
    services: tuple[Service, ...] = ()
    retraining: Retraining | None = None

    def taker_of(self, releasing: str) -> str:
        """The target that the releases of `releasing` are deployed to; itself if no other is."""
        return next((name for name, each in self.targets.items() if each.releases == releasing),
                    releasing)

    def where(self, target: str) -> Where:
        """The settings of a target; most targets have none."""
        return self.targets.get(target, Where())

    @property
    def checked(self) -> tuple[str, ...]:
        """The jobs that check a deployment: those marked, else all but the continuous ones."""
        return tuple(job.name for job in self.jobs if job.check) or tuple(
            job.name for job in self.jobs if not job.continuous)


def read_deploy_file(path: Path) -> DeployFile:
    """The content of deploy.yml.

    Raises:
        BadInput: a missing, unknown or invalid key; the text has its line.
    """
    mapping = read_yaml(path)
    mapping.check_keys("the file", DeployFile, without="")
    jobs, targets, services = map(mapping.below, ("jobs", "targets", "services"))
    if not jobs.values:
        raise mapping.wrong("jobs is empty; expected at least one job.", "jobs")
    return DeployFile(
        tuple(_job(name, jobs) for name in jobs.values),
        {name: _where(name, targets.below(name)) for name in targets.values},
        tuple(read_service(name, services) for name in services.values),
        read_retraining(mapping.below("retraining")) if "retraining" in mapping.values else None)


def _job(name: str, jobs: YamlMapping) -> Job:
    if not NAME.fullmatch(name):
        raise jobs.wrong(f"job {name!r}: expected a name of letters, digits, - and _.", name)
    mapping = jobs.below(name)
    mapping.check_keys(f"job {name}", Job)
    check, continuous = _flag(mapping, "check"), _flag(mapping, "continuous")
    if continuous and (check or "schedule" in mapping.values):
        key = "check" if check else "schedule"
        raise mapping.wrong(f"job {name} has {key} and is continuous: it always runs; expected "
                            "one of them.", key)
    point = mapping.text("entry_point") if "entry_point" in mapping.values else "main"
    schedule = _schedule(mapping.below("schedule")) if "schedule" in mapping.values else None
    return Job(name, point, mapping.texts("parameters"), schedule, check, continuous)


def _flag(mapping: YamlMapping, key: str) -> bool:
    found = mapping.values.get(key, False)
    if not isinstance(found, bool):
        raise mapping.unfit(key, "true or false")
    return found


def _schedule(mapping: YamlMapping) -> Schedule:
    mapping.check_keys("schedule", Schedule, without="")
    quartz = mapping.text("quartz")
    zone = mapping.text("timezone") if "timezone" in mapping.values else "UTC"
    fields = quartz.split()
    if len(fields) not in (6, 7) or (fields[3] == "?") == (fields[5] == "?"):
        raise mapping.unfit("quartz", "seconds, minutes, hours, day of month, month, day of week, "
                            "with ? for one of the days, as in 0 0 5 * * ?")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise mapping.unfit("timezone", "a name such as UTC or Europe/Berlin") from None
    return Schedule(quartz, zone)


def _where(name: str, mapping: YamlMapping) -> Where:
    mapping.check_keys(f"target {name}", Where, without="")
    run_as = mapping.text("run_as") if "run_as" in mapping.values else None
    if run_as and not APPLICATION.fullmatch(run_as):
        raise mapping.unfit("run_as", "a service principal's application id")
    releases = mapping.text("releases") if "releases" in mapping.values else None
    return Where(releases, mapping.texts("parameters"), run_as, _clusters(mapping))


def _clusters(mapping: YamlMapping) -> tuple[str, ...]:
    listed = mapping.values.get("clusters", [])
    if not isinstance(listed, list) or len(set(map(str, listed))) < len(listed) or not all(
            isinstance(each, str) and CONTEXT.fullmatch(each) for each in listed):
        raise mapping.unfit("clusters", "a list of contexts, as in [staging, production]")
    return tuple(listed)
