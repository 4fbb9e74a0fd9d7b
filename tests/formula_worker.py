"""A worker whose scores tell their features: `python -m tests.formula_worker STORE TOPICS`.

TOPICS are the fields of `Topics` as JSON, with `save_seconds` and `metrics` besides.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

from branchline.errors import BranchlineError
from branchline.features.online import HeldFeatures, open_store
from branchline.signals import deferred, ends_with_its_parent
from branchline.streaming.followed import Followed
from branchline.streaming.progress import Progress
from branchline.streaming.worker import Topics, work
from fraud_detection.features import definitions
from fraud_detection.scoring.stream import FraudScorer
from fraud_detection.settings import Columns
from tests.live import Formula


def main(address: str, settings: str) -> None:
    given = json.loads(settings)
    seconds, metrics = given.pop("save_seconds"), given.pop("metrics")
    store = open_store(address)
    scorer = FraudScorer(store, Columns(), 7)
    scorer.features = HeldFeatures(store, definitions("full", 7), seconds=seconds)
    model = Followed(lambda: "formula", lambda _: Formula())
    with ends_with_its_parent(), suppress(KeyboardInterrupt), deferred() as stopped:
        work(Topics(**given), scorer, model, Progress(0.2, Path(metrics)), stopped)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BranchlineError as problem:
        print(problem, file=sys.stderr)
        sys.exit(problem.exit_code)
