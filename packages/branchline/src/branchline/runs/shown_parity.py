"""The result that the step `parity` logged to its run, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterator

from branchline.lakehouse.difference.page import Part
from branchline.parity.result import ARTIFACT, ColumnParity, Parity
from branchline.records import parsed
from branchline.runs.answers import answered
from branchline.runs.tracking import Tracking

__all__ = ["parity_of", "parts"]

MOST = 5  # examples


def parity_of(tracking: Tracking, run_id: str) -> Parity:
    """What a run of `parity` logged."""
    import mlflow
    run = tracking.run(run_id)
    with answered(f"parity of run {run_id}"):
        text = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/{ARTIFACT}")
    return Parity.from_json(parsed(text, ARTIFACT))


def parts(found: Parity) -> Iterator[Part]:
    """The result as tables: the columns that differ, the reasons, some examples."""
    notes = [f"{found.events:,} events, {found.values:,} values: {found.mismatches:,} mismatches "
             f"({found.share:.3%}), {found.explained:,} differ for a proven reason"]
    if found.late:
        notes.append(f"{found.late:,} events came too late for their features, and have no score")
    differing = [column for column in found.columns if column.mismatches or column.explained]
    yield Part("stream and batch", notes,
               ("column", "values", "mismatches", "explained", "largest difference"),
               [_row(column) for column in differing])
    counted = [*found.reasons.items(),
               *((f"not compared: {reason}", count) for reason, count in found.skipped.items())]
    if counted:
        yield Part("reasons", [], ("reason", "values"),
                   [(reason, f"{count:,}") for reason, count in counted])
    examples = [(column.name, each) for column in differing for each in column.examples]
    if examples:
        examples.sort(key=lambda one: one[1].reason is not None)
        yield Part("examples", [], ("column", "event", "stream", "batch", "reason"), [
            (name, each.key, str(each.logged), str(each.batch), each.reason or "unexplained")
            for name, each in examples[:MOST]])


def _row(column: ColumnParity) -> tuple[str, ...]:
    return (column.name, f"{column.values:,}", f"{column.mismatches:,}", f"{column.explained:,}",
            f"{column.largest:.6g}")
