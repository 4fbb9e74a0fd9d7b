"""deploy.yml: what of a project runs in production, and what differs between the targets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from branchline.config.yaml_file import YamlMapping, read_yaml

__all__ = ["DeployFile", "Job", "Schedule", "Where", "read_deploy_file"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
APPLICATION = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Schedule:
    """When a job starts: Quartz's cron expression, seconds first, in a time zone."""

    quartz: str
    timezone: str = "UTC"


@dataclass(frozen=True)
class Job:
    """A scheduled run of the project; `check` marks those that `deploy.py check` starts."""

    name: str
    entry_point: str = "main"
    parameters: Mapping[str, str] = field(default_factory=dict)
    schedule: Schedule | None = None
    check: bool = False


@dataclass(frozen=True)
class Where:
    """What a target has of its own: the target whose releases it takes (None: its own), parameters
    of all jobs, and the service principal (its application id) that they run as."""

    releases: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    run_as: str | None = None


@dataclass(frozen=True)
class DeployFile:
    """All of a project's deploy.yml."""

    jobs: tuple[Job, ...]
    targets: Mapping[str, Where] = field(default_factory=dict)

    def where(self, target: str) -> Where:
        """What is said of a target; nothing is said of most."""
        return self.targets.get(target, Where())

    @property
    def checked(self) -> tuple[str, ...]:
        """The jobs whose run shows that a deployment works: those marked, else all."""
        return tuple(job.name for job in self.jobs if job.check) or tuple(
            job.name for job in self.jobs)


def read_deploy_file(path: Path) -> DeployFile:
    """The content of deploy.yml.

    Raises:
        BadInput: a missing, unknown or unfit key; the text has its line.
    """
    entry = read_yaml(path)
    entry.check_keys("the file", DeployFile, without="")
    jobs, targets = entry.below("jobs"), entry.below("targets")
    if not jobs.values:
        raise entry.wrong("jobs is empty; expected at least one job.", "jobs")
    return DeployFile(
        tuple(_job(name, jobs) for name in jobs.values),
        {name: _where(name, targets.below(name)) for name in targets.values})


def _job(name: str, jobs: YamlMapping) -> Job:
    if not NAME.fullmatch(name):
        raise jobs.wrong(f"job {name!r}: expected a name of letters, digits, - and _.", name)
    entry = jobs.below(name)
    entry.check_keys(f"job {name}", Job)
    check = entry.values.get("check", False)
    if not isinstance(check, bool):
        raise entry.unfit("check", "true or false")
    point = entry.text("entry_point") if "entry_point" in entry.values else "main"
    schedule = _schedule(entry.below("schedule")) if "schedule" in entry.values else None
    return Job(name, point, entry.texts("parameters"), schedule, check)


def _schedule(entry: YamlMapping) -> Schedule:
    entry.check_keys("schedule", Schedule, without="")
    quartz = entry.text("quartz")
    zone = entry.text("timezone") if "timezone" in entry.values else "UTC"
    fields = quartz.split()
    if len(fields) not in (6, 7) or (fields[3] == "?") == (fields[5] == "?"):
        raise entry.unfit("quartz", "seconds, minutes, hours, day of month, month, day of week, "
                          "with ? for one of the days, as in 0 0 5 * * ?")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise entry.unfit("timezone", "a name such as UTC or Europe/Berlin") from None
    return Schedule(quartz, zone)


def _where(name: str, entry: YamlMapping) -> Where:
    entry.check_keys(f"target {name}", Where, without="")
    run_as = entry.text("run_as") if "run_as" in entry.values else None
    if run_as and not APPLICATION.fullmatch(run_as):
        raise entry.unfit("run_as", "a service principal's application id")
    releases = entry.text("releases") if "releases" in entry.values else None
    return Where(releases, entry.texts("parameters"), run_as)
