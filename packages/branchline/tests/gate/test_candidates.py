from __future__ import annotations

from pathlib import Path

import pytest

from branchline.errors import BadInput
from branchline.gate.candidates import Candidate, by_metrics, find_candidate, last_approved
from branchline.gate.comparison import Measured
from branchline.runs.tracking import Tracking
from support.tracked import experiment, finished

Store = tuple[Tracking, str]


@pytest.fixture
def tracked(store: str, tmp_path: Path) -> Store:
    return experiment(store, tmp_path)


def test_the_newest_finished_run_with_a_model_is_the_candidate(tracked: Store) -> None:
    finished(tracked[1], with_model=True)
    newer = finished(tracked[1], entry_point="train", with_model=True, loss=0.5)
    finished(tracked[1], with_model=True, status="FAILED")
    finished(tracked[1])
    found = find_candidate(*tracked, None, with_model=True)
    assert found.run_id == newer and found.metrics == {"loss": 0.5}
    assert found.uri == f"models:/{found.model_id}"


def test_without_a_model_it_is_the_newest_finished_run_of_the_whole_project(
        tracked: Store) -> None:
    whole = finished(tracked[1])
    finished(tracked[1], entry_point="part")
    found = find_candidate(*tracked, None, with_model=False)
    assert found.run_id == whole and found.uri == f"runs:/{whole}"


def test_a_run_may_be_named(tracked: Store) -> None:
    older = finished(tracked[1], with_model=True)
    finished(tracked[1], with_model=True)
    assert find_candidate(*tracked, older, with_model=True).run_id == older


@pytest.mark.parametrize(("made", "line"), [
    ({}, "logged no model; expected a run that trained one."),
    ({"status": "FAILED"}, "is FAILED; expected a run that is FINISHED."),
])
def test_a_named_run_that_does_not_fit_is_refused(
        tracked: Store, made: dict[str, str], line: str) -> None:
    run_id = finished(tracked[1], **made)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=line):
        find_candidate(*tracked, run_id, with_model=True)


def test_nothing_to_judge_is_refused(tracked: Store) -> None:
    for with_model, line in ((True, "no finished run with a model"), (False, "no finished run of")):
        with pytest.raises(BadInput, match=line):
            find_candidate(*tracked, None, with_model)
    with pytest.raises(BadInput, match="Run with id=none not found"):
        find_candidate(*tracked, "none", with_model=True)


def test_the_last_approved_run_is_the_newest_that_passed_and_not_the_candidate(
        tracked: Store, tmp_path: Path) -> None:
    assert last_approved(tracked[0], str(tmp_path / "nowhere"), "") is None
    assert last_approved(tracked[0], str(tmp_path), "") is None
    passed = finished(tracked[1], tags={"gate": "passed"}, letters=5)
    finished(tracked[1], tags={"gate": "refused"})
    again = finished(tracked[1], tags={"gate": "passed"})
    found = last_approved(tracked[0], str(tmp_path), but=again)
    assert found is not None and found.run_id == passed and found.metrics == {"letters": 5}


def candidate(**metrics: float) -> Candidate:
    return Candidate("a", None, {}, metrics, {})


def test_metrics_are_compared_by_name_and_an_unknown_one_is_none() -> None:
    found = by_metrics(candidate(cost=4.0, rows=float("nan")), candidate(cost=3.0))
    assert found.measures == (Measured("cost", 4.0, 3.0), Measured("rows", None, None))
    assert by_metrics(candidate(cost=4.0), None).champion is None
