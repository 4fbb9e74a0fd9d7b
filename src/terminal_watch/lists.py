"""From scores to each day's list, with the evidence for every terminal on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terminal_watch.counts import Counts, Floats
from terminal_watch.settings import Settings
from terminal_watch.statistic import expected_rates, recent, scores
from terminal_watch.tables import WATCHED_TERMINALS

__all__ = ["day_lists", "since"]

UNIT = "datetime64[s]"


def day_lists(counts: Counts, settings: Settings) -> pd.DataFrame:
    """gold.watched_terminals of all days, in the order of day and rank; dates as datetime64[s].

    A terminal is listed while its score reaches the threshold and a fraud became known lately.
    """
    rates = expected_rates(counts, settings)
    score = scores(counts, rates, settings)
    listed = (score >= settings.threshold) & (
        recent(counts.known_frauds, settings.recent_days) > 0)
    terminal, day = np.nonzero(listed)
    rows = pd.DataFrame({
        "day": day, "terminal_id": counts.terminals[terminal],
        "score": score[terminal, day].round(3), "since": since(listed)[terminal, day],
        **_evidence(counts, rates, settings.recent_days, terminal, day)})
    rows["excess"] = rows["frauds"] - rows["expected_frauds"]
    rows = rows.sort_values(["day", "score", "excess", "lost", "terminal_id"],
                            ascending=[True, False, False, False, True], ignore_index=True)
    rows["rank"] = (rows.groupby("day").cumcount() + 1).astype(np.int32)
    for name in ("day", "since", "first_fraud", "last_fraud"):
        rows[name] = (np.datetime64(counts.first) + rows[name].to_numpy(np.int64)).astype(UNIT)
    rows["evidence"] = _sentences(rows, settings.recent_days)
    return rows[list(WATCHED_TERMINALS.column_names)]


def since(listed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each terminal and day, the start of the unbroken run of listed days up to this day."""
    days = np.arange(listed.shape[1])
    return np.maximum.accumulate(np.where(listed, -1, days), axis=1) + 1


def _evidence(counts: Counts, rates: Floats, days: int, terminal: NDArray[np.int64],
              day: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
    """What became known about a terminal in the last days, one value per pair."""
    rows, frauds, lost = (recent(each, days)[terminal, day] for each in (
        counts.known_rows, counts.known_frauds, counts.known_lost))
    window = day[:, None] - np.arange(min(days, counts.days))
    cells = terminal[:, None], np.maximum(window, 0)
    return {"frauds": frauds.astype(np.int32), "transactions": rows.astype(np.int32),
            "expected_frauds": (rows * rates[terminal, day]).round(3), "lost": lost.round(2),
            "first_fraud": counts.first_fraud[cells].min(axis=1),
            "last_fraud": counts.last_fraud[cells].max(axis=1)}


def _sentences(rows: pd.DataFrame, days: int) -> list[str]:
    return [f"{_counted(row.frauds, 'known fraud')} in {_counted(days, 'day')} where "
            f"{row.expected_frauds:.1f} were expected among "
            f"{_counted(row.transactions, 'transaction')}; the first of them on "
            f"{row.first_fraud:%Y-%m-%d}, the last on {row.last_fraud:%Y-%m-%d}; {row.lost:,.2f} "
            f"lost; listed since {row.since:%Y-%m-%d}." for row in rows.itertuples()]


def _counted(number: Any, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
