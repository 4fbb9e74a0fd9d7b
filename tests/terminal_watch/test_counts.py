from __future__ import annotations

import pytest

from branchline import BadInput, Lakehouse
from fraud_detection.tables import TRANSACTIONS
from terminal_watch.counts import NEVER, aggregated, grids
from tests.tables import fill_silver
from tests.terminal_watch.grids import counts, table

SECOND = 1 / 86_400


def test_terminals_without_fraud_count_only_in_the_totals() -> None:
    found = counts(("b", 0, 3, 1), ("a", 1, 2, 2), days=20)
    assert found.terminals.tolist() == ["a", "b"] and found.days == 21
    assert found.frauds[0, 1] == 2 and found.lost[0, 1] == 20 and found.frauds[1, 0] == 1
    assert found.known_rows[:, 8].tolist() == [0, 3] and found.known_frauds[0, 9] == 2
    assert found.all_known_rows[8] == 23 and found.all_known_frauds[8] == 1


def test_the_days_of_the_first_and_the_last_fraud_are_kept_where_they_become_known() -> None:
    found = counts(("a", 3, 1, 1), days=20)
    assert found.first_fraud[0, 11] == found.last_fraud[0, 11] == 3
    assert found.first_fraud[0, 10] == NEVER and found.last_fraud[0, 10] == -1


def test_a_label_not_known_at_the_last_list_is_not_counted() -> None:
    found = counts(("a", 0, 1, 1), ("late", 13, 5, 5), days=20)
    assert found.terminals.tolist() == ["a"]
    assert found.all_known_frauds.sum() == 1


def test_no_transactions_are_bad_input() -> None:
    with pytest.raises(BadInput, match="silver.transactions is empty"):
        grids(table([("a", 0, 1, 1)]).slice(0, 0), 7)


@pytest.mark.spark
def test_a_label_is_known_on_the_first_day_that_begins_after_its_delay_to_the_second(
        lakehouse: Lakehouse) -> None:
    fill_silver(lakehouse, (1, 3, "c", "t", 10, 1), (2, 3 + SECOND, "c", "t", 20, 1),
                (3, 4 - SECOND, "c", "t", 40, 0), (4, 3.5, "c", "t", 80, None))
    found = aggregated(lakehouse.read(TRANSACTIONS), 7).to_pandas().sort_values("known")
    assert found["terminal_id"].tolist() == ["t", "t"] and found["day"].nunique() == 1
    assert (found["known"] - found["day"]).tolist() == [7, 8]
    assert found["rows"].tolist() == [1, 2] and found["frauds"].tolist() == [1, 1]
    assert found["lost"].tolist() == [10, 20]
