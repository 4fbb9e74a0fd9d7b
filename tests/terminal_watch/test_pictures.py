"""The pictures and the page are made from whatever there is, without a warning."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from terminal_watch.counts import Counts
from terminal_watch.lists import day_lists
from terminal_watch.outcomes import kpis, list_grid, measured_days, outcomes
from terminal_watch.plots import lists, page
from terminal_watch.settings import Settings
from tests.terminal_watch.grids import compromised, counts, genuine

SETTINGS = Settings()
CASES = {
    "two terminals": counts(*genuine("<b>", 0, 30), *compromised("<b>", 31, 59),
                            *compromised("two", 20, 40, 3), days=70),
    "compromised, not listed": counts(*compromised("a", 40, 44), days=60),
    "one fraud": counts(("a", 20, 1, 1), days=60),
    "no fraud": counts(days=60),
}
EACH = pytest.mark.parametrize("found", CASES.values(), ids=list(CASES))


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@EACH
def test_every_picture_is_drawn(found: Counts) -> None:
    rows, days = day_lists(found, SETTINGS), measured_days(found, SETTINGS)
    table = outcomes(found, list_grid(found, rows), SETTINGS, days)
    by_day = lists.by_day(table, found, days)
    assert len(by_day) == days.count
    for section in (lists.days(by_day), lists.waits(table), lists.newest(rows)):
        section.figure.draw_without_rendering()
        assert section.words and section.figure.get_suptitle()


@EACH
def test_the_page_says_which_kpis_are_known_and_which_are_not(found: Counts) -> None:
    rows, days = day_lists(found, SETTINGS), measured_days(found, SETTINGS)
    table = outcomes(found, list_grid(found, rows), SETTINGS, days)
    facts = page.facts(kpis(table, days.count), lists.by_day(table, found, days))
    assert facts["of new alerts had further fraud"] == (
        "unknown" if not table["new"].any() else "100%")
    assert len(facts) == 8 and page.newest(rows).startswith(
        "<p>No terminal was ever listed.</p>" if rows.empty else "<h2>The list of ")


def test_a_terminals_name_is_escaped_on_the_page() -> None:
    shown = page.newest(day_lists(CASES["two terminals"], SETTINGS))
    assert "&lt;b&gt;" in shown and "<b>" not in shown
