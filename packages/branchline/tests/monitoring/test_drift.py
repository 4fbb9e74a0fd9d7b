from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from branchline.monitoring.distances import kolmogorov_smirnov, psi, wasserstein
from branchline.monitoring.drift import Policy, compare, drift
from branchline.monitoring.family import holm, judged
from branchline.monitoring.judged import column_measures
from branchline.monitoring.reference import Column, column
from branchline.monitoring.summary import Summary, summary
from branchline.monitoring.windows import Key

TRAINED = 50_000
A_DAY = 2_000
NAMES = [f"input_{n}" for n in range(16)]
Floats = np.typing.NDArray[np.float64]


def values(source: np.random.Generator, rows: int) -> Floats:
    """Amounts, of which one in a hundred is missing."""
    found = source.lognormal(3, 1, rows)
    found[source.random(rows) < .01] = np.nan
    return found


@pytest.fixture(scope="module")
def reference() -> Column:
    return column(values(np.random.default_rng(0), TRAINED))


def said(reference: Column, *columns: Floats, policy: Policy = Policy()) -> list[tuple[str, str]]:
    found = {f"input_{n}": summary(each, reference.edges) for n, each in enumerate(columns)}
    columns = compare(dict.fromkeys(found, reference), found)
    said = {(each.subject, each.name): each.verdict for each in judged(
        column_measures(Key(0, "m-1", ""), 86_400, columns, policy), policy.alarm_rate)}
    return [(said[name, "psi"], said[name, "missing_share"]) for name in found]


def test_psi_of_equal_shares_is_zero_and_of_moved_ones_is_the_formula() -> None:
    same = np.array([.2, .8])
    assert psi(same, same) == 0
    assert psi(same, np.array([.4, .6])) == pytest.approx(
        .2 * np.log(.4 / .2) + -.2 * np.log(.6 / .8))


def test_an_empty_bin_gives_a_large_but_finite_psi() -> None:
    assert 1 < psi(np.array([0., 1.]), np.array([.5, .5])) < 10


def test_wasserstein_is_scipys_of_the_values_within_the_outer_edges() -> None:
    source = np.random.default_rng(0)
    before, now = source.uniform(0, 10, TRAINED), source.uniform(0, 10, A_DAY) ** 1.2 / 10 ** .2
    trained = column(before)
    inside = [np.clip(each, trained.edges[0], trained.edges[-1]) for each in (before, now)]
    found = drift(trained, summary(now, trained.edges)).wasserstein
    assert found == pytest.approx(wasserstein_distance(*inside), rel=.02)
    assert wasserstein((1., 2., 4.), np.array([.5, .5, 0, 0]), np.array([0, 0, .5, .5])) == (
        pytest.approx(.75 * 1 + .75 * 2))


def test_wasserstein_needs_two_edges_and_is_zero_for_equal_shares() -> None:
    assert wasserstein((1.,), np.array([.5, .5]), np.array([1., 0.])) is None
    assert wasserstein((1., 2.), np.array([.5, .3, .2]), np.array([.5, .3, .2])) == 0


def test_wasserstein_where_the_distribution_functions_cross_counts_both_sides() -> None:
    assert wasserstein((0., 1.), np.array([.5, 0, .5]), np.array([.3, .4, .3])) == (
        pytest.approx(.1))


def test_kolmogorov_smirnovs_p_value_is_never_below_that_of_the_values() -> None:
    source = np.random.default_rng(0)
    before, now = source.normal(size=5000), source.normal(.1, 1, 800)
    trained = column(before)
    gap, p_value = drift(trained, summary(now, trained.edges)).ks
    exact = ks_2samp(before, now)
    assert gap <= exact.statistic and exact.pvalue * .9 <= p_value < .05
    assert kolmogorov_smirnov(np.array([1.]), np.array([1.]), 10, 10) == (0, 1)


def test_sixty_days_without_change_raise_no_alarm(reference: Column) -> None:
    source = np.random.default_rng(1)
    for _ in range(60):
        day = [values(source, A_DAY) for _ in NAMES]
        assert said(reference, *day) == [("ok", "ok")] * len(NAMES)


def test_without_a_least_effect_false_alarms_keep_to_the_rate(reference: Column) -> None:
    source, policy = np.random.default_rng(2), Policy(.05, 0, 0)
    alarms = sum(any("changed" in each for each in said(
        reference, *(values(source, 20_000) for _ in range(4)), policy=policy))
        for _ in range(300))
    assert alarms <= 29  # of 300 at 5 %: 15 expected, more than 29 once in 5,000 times


@pytest.mark.parametrize("change", [
    lambda day: day * 1.5, lambda day: day + 15, lambda day: np.where(day > 40, 40, day)])
def test_a_changed_column_is_found_in_its_first_window(reference: Column, change: object) -> None:
    source = np.random.default_rng(3)
    day = [values(source, A_DAY) for _ in NAMES]
    day[5] = change(day[5])  # type: ignore[operator]
    found = said(reference, *day)
    assert found[5][0] == "changed" and {each[0] for each in found[:5] + found[6:]} == {"ok"}


def test_a_column_that_goes_missing_is_found_and_its_known_values_are_not_called_changed(
        reference: Column) -> None:
    day = values(np.random.default_rng(4), A_DAY)
    day[::10] = np.nan
    assert said(reference, day) == [("ok", "changed")]
    assert said(reference, np.full(A_DAY, np.nan)) == [("too_few", "changed")]


def test_a_small_change_is_none_however_many_rows_show_it(reference: Column) -> None:
    assert said(reference, values(np.random.default_rng(5), 10**6) * 1.02) == [("ok", "ok")]


def test_a_few_rows_say_nothing_even_if_they_differ(reference: Column) -> None:
    assert said(reference, np.full(50, 1e6)) == [("too_few", "ok")]


def test_holm_rejects_from_the_smallest_until_one_is_too_large() -> None:
    assert holm([.04, .001, .02], .05) == [True, True, True]
    assert holm([.04, .001, .03], .05) == [False, True, False]
    assert holm([], .05) == []


def test_summaries_of_parts_add_up_to_that_of_the_whole(reference: Column) -> None:
    whole = values(np.random.default_rng(6), 1000)
    parts = [summary(part, reference.edges) for part in (whole[:300], whole[300:])]
    found, expected = parts[0] + parts[1], summary(whole, reference.edges)
    assert (found.rows, found.missing, found.bins) == (
        expected.rows, expected.missing, expected.bins)
    assert found.mean == pytest.approx(expected.mean)
    assert found.deviation == pytest.approx(float(np.nanstd(whole)))


def test_an_empty_window_has_neither_mean_nor_shares() -> None:
    found = summary(np.array([]), (1.0,))
    assert (found.mean, found.deviation, found.missing_share) == (None, None, 0.0)
    assert isinstance(found, Summary) and found.bins == (0, 0)
