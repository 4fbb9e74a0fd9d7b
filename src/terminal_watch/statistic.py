"""The statistic: how much likelier a terminal's known labels are if it is compromised.

A CUSUM of the binomial log likelihood ratio (Page 1954; Lorden 1971 on its optimal delay).
"""

from __future__ import annotations

import numpy as np

from terminal_watch.counts import Counts, Floats
from terminal_watch.settings import Settings

__all__ = ["CEILING", "expected_rates", "past", "recent", "scores"]

CEILING = 1.25  # times the threshold: limits a score, so that terminals leave the list in time
FIRST_RATE, FIRST_ROWS = 0.005, 200.0  # the assumed fraud rate before any label is known


def past(counts: Floats, days: int) -> Floats:
    """Sums over all days up to `days` before each day; counts by day on the last axis."""
    sums = np.cumsum(counts, axis=-1)
    return np.concatenate([np.zeros_like(sums[..., :days]), sums[..., :sums.shape[-1] - days]],
                          axis=-1) if days else sums


def recent(counts: Floats, days: int) -> Floats:
    """Sums over the last `days` days up to each day."""
    return past(counts, 0) - past(counts, min(days, counts.shape[-1]))


def expected_rates(counts: Counts, settings: Settings) -> Floats:
    """The fraud rate that is expected of each terminal on each day, terminals x days.

    That of all terminals as known then, and the terminal's own as known `recent_days` before:
    weighted by `history_weight` and by its own transactions. At most half of `compromised_rate`.
    """
    overall = ((FIRST_RATE * FIRST_ROWS + past(counts.all_known_frauds, 0))
               / (FIRST_ROWS + past(counts.all_known_rows, 0)))
    before = min(settings.recent_days, counts.days)
    rows, frauds = past(counts.known_rows, before), past(counts.known_frauds, before)
    weight = settings.history_weight
    found: Floats = (weight * overall + frauds) / (weight + rows)
    return np.minimum(found, settings.compromised_rate / 2)


def scores(counts: Counts, rates: Floats, settings: Settings) -> Floats:
    """The score of each terminal on each day, terminals x days: 0 to CEILING * threshold.

    Every fraud that becomes known adds log(p1 / p0), every genuine transaction
    log((1 - p1) / (1 - p0)); p0 is `rates`, p1 `compromised_rate`. It never falls below 0.
    """
    compromised, highest = settings.compromised_rate, CEILING * settings.threshold
    genuine = counts.known_rows - counts.known_frauds
    gains = (counts.known_frauds * np.log(compromised / rates)
             + genuine * np.log((1 - compromised) / (1 - rates)))
    found = np.zeros_like(gains)
    score = np.zeros(len(gains))
    for day in range(counts.days):
        score = np.clip(score + gains[:, day], 0, highest)
        found[:, day] = score
    return found
