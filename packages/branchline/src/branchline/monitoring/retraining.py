"""Decides whether to train again, with the reasons for and against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from branchline.monitoring.alerts import Alert
from branchline.monitoring.conditions import Condition
from branchline.monitoring.measures import Measure

__all__ = ["ACTIONS", "Decision", "Known", "Retraining", "decide"]

ACTIONS = ("compare", "release")
LONGEST_RUN = timedelta(days=1)


@dataclass(frozen=True)
class Retraining:
    """A policy.

    Any reason is enough: a condition of `when`, the days since the last training or since the
    champion was trained, or, with `alerts`, an open alert that goes to retraining. `measures` is
    the project that measures, `parameters` are those of the training.
    """

    when: Mapping[str, Condition] = field(default_factory=dict)
    every_days: int | None = None
    model_age_days: int | None = None
    alerts: bool = False
    action: str = ACTIONS[0]
    measures: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    at_most_once_in_days: int = field(kw_only=True)


@dataclass(frozen=True)
class Known:
    """What a decision is based on; times are in UTC.

    `last_training` is when the policy last started one, `failed` whether that ended without a
    verdict of the gate, `running` whether it has not ended yet. `champion_trained` is None without
    a champion.
    """

    now: datetime
    measures: tuple[Measure, ...] = ()
    alerts: tuple[Alert, ...] = ()
    last_training: datetime | None = None
    failed: bool = False
    running: bool = False
    champion_trained: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """`reasons` are for training, `against` are what forbids it although there are reasons."""

    reasons: tuple[str, ...]
    against: tuple[str, ...]

    @property
    def train(self) -> bool:
        return bool(self.reasons) and not self.against


def decide(policy: Retraining, known: Known) -> Decision:
    """Whether to train now. Windows that began before the last training are no evidence for
    another one, unless that one failed."""
    reasons = (*_by_time(policy, known), *_by_measures(policy, known), *_by_alerts(policy, known))
    return Decision(reasons, tuple(_against(policy, known)) if reasons else ())


def _by_time(policy: Retraining, known: Known) -> Iterable[str]:
    if policy.every_days is not None:
        if known.last_training is None:
            yield f"schedule: every {policy.every_days} days, and never trained by policy before"
        elif (days := (known.now - known.last_training).days) >= policy.every_days:
            yield f"schedule: {days} days since the last training, every {policy.every_days}"
    if policy.model_age_days is not None and known.champion_trained:
        age = (known.now - known.champion_trained).days
        if age > policy.model_age_days:
            yield f"age: the champion was trained {age} days ago, at most {policy.model_age_days}"


def _by_measures(policy: Retraining, known: Known) -> Iterable[str]:
    since = None if known.failed else known.last_training
    evidence = [each for each in known.measures if since is None or each.window_start >= since]
    for name, condition in policy.when.items():
        for finding in condition.findings(evidence).values():
            if finding.holds:
                yield f"{name}: {finding.line}"


def _by_alerts(policy: Retraining, known: Known) -> Iterable[str]:
    since = None if known.failed else known.last_training
    for alert in known.alerts if policy.alerts else ():
        is_new = since is None or datetime.fromisoformat(alert.since) > since
        if alert.status == "open" and "retraining" in alert.to and is_new:
            yield f"alert {alert.rule}: {alert.line}"


def _against(policy: Retraining, known: Known) -> Iterable[str]:
    if known.last_training is None:
        return
    passed = known.now - known.last_training
    if known.running and passed < LONGEST_RUN:
        yield f"a training that began at {known.last_training:%Y-%m-%d %H:%M} has not ended"
    elif not (known.failed or known.running) and passed < timedelta(
            days=policy.at_most_once_in_days):
        yield (f"the last training was {passed.days} days ago, at most once in "
               f"{policy.at_most_once_in_days}")
