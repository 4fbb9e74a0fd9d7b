"""On request: drops derived tables that do not fit; the next run rebuilds them."""

from __future__ import annotations

import logging

from branchline import Lakehouse, Step
from fraud_detection.data.repair import repair
from fraud_detection.settings import DataSettings

__all__ = ["run", "step"]


def run(lakehouse: Lakehouse, settings: DataSettings) -> dict[str, int]:
    """Say what was dropped; bronze is never touched."""
    dropped = repair(lakehouse)
    for line in dropped or ["nothing to repair: the tables fit together"]:
        logging.getLogger(__name__).warning(line)
    return {"rows": 0}


step = Step("repair", run, on_request=True)
