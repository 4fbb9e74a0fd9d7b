from __future__ import annotations

from typing import Any

import pytest

from branchline.config.service_file import Canary
from branchline.deploy.canary import judged

LIMITS = Canary(requests=100)


def outcomes(requests: float = 1000, **differs: Any) -> dict[str, Any]:
    """What a set of pods answered: latency of up to 10 ms, scores evenly, 5 % alerts."""
    return {"requests": requests, "failed": 0, "lost": 0,
            "seconds": {"0.005": requests / 2, "0.01": requests, "+Inf": requests},
            "scores": {"score 0.5": requests / 2, "score 1.0": requests, "score +Inf": requests},
            "flags": {"is_alert true": requests / 20, "is_alert false": requests * 19 / 20},
            **differs}


def refused(canary: dict[str, Any], stable: dict[str, Any]) -> list[str]:
    """The names of the reasons that stand against it."""
    verdict = judged(canary, stable, LIMITS, "new", "present")
    assert verdict.passed == all(each.outcome in ("pass", "not judged")
                                 for each in verdict.reasons)
    return [each.name for each in verdict.reasons if each.outcome not in ("pass", "not judged")]


def test_a_canary_that_answers_as_the_present_version_passes() -> None:
    assert refused(outcomes(200), outcomes(2000)) == []


@pytest.mark.parametrize(("canary", "reason"), [
    (outcomes(50), "requests"),
    (outcomes(failed=30), "errors"),
    (outcomes(lost=1), "errors"),
    (outcomes(seconds={"0.01": 900, "0.1": 1000, "+Inf": 1000}), "latency"),
    (outcomes(scores={"score 0.5": 800, "score 1.0": 1000, "score +Inf": 1000}),
     "score distribution"),
    (outcomes(flags={"is_alert true": 200, "is_alert false": 800}), "is_alert"),
    (outcomes(flags={"is_alert true": 0, "is_alert false": 1000}, failed=30), "errors")])
def test_a_canary_that_differs_is_refused_for_that_reason(
        canary: dict[str, Any], reason: str) -> None:
    assert refused(canary, outcomes(2000)) == [reason]


def test_a_difference_that_chance_explains_is_none() -> None:
    few = outcomes(100, failed=1, flags={"is_alert true": 9, "is_alert false": 91})
    assert refused(few, outcomes(2000)) == []


def test_without_scores_only_requests_errors_and_latency_are_judged() -> None:
    nothing: dict[str, Any] = {"scores": {}, "flags": {}}
    verdict = judged(outcomes(**nothing), outcomes(**nothing), LIMITS, "new", "present")
    assert [each.name for each in verdict.reasons] == ["requests", "errors", "latency"]
    assert verdict.passed


def test_against_a_version_without_requests_nothing_but_requests_and_errors_is_judged() -> None:
    idle = outcomes(0)
    verdict = judged(outcomes(), idle, LIMITS, "new", "present")
    assert verdict.passed and [each.outcome for each in verdict.reasons] == [
        "pass", "pass", "not judged", "not judged", "not judged"]
