from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from benchmarks.gate import PAIRS, STRICT, World, outcome
from branchline.gate.resampling import Floats, Measure, standard_errors, variance


def mean_of(values: Floats) -> Measure:
    """The measure that is the weighted mean of the rows' values."""
    return lambda weights: (weights @ values / weights.sum(axis=1))[:, None]


def test_the_error_of_a_mean_matches_theory() -> None:
    values = np.random.default_rng(0).normal(size=400)
    found = variance(mean_of(values), np.arange(400), 4000, np.random.default_rng(1))
    assert found[0] == pytest.approx(values.var(ddof=1) / 400, rel=0.1)


def test_few_units_do_not_look_more_certain_than_they_are() -> None:
    values = np.array([1., 2., 4., 8., 16., 32., 64.])
    found = variance(mean_of(values), np.arange(7), 20_000, np.random.default_rng(1))
    assert found[0] == pytest.approx(values.var(ddof=1) / 7, rel=0.1)


def crossed(of_cards: float, of_days: float) -> tuple[Floats, np.ndarray, np.ndarray]:
    source = np.random.default_rng(3)
    card, day = np.divmod(np.arange(300 * 30), 30)
    values = (of_cards * source.normal(size=300)[card] + of_days * source.normal(size=30)[day]
              + source.normal(size=len(card)))
    return values, card, day


@pytest.mark.parametrize(("of_cards", "of_days"), [(0., 0.), (1., 0.), (0., 1.), (1., 1.)])
def test_errors_shared_by_cards_and_by_days_both_count(of_cards: float, of_days: float) -> None:
    values, card, day = crossed(of_cards, of_days)
    found = standard_errors(mean_of(values), card, day, 400, 0)[0]
    true = np.sqrt(of_cards / 300 + of_days / 30 + 1 / len(values))
    assert found == pytest.approx(true, rel=0.3)


def test_two_equal_models_do_not_differ_by_chance() -> None:
    values, card, day = crossed(1, 1)
    same = standard_errors(lambda weights: (weights @ values - weights @ values)[:, None], card,
                           day, 100, 0)
    assert same[0] == 0


def test_a_seed_fixes_the_error_and_all_measures_share_the_draws() -> None:
    values, card, day = crossed(1, 0)
    both = standard_errors(lambda weights: np.column_stack([weights @ values, weights @ values]),
                           card, day, 100, 7)
    alone = standard_errors(lambda weights: (weights @ values)[:, None], card, day, 100, 7)
    assert both == pytest.approx([alone[0], alone[0]], rel=1e-12)


def test_one_day_is_resampled_by_cards_alone_and_one_card_is_an_error() -> None:
    values, card, day = crossed(1, 1)
    found = standard_errors(mean_of(values), card, 0 * day, 200, 0)
    assert 0 < found[0] < 1
    with pytest.raises(ValueError, match="found 1 unit"):
        standard_errors(mean_of(values), 0 * card, day, 200, 0)


@pytest.mark.slow
def test_equal_pairs_are_refused_no_more_often_than_the_level() -> None:
    counts = Counter(outcome(World(), 0, seed) for seed in range(PAIRS))
    print(f"{PAIRS} pairs without a difference: {dict(counts)}")
    assert counts["fail"] / PAIRS <= STRICT.level


@pytest.mark.slow
def test_nearly_all_clearly_worse_candidates_are_refused() -> None:
    counts = Counter(outcome(World(), 1.0, seed) for seed in range(40))
    print(f"40 pairs that differ: {dict(counts)}")
    assert counts["fail"] >= 36
