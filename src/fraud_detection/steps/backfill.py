"""On request: fills the online store from silver, as if its transactions had been streamed."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta

from pyspark.sql import functions as F

from branchline import BadInput, Lakehouse, Step
from branchline.features.kernel import look_back_days
from branchline.features.online import open_store
from branchline.features.online.backfill import backfill
from fraud_detection.data.days import between, day_of
from fraud_detection.features import definitions
from fraud_detection.scoring.parity import COLUMNS
from fraud_detection.settings import Settings
from fraud_detection.tables import TRANSACTION_COLUMNS, TRANSACTIONS

__all__ = ["run", "step"]

LATENESS_DAYS = 7


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Empty the store and fill it with silver's last days; counts: `rows`, `histories`.

    As many days as windows look back, and as an event may be late, before the last one.

    Raises:
        BadInput: no store is given.
    """
    if not settings.store:
        raise BadInput("parameter store is ''; expected a file, or redis://HOST.")
    listed = definitions("full", settings.label_delay_days)
    silver, now = lakehouse.read(TRANSACTIONS), time.time_ns() // 1000
    last = silver.agg(F.max(F.expr(day_of()))).collect()[0][0]
    if last is None:
        raise BadInput("silver.transactions has no rows; run ingest and prepare first.")
    first = last - timedelta(days=look_back_days(listed) + LATENESS_DAYS)
    rows = silver.where(between(first, last)).select(*TRANSACTION_COLUMNS).toArrow()
    with closing(open_store(settings.store)) as store:
        histories = backfill(store, listed, rows, COLUMNS, LATENESS_DAYS, now)
    return {"rows": rows.num_rows, "histories": histories}


step = Step("backfill", run, reads=(TRANSACTIONS,), on_request=True)
