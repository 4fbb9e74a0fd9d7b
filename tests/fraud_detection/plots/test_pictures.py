"""Every picture is drawn from any data, without a warning, and says what was counted."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import _pylab_helpers
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from fraud_detection.tables import TRANSACTION_COLUMNS
from fraud_detection.plots import gaps, monitor as drift, ranking, style as pictures, volumes
from fraud_detection.plots.calibration import _halves, calibration
from fraud_detection.plots.parts import importance, slices
from fraud_detection.plots.section import Section

Numbers = NDArray[Any]
NONE = np.array([])
SCORED = {
    "many rows": (np.arange(400) % 10 == 0, np.linspace(0, 1, 400) ** 3),
    "genuine only": (np.zeros(40, int), np.linspace(0, 1, 40)),
    "fraud only": (np.ones(40, int), np.linspace(0, 1, 40)),
    "one score": (np.arange(40) % 2, np.full(40, 0.25)),
    "scores of 0": (np.arange(40) % 2, np.zeros(40)),
    "one row": (np.array([1]), np.array([0.5])),
    "no rows": (NONE, NONE),
}
COUNTS = ["transactions", "labelled", "frauds"]
SLICES = ["slice", "value", "rows", "frauds", "average_precision"]
BY_DAY = ["day", "transactions", "fraud_rate", "alerts", "mean_score"]


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def png(figure: Figure) -> bytes:
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()


def draw(figure: Figure) -> None:
    """Draw every part, which is where a warning or an error comes up, without the pixels."""
    figure.draw_without_rendering()


def title(figure: Figure) -> str:
    return figure.get_suptitle().replace("\n", " ")


def labels_and_scores(name: str) -> tuple[Numbers, Numbers]:
    label, score = SCORED[name]
    return label.astype(int), score


AT_A_THRESHOLD = pytest.mark.parametrize("name, threshold", [
    *((name, 0.25) for name in SCORED),
    *((name, extreme) for name in ("many rows", "one score") for extreme in (0.0, 2.0))])


@AT_A_THRESHOLD
def test_the_roc_is_drawn_for_any_labels_and_scores(name: str, threshold: float) -> None:
    draw(ranking.roc_and_precision_recall(*labels_and_scores(name), threshold))


@AT_A_THRESHOLD
def test_the_thresholds_are_drawn_for_any_labels_and_scores(name: str, threshold: float) -> None:
    label, score = labels_and_scores(name)
    draw(ranking.threshold_picture(label, score, np.full(len(label), 50.0), threshold, 10.0))


@pytest.mark.parametrize("name", SCORED)
def test_the_calibration_is_drawn_for_any_labels_and_scores(name: str) -> None:
    label, score = labels_and_scores(name)
    draw(calibration(label, score, before=score / 2))


def test_auc_and_ap_in_the_titles_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    label = (rng.random(500) < 0.1).astype(int)
    score = (rng.random(500) + label * 0.4).round(1)  # many ties
    left, right = ranking.roc_and_precision_recall(label, score, 0.9).axes
    assert f"{roc_auc_score(label, score):.3f}" in left.get_title("left")
    assert f"{average_precision_score(label, score):.3f}" in right.get_title("left")


def test_the_chosen_threshold_is_marked_where_its_alerts_are() -> None:
    label, score = np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.6, 0.9])
    left, right = ranking.roc_and_precision_recall(label, score, 0.4).axes
    assert left.lines[-1].get_xydata().tolist() == [[0.5, 1.0]]  # type: ignore[union-attr]
    assert right.lines[-1].get_xydata().tolist() == [[1.0, 2 / 3]]  # type: ignore[union-attr]


def test_saved_money_is_the_amount_of_found_frauds_less_the_cost_of_the_alerts() -> None:
    label, score = np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.6, 0.9])
    drawn = ranking.threshold_picture(label, score, np.array([5.0, 200, 30, 100]), 0.4, 10.0)
    alerts, saved = drawn.axes[0].lines[0].get_data()
    assert list(alerts) == [250, 500, 750, 1000]
    assert list(saved) == [90, 80, 270, 260]
    assert title(drawn) == "The threshold 0.4 saves 270 after the cost of 3 alerts"


def test_calibration_counts_every_row_once() -> None:
    label, score = SCORED["many rows"]
    _, rows, frauds = _halves(label.astype(int), score)
    assert (rows.sum(), frauds.sum()) == (400, 40)


def test_importance_shows_the_20_greatest_from_the_top_down() -> None:
    names = [f"feature {number}" for number in range(30)]
    drawn = importance(names, np.arange(30.0), np.ones(30))
    shown = [text.get_text() for text in drawn.axes[0].get_yticklabels()]
    assert shown == [f"feature {number}" for number in range(29, 9, -1)]
    assert png(drawn)


def test_names_with_dollar_signs_are_plain_text() -> None:
    assert png(importance(["$\\frac{$", "b" * 200], np.array([2.0, 1.0]), np.zeros(2)))


def test_slices_name_the_weakest_part() -> None:
    table = pd.DataFrame([("amount", "under 10", 50, 2, 0.4), ("amount", "10 or more", 20, 9, 0.8),
                          ("hour", "night", 7, 0, np.nan)], columns=SLICES)
    drawn = slices(table)
    assert title(drawn) == "Weakest where amount is under 10: average precision 0.40"
    assert [text.get_text() for text in drawn.axes[0].get_yticklabels()] == [
        "amount", "under 10", "10 or more", "hour", "night"]


def test_psi_counts_the_columns_that_moved_far() -> None:
    table = pd.DataFrame({"column": ["a", "b", "c"], "psi": [0.05, 0.3, 0.25]})
    assert title(drift.psi(table)).startswith("2 of 3 columns")


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_tables_of_any_length_are_drawn(rows: int) -> None:
    parts = pd.DataFrame([("amount", "all", 0, 0, np.nan)] * rows, columns=SLICES)
    moved = pd.DataFrame({"column": ["a"] * rows, "psi": [0.0] * rows})
    day = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=rows).date,
                        "transactions": 0, "fraud_rate": np.nan, "alerts": np.nan,
                        "mean_score": np.nan}, columns=BY_DAY)
    for drawn in (slices(parts), drift.psi(moved), drift.by_day(day),
                  importance([], NONE, NONE)):
        assert png(drawn)


def test_alerts_are_a_share_of_the_transactions_of_their_day() -> None:
    table = pd.DataFrame([("2020-01-01", 50, 0.1, 5, 0.2)], columns=BY_DAY)
    drawn = drift.by_day(table.assign(day=pd.to_datetime(table["day"]).dt.date))
    assert list(drawn.axes[1].lines[1].get_ydata()) == [0.1]


EMPTY: dict[str, Callable[[], Section]] = {
    "days": lambda: volumes.days(pd.DataFrame(columns=["day", *COUNTS], dtype=float)),
    "hours": lambda: volumes.hours(pd.DataFrame(
        {"hour": range(24), **dict.fromkeys(COUNTS, 0)})),
    "amounts": lambda: volumes.amounts(pd.DataFrame(columns=["band", *COUNTS], dtype=float)),
    "terminals": lambda: volumes.terminals(pd.DataFrame(
        columns=["transactions", "frauds", "terminals"], dtype=float)),
    "labels": lambda: gaps.labels(pd.DataFrame(columns=["day", *COUNTS], dtype=float), 7),
    "missing": lambda: gaps.missing(
        dict.fromkeys(("files", "rows", *TRANSACTION_COLUMNS), 0),
        pd.DataFrame({"reason": [], "rows": []})),
}


@pytest.mark.parametrize("name", list(EMPTY))
def test_a_section_without_rows_is_drawn(name: str) -> None:
    assert png(EMPTY[name]().figure)


def days(labelled: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"day": pd.date_range("2020-03-01", periods=len(labelled)),
                         "transactions": 10, "labelled": labelled, "frauds": 0})


def test_labels_are_too_young_for_as_many_days_as_the_delay() -> None:
    section = gaps.labels(days([10, 10, 5, 10]), 2)
    known, young, absent = section.figure.axes[0].containers
    assert [bar.get_height() for bar in young] == [1, 0.5]  # type: ignore[union-attr]
    assert len(list(known)) == 2
    assert [bar.get_height() for bar in absent] == [0, 0.5, 0, 0]  # type: ignore[union-attr]
    assert "trained at the end of 2020-03-04 knows none of the labels from 2020-03-03" \
        in section.words


def test_a_class_stands_out_only_if_chance_does_not_explain_it() -> None:
    table = pd.DataFrame({"band": ["under 10", "10 to 20"], "transactions": 1000,
                          "labelled": 1000, "frauds": [10, 14]})
    assert title(volumes.amounts(table).figure).startswith("No amount band stands out")
    assert title(volumes.amounts(table.assign(frauds=[10, 90])).figure) == (
        "Fraud is most frequent at 10 to 20: 9.0%, against 5.0% in all")


def test_the_fewest_terminals_that_hold_half_of_the_frauds_are_counted() -> None:
    assert volumes._hold_half([90, 10, 1], [0, 2, 20]) == 1
    assert volumes._hold_half([90, 10], [0, 2]) == 5
    assert volumes._hold_half([90], [0]) == 0


def test_the_interval_of_a_share_is_wilsons() -> None:
    low, high = pictures.interval([0, 5, 0], [0, 10, 10])
    assert low.round(3).tolist() == [0, 0.237, 0]
    assert high.round(3).tolist() == [1, 0.763, 0.278]


def test_a_picture_is_wide_enough_for_a_page_of_900_pixels() -> None:
    drawn, _ = pictures.figure("A title " * 40)
    width, _ = struct.unpack(">II", png(drawn)[16:24])
    assert width == 1350


def test_no_picture_enters_pyplots_global_state() -> None:
    png(gaps.labels(days([10]), 7).figure)
    assert not _pylab_helpers.Gcf.figs
