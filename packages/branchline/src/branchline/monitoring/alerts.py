"""Alerts by policy: opened when a condition holds, told once, closed when it no longer does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from branchline.monitoring.conditions import Condition, Finding, Series
from branchline.monitoring.measures import Measure
from branchline.records import Format

__all__ = ["FORMAT", "RECEIVERS", "SEVERITIES", "Alert", "AlertRule", "Monitors", "told",
           "untold", "update"]

FORMAT = Format("alerts", 1)
SEVERITIES = ("info", "warning", "critical")
RECEIVERS = ("log", "webhook", "exit_code", "retraining")
TOLD = RECEIVERS[:2]  # the others look at what is open


@dataclass(frozen=True)
class AlertRule:
    """A condition with whom to tell; `runbook` is what to do, in one line."""

    name: str
    condition: Condition
    severity: str
    to: tuple[str, ...]
    runbook: str


@dataclass(frozen=True)
class Monitors:
    """A project's monitors.yml.

    `measures` is the project that measures, `webhook` the environment variable with the URL.
    """

    rules: tuple[AlertRule, ...]
    measures: str
    webhook: str = ""


@dataclass(frozen=True)
class Alert:
    """A rule's condition that holds for one series, or that did until now (`closed`).

    `since` is the end of the window in which it was opened, in ISO 8601; `told` are the receivers
    that know, as `webhook/open` and `webhook/closed`.
    """

    rule: str
    model_version: str
    slice: str
    subject: str
    since: str
    severity: str
    to: tuple[str, ...]
    line: str
    runbook: str
    status: str = "open"
    told: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The same for all notices about it, so that a receiver can tell repeats."""
        key = "\n".join((self.rule, self.model_version, self.slice, self.subject, self.since))
        return sha256(key.encode()).hexdigest()[:16]

    def as_record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_record(cls, content: Mapping[str, Any]) -> Alert:
        return cls(**{**content, "to": tuple(content["to"]), "told": tuple(content["told"])})


def update(monitors: Monitors, measures: Iterable[Measure],
           before: Iterable[Alert]) -> tuple[Alert, ...]:
    """The alerts that are open now, and those closed since that somebody has yet to be told of.

    Where the newest window says nothing, or the measure was never taken, an alert stays as it was.
    """
    listed = list(measures)
    known = {(each.rule, _series(each)): each for each in before if each.status == "open"}
    rest = [each for each in before if each.status == "closed" and untold(each)]
    found = [alert for rule in monitors.rules for alert in _of_rule(rule, listed, known)]
    names = {rule.name for rule in monitors.rules}
    gone = [_closed(each, "the rule is no longer in monitors.yml")
            for each in known.values() if each.rule not in names]
    return (*rest, *found, *gone)


def untold(alert: Alert) -> tuple[str, ...]:
    """The receivers that do not know its status yet."""
    return tuple(name for name in TOLD if name in alert.to
                 and f"{name}/{alert.status}" not in alert.told
                 and (alert.status == "open" or f"{name}/open" in alert.told))


def told(alert: Alert, receivers: Sequence[str]) -> Alert:
    """The alert after these receivers were told its status."""
    return replace(alert, told=(*alert.told, *(f"{name}/{alert.status}" for name in receivers)))


def _of_rule(rule: AlertRule, measures: list[Measure],
             known: Mapping[tuple[str, Series], Alert]) -> Iterable[Alert]:
    findings = rule.condition.findings(measures)
    mine = {series: alert for (name, series), alert in known.items() if name == rule.name}
    for series, finding in findings.items():
        before = mine.pop(series, None)
        if finding.holds:
            yield _open(rule, series, finding, before)
        elif before:
            yield before if finding.holds is None else _closed(before, finding.line)
    for alert in mine.values():
        yield _closed(alert, "it is no longer measured") if findings else alert


def _open(rule: AlertRule, series: Series, finding: Finding, before: Alert | None) -> Alert:
    since = before.since if before else finding.newest.window_end.isoformat()
    return Alert(rule.name, *series, since, rule.severity, rule.to, finding.line, rule.runbook,
                 told=before.told if before else ())


def _closed(alert: Alert, why: str) -> Alert:
    return replace(alert, status="closed", line=why)


def _series(alert: Alert) -> Series:
    return Series(alert.model_version, alert.slice, alert.subject)
