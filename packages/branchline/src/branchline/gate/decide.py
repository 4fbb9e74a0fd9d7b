"""Decides: checks a comparison against the policy, with one reason per requirement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from statistics import NormalDist

from branchline.config.gate_policy import MetricRule, Policy, SliceRule, Tolerance
from branchline.gate.comparison import (FEWEST_UNITS, GUARDRAILS, OTHER_LIBRARIES, Comparison,
                                        Measured, Slice)
from branchline.gate.verdict import Interval, Outcome, Reason, Verdict, number

__all__ = ["decide"]

SECONDS_A_DAY = 86_400


def decide(policy: Policy, comparison: Comparison, now: datetime) -> Verdict:
    """The verdict on a comparison, made at `now` (with time zone).

    A candidate fails on clear evidence only: unfit data, a value below a floor, or a value clearly
    worse than tolerated. `policy.level` is divided among all intervals (Bonferroni), so that it
    holds for the whole verdict, not for each line.
    """
    reasons = (*_data(policy, comparison, now), *_models(policy, comparison),
               *_floors(policy, comparison), *_differences(policy, comparison),
               *_guardrails(comparison))
    fatal = {"fail", "undecided"} if policy.undecided == "fail" else {"fail"}
    champion = comparison.champion
    return Verdict(not any(reason.outcome in fatal for reason in reasons),
                   comparison.candidate.uri, champion.uri if champion else None, reasons)


def _data(policy: Policy, comparison: Comparison, now: datetime) -> Iterator[Reason]:
    data, asked = comparison.data, policy.sanity
    if data is None:
        yield Reason("data", "not judged", "the project logs no comparison", "rows and labels")
        return
    yield Reason("rows", _outcome(data.rows >= asked.min_rows), f"{data.rows:,}",
                 f"at least {asked.min_rows:,}")
    rate, (lowest, highest) = data.positives / max(data.rows, 1), asked.label_rate
    yield Reason("label rate", _outcome(lowest <= rate <= highest), f"{rate:.2%}",
                 f"{lowest:.2%} to {highest:.2%}")
    for name, time, within in (("last arrival", data.last_ingest, asked.ingested_within_days),
                               ("last event", data.last_event, asked.event_within_days)):
        if within is not None:
            yield _freshness(name, time, within, now)


def _freshness(name: str, time: datetime | None, within: float, now: datetime) -> Reason:
    wanted = f"at most {within:g} days ago"
    if time is None:
        return Reason(name, "fail", "unknown", wanted)
    age = (now - time).total_seconds() / SECONDS_A_DAY
    return Reason(name, _outcome(age <= within), f"{age:,.1f} days ago", wanted)


def _models(policy: Policy, comparison: Comparison) -> Iterator[Reason]:
    champion = comparison.champion
    if champion is None:
        yield Reason("champion", "not judged", "no champion yet", "floors alone")
    elif champion.problem:
        outcome: Outcome = "fail" if policy.broken_champion == "fail" else "not judged"
        yield Reason("champion", outcome, champion.problem,
                     "one that runs" if outcome == "fail" else "floors alone")
    elif others := comparison.notes.get(OTHER_LIBRARIES):
        yield Reason("champion's libraries", "not judged",
                     f"it was logged with {', '.join(others)}", "the libraries installed here")


def _floors(policy: Policy, comparison: Comparison) -> Iterator[Reason]:
    for rule in policy.metrics:
        if rule.floor is None:
            continue
        value = _measured(comparison, rule).candidate
        higher = rule.direction == "higher"
        wanted = f"at {'least' if higher else 'most'} {number(rule.floor)}"
        if value is None:
            yield Reason(rule.name, "fail", "unknown", wanted)
        else:
            good = value >= rule.floor if higher else value <= rule.floor
            yield Reason(rule.name, _outcome(good), number(value), wanted)


def _differences(policy: Policy, comparison: Comparison) -> Iterator[Reason]:
    """A reason for each metric and slice with a tolerance that the champion has, too."""
    if comparison.champion is None or comparison.champion.problem:
        return
    metrics = [(rule, rule.tolerance, _measured(comparison, rule))
               for rule in policy.metrics if rule.tolerance is not None]
    slices = [(rule, each) for rule in policy.slices for each in comparison.slices
              if each.kind == rule.kind]
    judged = [(rule, each) for rule, each in slices if _large_enough(rule, each)]
    reach = NormalDist().inv_cdf(1 - policy.level / max(len(metrics) + len(judged), 1))
    for rule, tolerance, measured in metrics:
        yield _difference(f"{rule.name} difference", rule, tolerance, measured, reach)
    for of_slice, each in slices:
        name = f"{each.measured.name}, {each.kind} {each.value}"
        if (of_slice, each) in judged:
            yield _difference(name, MetricRule(each.measured.name), of_slice.tolerance,
                              each.measured, reach)
        else:
            yield Reason(name, "not judged", f"{each.rows:,} rows, {each.positives:,} positive",
                         f"at least {of_slice.min_rows:,} and {of_slice.min_positives:,}")
    for absent in sorted({rule.kind for rule in policy.slices} - {rule.kind for rule, _ in slices}):
        yield Reason(f"slices of {absent}", "fail", "none in the comparison", "at least one")


def _guardrails(comparison: Comparison) -> Iterator[Reason]:
    """How often each rule fired on the test rows; a rule with a bound is held to it."""
    for name, (count, rows, bound) in comparison.notes.get(GUARDRAILS, {}).items():
        found = f"{count:,} of {rows:,} rows ({count / max(rows, 1):.2%})"
        if bound is None:
            yield Reason(f"guardrail {name}", "not judged", found, "to be known")
        else:
            yield Reason(f"guardrail {name}", _outcome(count <= bound * rows), found,
                         f"at most {bound:.2%} alerts")


def _large_enough(rule: SliceRule, part: Slice) -> bool:
    return part.rows >= rule.min_rows and part.positives >= rule.min_positives


def _difference(name: str, rule: MetricRule, tolerance: Tolerance, measured: Measured,
                reach: float) -> Reason:
    """Clearly worse than tolerated, clearly not worse, or undecided."""
    if measured.champion is None:  # a new metric: refusing it now would refuse it for good
        return Reason(name, "not judged", "the champion has none", "a value for both")
    if measured.candidate is None:
        return Reason(name, "fail", "unknown", "a value")
    if measured.units is not None and measured.units < FEWEST_UNITS:
        return Reason(name, "not judged", f"{measured.units:.0f} units to compare",
                      f"at least {FEWEST_UNITS}")
    sign = 1 if rule.direction == "higher" else -1
    difference = measured.candidate - measured.champion
    half = _widened(reach, measured.units) * (measured.standard_error or 0.0)
    allowed = tolerance.of(measured.champion)
    gain = sign * difference
    outcome: Outcome = ("fail" if gain + half < -allowed else
                        "pass" if gain - half >= -allowed else "undecided")
    floor = None if rule.floor is None else rule.floor - measured.champion
    interval = Interval(difference, difference - half, difference + half, -sign * allowed,
                        sign > 0, floor)
    found = f"{_signed(difference)} ({_signed(interval.low)} to {_signed(interval.high)})"
    return Reason(name, outcome, found,
                  f"{'down' if sign > 0 else 'up'} by at most {number(allowed)}", interval)


def _widened(reach: float, units: float | None) -> float:
    """Student's quantile instead of the normal one: few units make an error uncertain itself.

    Source: the expansion in Abramowitz and Stegun, 26.7.5.
    """
    if units is None:
        return reach
    z, freedom = reach, units - 1
    return (z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
            + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3))


def _measured(comparison: Comparison, rule: MetricRule) -> Measured:
    return next((each for each in comparison.measures if each.name == rule.name),
                Measured(rule.name, None))


def _signed(value: float) -> str:
    text = number(value)
    return text if text.startswith("-") else f"+{text}"


def _outcome(good: bool) -> Outcome:
    return "pass" if good else "fail"
