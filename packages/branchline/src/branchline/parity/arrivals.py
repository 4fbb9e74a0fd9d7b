"""When the stream got each event and each label, from its log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from branchline.features.kernel import Ints
from branchline.parity.logged import Logged

__all__ = ["ALWAYS", "NEVER", "Arrivals"]

ALWAYS, NEVER = -1, 2**62


@dataclass(frozen=True)
class Arrivals:
    """By event: the batch, as the log numbers them, of the event itself and of its label."""

    events: Ints
    labels: Ints

    @classmethod
    def of(cls, log: Logged, keys: pa.ChunkedArray, times: Ints) -> Arrivals:
        """Of the events with these keys and times (milliseconds).

        An event that was not logged was there before the stream began or, from the first logged
        event's time on, never came.
        """
        logged = _first({row["transaction_id"]: row["batch"] for row in reversed(log.events)}, keys)
        came = logged < NEVER
        begin = times[came].min() if came.any() else ALWAYS
        events = np.where(came, logged, np.where(times < begin, ALWAYS, NEVER))
        known = {row["transaction_id"] for row in log.events if row["labelled"]}
        with_label = pc.is_in(keys, pa.array(sorted(known), pa.string())).to_numpy()
        labels = _first({row["transaction_id"]: row["batch"] for row in reversed(log.labels)
                         if not row["missed"]}, keys)
        # A label in the event's own message is there when the event is, one batch "earlier".
        labels = np.minimum(labels, np.where(with_label, events - 1, NEVER))
        return cls(events, np.where(events == ALWAYS, ALWAYS, labels))


def _first(batches: Mapping[str, int], keys: pa.ChunkedArray) -> Ints:
    """The batch of each key; NEVER without one."""
    known = pa.array(batches.keys(), pa.string())
    at = pc.fill_null(pc.index_in(keys, known), -1).to_numpy()
    values = np.array([*batches.values(), NEVER], np.int64)
    found: Ints = values[at]
    return found
