"""Whether a canary may replace the present version, by what both answered to live requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt
from typing import Any

from branchline.config.service_file import Canary
from branchline.gate.verdict import Reason, Verdict

__all__ = ["judged"]

DEVIATIONS = 2  # of chance, within which a difference of shares is none
DISTANCE = 1.36  # Kolmogorov-Smirnov's, likewise: 1 of 20 equal distributions differs by more
Outcomes = Mapping[str, Any]  # as branchline.serving.outcomes prints them, for one track


def judged(canary: Outcomes, stable: Outcomes, limits: Canary, image: str, present: str) -> Verdict:
    """The verdict: every reason must pass; one that cannot be judged for want of rows does not
    count, but for too few requests."""
    reasons = (_requests(canary, limits), _errors(canary, stable, limits),
               _latency(canary, stable, limits), *_scores(canary, stable, limits),
               *_flags(canary, stable, limits))
    passed = all(each.outcome in ("pass", "not judged") for each in reasons)
    return Verdict(passed, image, present, reasons)


def _requests(canary: Outcomes, limits: Canary) -> Reason:
    enough = canary["requests"] >= limits.requests
    return Reason("requests", "pass" if enough else "undecided", f"{canary['requests']:g}",
                  f"at least {limits.requests:g}")


def _errors(canary: Outcomes, stable: Outcomes, limits: Canary) -> Reason:
    if canary["lost"]:
        return Reason("errors", "fail", f"{canary['lost']} pods gone", "none")
    mine, theirs = canary["requests"], stable["requests"]
    found = canary["failed"] / max(mine, 1)
    usual = stable["failed"] / max(theirs, 1)
    most = usual + limits.errors + _chance(canary["failed"] + stable["failed"], mine, theirs)
    return Reason("errors", "pass" if found <= most else "fail", f"{found:.2%}",
                  f"at most {most:.2%}")


def _latency(canary: Outcomes, stable: Outcomes, limits: Canary) -> Reason:
    found, usual = _high(canary["seconds"]), _high(stable["seconds"])
    if found is None or usual is None:
        return Reason("latency", "not judged", "no requests", "")
    most = usual * limits.slower
    return Reason("latency", "pass" if found <= most else "fail", f"p95 {1000 * found:.1f} ms",
                  f"at most {1000 * most:.1f} ms")


def _scores(canary: Outcomes, stable: Outcomes, limits: Canary) -> Iterator[Reason]:
    for name in _names(canary["scores"], stable["scores"]):
        mine, theirs = _bounds(canary["scores"], name), _bounds(stable["scores"], name)
        ours, usual = mine.get("+Inf", 0), theirs.get("+Inf", 0)
        if not ours or not usual:
            yield Reason(f"{name} distribution", "not judged", "no rows", "")
            continue
        found = max(abs(mine.get(bound, 0) / ours - theirs.get(bound, 0) / usual)
                    for bound in mine.keys() | theirs.keys())
        most = limits.score_shift + DISTANCE * sqrt((ours + usual) / (ours * usual))
        yield Reason(f"{name} distribution", "pass" if found <= most else "fail",
                     f"distance {found:.3f}", f"at most {most:.3f}")


def _flags(canary: Outcomes, stable: Outcomes, limits: Canary) -> Iterator[Reason]:
    for name in _names(canary["flags"], stable["flags"]):
        mine, theirs = _bounds(canary["flags"], name), _bounds(stable["flags"], name)
        ours, usual = sum(mine.values()), sum(theirs.values())
        if not ours or not usual:
            yield Reason(name, "not judged", "no rows", "")
            continue
        raised, before = mine.get("true", 0), theirs.get("true", 0)
        found = raised / ours - before / usual
        most = limits.alerts + _chance(raised + before, ours, usual)
        yield Reason(name, "pass" if abs(found) <= most else "fail", f"{found:+.2%}",
                     f"within {most:.2%} of {before / usual:.2%}")


def _names(*counts: Mapping[str, float]) -> list[str]:
    return sorted({key.split(" ")[0] for each in counts for key in each})


def _bounds(counts: Mapping[str, float], name: str) -> dict[str, float]:
    return {key.split(" ")[1]: value for key, value in counts.items()
            if key.split(" ")[0] == name}


def _chance(events: float, one: float, other: float) -> float:
    """What two shares of one probability differ by at most, nearly always; one event more is
    counted, since that of a rare one is not known well."""
    if not one or not other:
        return 0.0
    share = min((events + 1) / (one + other), 1.0)
    return DEVIATIONS * sqrt(share * (1 - share) * (1 / one + 1 / other))


def _high(cumulative: Mapping[str, float]) -> float | None:
    """The 95th percentile in seconds, interpolated within its bucket as Prometheus does."""
    ordered = sorted((float(bound), count) for bound, count in cumulative.items())
    if not ordered or not ordered[-1][1]:
        return None
    wanted, below, counted = 0.95 * ordered[-1][1], 0.0, 0.0
    for bound, count in ordered:
        if count >= wanted:
            inside = (wanted - counted) / (count - counted)
            return below if bound == float("inf") else below + (bound - below) * inside
        below, counted = bound, count
    return below
