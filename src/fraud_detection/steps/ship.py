"""On request: complete files of the inference log into gold.inference_log, each line once."""

from __future__ import annotations

import logging

from branchline import BadInput, Lakehouse, Step
from branchline.inference_log.shipping import ship
from branchline.inference_log.tables import LOG_QUARANTINE, LOG_TABLES
from branchline.lakehouse.appends import count_rows
from fraud_detection.settings import Settings

__all__ = ["run", "step"]

log = logging.getLogger(__name__)


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Ship the files of the folder `logs`; counts: `rows` (lines), `files`, `quarantined` in all.

    Raises:
        BadInput: no folder is given, or there is none.
    """
    if not settings.logs:
        raise BadInput("parameter logs is ''; expected the folder that `branchline serve` or "
                       "`score-stream` wrote with --inference-log.")
    taken = ship(lakehouse, settings.logs)
    for remark in taken.remarks:
        log.warning("%s", remark)
    return {"rows": taken.rows, "files": taken.units,
            "quarantined": count_rows(lakehouse, LOG_QUARANTINE)[0]}


step = Step("ship", run, writes=LOG_TABLES, on_request=True)
