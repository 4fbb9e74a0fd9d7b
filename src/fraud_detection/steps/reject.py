"""On request: moves rows from silver to quarantine, as they landed, with a given reason.
"""

from __future__ import annotations

import logging

from branchline import BadInput, Lakehouse, Step
from branchline.features.kernel import look_back_days
from branchline.lakehouse.sources import shortened
from fraud_detection.data.moves import Moved, move
from fraud_detection.features import definitions
from fraud_detection.settings import Settings
from fraud_detection.tables import BRONZE_TRANSACTIONS, QUARANTINE, TRANSACTIONS

__all__ = ["run", "step"]

log = logging.getLogger(__name__)


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Move the rows that meet the condition `where`; counts: the `rows` moved.

    Raises:
        BadInput: no condition, a condition not on silver's columns, or no reason.
    """
    for name, expected in (("where", "an SQL condition on the columns of silver.transactions, such "
                                     "as \"source_file LIKE '%/x.csv'\" or \"transaction_id = "
                                     "'7'\""),
                           ("reason", "why the rows are moved")):
        if not getattr(settings, name).strip():
            raise BadInput(f"parameter {name} is empty; expected {expected}.")
    moved = move(lakehouse, settings.where, shortened(settings.reason))
    log.warning("%s", _next(moved, settings.label_delay_days))
    return {"rows": moved.rows}


def _next(moved: Moved, label_delay: int) -> str:
    """How to rebuild what was computed from the rows."""
    days = moved.seen_on(look_back_days(definitions("full", label_delay)))
    if days is None:
        return "no row of silver.transactions meets the condition; nothing was moved"
    return (f"rows of {moved.first} to {moved.last} are in quarantine; now run `-e featurize "
            f"-P first_day={days[0]} -P last_day={days[1]}`, the days with features computed "
            "from them, then train, evaluate and predict")


step = Step("reject", run, reads=(BRONZE_TRANSACTIONS, TRANSACTIONS, QUARANTINE),
            writes=(QUARANTINE, TRANSACTIONS), on_request=True)
