"""Step `stream`: scores a topic of transactions, into a topic at once and into gold.scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from branchline import BadInput, Lakehouse, Step
from branchline.features.online import open_store
from branchline.streaming.on_spark import Live, Progress, Topics, score_live
from fraud_detection.live.champion import address
from fraud_detection.live.settings import ScoringSettings
from fraud_detection.live.tables import LIVE_SCORES
from fraud_detection.scoring.stream import FraudScorer

__all__ = ["run", "step"]


def run(lakehouse: Lakehouse, settings: ScoringSettings) -> dict[str, int]:
    """Score until SIGTERM or Ctrl-C; counts: `rows` (events), `labels`, `rejected`, `kept`.

    Raises:
        BadInput: no store or no Kafka is given, a topic is missing, or no version of the model has
            the alias.
        RowsLost: messages were deleted from a topic before they were read.
        Unreachable: the broker, the store or the registry does not answer.
    """
    if not settings.store or settings.kafka is None:
        raise BadInput("parameters store and kafka: expected an online store, and Kafka's "
                       "settings: a file, or `kafka` of the target in targets.yml.")
    live = Live(lakehouse, LIVE_SCORES, _topics(settings), settings.kafka.gaps, settings.most,
                settings.keep_every, settings.once == "true")
    metrics = Path(settings.metrics) if settings.metrics else None
    progress = Progress(settings.every, metrics)
    with closing(open_store(settings.store)) as store:
        scorer = FraudScorer(store, settings.columns, settings.label_delay_days)
        kept = score_live(live, scorer, partial(address, settings), progress,
                          partial(_report, progress))
    return {"rows": progress.events, "labels": progress.labels, "rejected": progress.rejected,
            "kept": kept}


def _topics(settings: ScoringSettings) -> Topics:
    assert settings.kafka
    return Topics(settings.kafka.client, settings.events, settings.scores, settings.labels or None,
                  settings.log or None)


def _report(progress: Progress, lag: int, models: Sequence[tuple[int, str]]) -> None:
    """Log the progress, and which model scores from which batch on, in the run."""
    import mlflow
    mlflow.log_metrics({
        "stream/lag": lag, "stream/events": progress.events,
        "stream/latency_p50_ms": progress.latencies.percentile(.5),
        "stream/latency_p95_ms": progress.latencies.percentile(.95)})
    mlflow.set_tag("stream.models", json.dumps(models[-20:]))


step = Step("stream", run, writes=(LIVE_SCORES,), on_request=True)
