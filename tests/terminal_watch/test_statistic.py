from __future__ import annotations

import numpy as np
import pytest

from terminal_watch.settings import Settings
from terminal_watch.statistic import CEILING, expected_rates, past, recent, scores
from tests.terminal_watch.grids import compromised, counts, genuine

SETTINGS = Settings()


def test_sums_of_the_past_and_of_the_recent_days() -> None:
    days = np.array([[1., 2., 4., 8.]])
    assert past(days, 0).tolist() == [[1, 3, 7, 15]] and past(days, 2).tolist() == [[0, 0, 1, 3]]
    assert recent(days, 2).tolist() == [[1, 3, 6, 12]]
    assert recent(days, 9).tolist() == [[1, 3, 7, 15]]


def test_a_fraud_adds_its_log_likelihood_ratio_and_a_genuine_transaction_takes_its_own() -> None:
    found = counts(("a", 0, 1, 1), ("a", 1, 1, 0), days=12)
    rates = expected_rates(found, SETTINGS)
    score = scores(found, rates, SETTINGS)[0]
    assert score[7] == 0
    assert score[8] == pytest.approx(np.log(0.5 / rates[0, 8]))
    assert score[9] - score[8] == pytest.approx(np.log(0.5 / (1 - rates[0, 9])))
    assert score[9] < score[8]


def test_a_score_never_falls_below_zero_nor_rises_above_its_ceiling() -> None:
    found = counts(*genuine("a", 0, 39, 5), *compromised("a", 40, 60), days=80)
    score = scores(found, expected_rates(found, SETTINGS), SETTINGS)
    assert score.min() == 0 and score.max() == CEILING * SETTINGS.threshold


def test_a_terminal_s_own_history_raises_what_is_expected_of_it() -> None:
    often = [("often", day, 10, 1) for day in range(60)]
    once = [("once", day, 10, int(day == 0)) for day in range(60)]
    rates = expected_rates(counts(*often, *once, days=60), SETTINGS)
    overall = rates[:, 8]
    assert overall[0] == pytest.approx(overall[1])
    assert rates[0, 60] > 2 * rates[1, 60]
    assert (rates <= SETTINGS.compromised_rate / 2).all()


def test_the_recent_days_are_not_part_of_a_terminals_own_history() -> None:
    found = counts(*genuine("a", 0, 29), *compromised("a", 30, 40, 5), days=60)
    rates = expected_rates(found, SETTINGS)[0]
    overall = (0.005 * 200 + found.all_known_frauds.cumsum()) / (
        200 + found.all_known_rows.cumsum())
    known = found.known_rows[0, :38 - 20].sum()
    assert rates[38] == pytest.approx(200 * overall[38] / (200 + known))
