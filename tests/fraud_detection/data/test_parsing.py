from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from fraud_detection.data.parsing import Parsed, parse
from tests.fraud_detection.bronze import ARRIVED, BAD, GOOD, TEN, Rows

MARCH = 1_522_576_800_000  # 2018-04-01 10:00 UTC


def parsed(rows: Rows, epoch: str | None = None) -> Parsed:
    made = [{**GOOD, "problem": None, **row} for row in rows]
    columns = {name: pa.array([row[name] for row in made], pa.string()) for name in made[0]}
    arrived = pa.array([ARRIVED] * len(made), pa.timestamp("us", "UTC"))
    return parse(pa.RecordBatch.from_pydict({**columns, "arrived_at": arrived}), epoch)


def times(texts: list[str], epoch: str | None = None) -> list[int | None]:
    """Milliseconds of the valid ones, None of the others; judged one by one and together."""
    found = parsed([{"event_time": text} for text in texts], epoch)
    alone = [parsed([{"event_time": text}], epoch) for text in texts]
    assert [one.valid[0] for one in alone] == list(found.valid)
    return [time.cast(pa.int64()).as_py() // 1000 if valid.as_py() else None
            for time, valid in zip(found.values["event_time"], found.valid, strict=True)]


def test_every_kind_of_bad_row_has_its_reason() -> None:
    assert parsed([row for row, _ in BAD]).reasons().to_pylist() == [reason for _, reason in BAD]
    assert parsed([GOOD]).reasons().to_pylist() == [None]


@pytest.mark.parametrize(("text", "later"), [
    ("2018-04-01 10:00:00", 0), ("2018-04-01T10:00:00", 0), ("2018-04-01T10:00:00Z", 0),
    ("2018-04-01T12:00:00+02:00", 0), ("2018-04-01 12:00:00+0200", 0),
    ("2018-04-01 12:00:00 +02", 0), ("2018-04-01T06:30:00-03:30", 0),
    ("2018-04-01T10:00:00.123456789Z", 123), ("2018-04-01T10:00:00,1239", 123),
    ("2018-04-01 10:00", 0), ("2018-04-01 10:00:00 UTC", 0), ("20180401T100000Z", 0),
    ("2018-04-01", -36_000_000)])
def test_iso_8601_is_a_time(text: str, later: int) -> None:
    assert times([text, f"  {text}\t", "no"]) == [MARCH + later, MARCH + later, None]


@pytest.mark.parametrize("text", [
    "10:00:00", "T10:00:00", "now", "20180401", "04/01/2018 10:00:00", "1522576800", "2018",
    "2018-04", "2018-02-30 10:00:00", "2018-4-1 1:2:3", "2018-04-01  10:00:00",
    "2018-04-01 10:00:00.", "2018-04-01 10:00:00 CET", "2018-04-01 10:00:00 PM",
    "2018-10-28 02:30:00 Europe/Paris", "2018-04-01 24:00:01", "2018-04-01 10:60:00",
    "2018-04-01 10:00:00+99:00", "2018-04-01 10:00:00+02:", "-0001-01-01", "+2018-04-01",
    "２０18-04-01", "43191.4166", "2018-04-01+02:00", "1899-12-31 23:59:59", "0000-01-01",
    "2262-01-01", "9999-12-31 23:59:59"])
def test_an_ambiguous_or_out_of_range_text_is_not_a_time(text: str) -> None:
    assert times([text]) == [None]


@given(st.datetimes(datetime(1900, 1, 2), datetime(2023, 12, 31)),
       st.integers(-14 * 60, 14 * 60), st.sampled_from("T "),
       st.sampled_from(["seconds", "milliseconds", "microseconds"]))
def test_what_python_writes_is_read_back_to_the_millisecond(
        time: datetime, minutes: int, separator: str, places: str) -> None:
    zoned = time.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = zoned.isoformat(separator, places)
    (found,) = times([text])
    expected = (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=timezone.utc)
                ) // timedelta(milliseconds=1)
    assert found == expected


@pytest.mark.parametrize(("epoch", "text", "expected"), [
    ("seconds", "1704103200", TEN), ("seconds", "1704103200.0", TEN),
    ("seconds", "1.7041032e9", TEN), ("milliseconds", "1704103200000", TEN),
    ("seconds", "-1.0005", -1001), ("seconds", "9" * 30, None), ("seconds", "soon", None),
    ("seconds", "1_704_103_200", None), ("milliseconds", "9" * 15, None)])
def test_times_may_be_numbers_since_1970(epoch: str, text: str, expected: int | None) -> None:
    assert times([text], epoch) == [expected]
    assert times([text, "1.5"], epoch)[0] == expected


@pytest.mark.parametrize(("text", "number"), [
    ("0", 0.0), ("-0", 0.0), ("-0.0", 0.0), ("12.5", 12.5), (" 7 ", 7.0), ("+5", 5.0), (".5", .5),
    ("5.", 5.0), ("1e5", 1e5), ("1E+2", 100.0), ("1e-400", 0.0), ("1000000000", 1e9)])
def test_a_plain_decimal_number_is_an_amount(text: str, number: float) -> None:
    for more in ([], ["x"]):
        found = parsed([{"amount": each} for each in (text, *more)])
        assert found.valid[0].as_py() and str(found.values["amount"][0].as_py()) == str(number)


@pytest.mark.parametrize("text", [
    "$12.50", "12.50 €", "-3", "1e400", "NaN", "inf", "-inf", "Infinity", "1e308", "0x10", "1_000",
    "１２", "12.5d", "12.5f", "12 50", "1e", "1,5", "1'000",
    "1000000000.01", "--1", "+-1", "e5", "."])
def test_any_other_text_is_not_an_amount(text: str) -> None:
    for more in ([], ["1"]):
        assert not parsed([{"amount": each} for each in (text, *more)]).valid[0].as_py()


@given(st.decimals(0, 10 ** 9, allow_nan=False, allow_infinity=False))
def test_an_amount_is_what_python_reads(number: Decimal) -> None:
    assert parsed([{"amount": str(number)}]).values["amount"].to_pylist() == [float(number)]


LABELS = {"0": 0, "1": 1, "0.0": 0, "1.00": 1, "01": 1, "+1": 1, " 1 ": 1, "1e0": 1, "True": 1,
          "FALSE": 0, "": None, "null": None, "NaN": None, "None": None, "NA": None}


def test_labels_are_numbers_equal_to_0_or_1_truth_values_or_missing() -> None:
    found = parsed([{"is_fraud": text} for text in [*LABELS, None]])
    assert all(found.valid.to_pylist())
    assert found.values["is_fraud"].to_pylist() == [*LABELS.values(), None]


@pytest.mark.parametrize("text", ["yes", "Y", "t", "2", "-1", "0.5", "１", "1e400", "0 1"])
def test_any_other_text_is_not_a_label(text: str) -> None:
    assert not parsed([{"is_fraud": text}]).valid[0].as_py()


@pytest.mark.parametrize("broken", ["a\nb", "a\rb", "a\x00", "\x1b[1m", "a\u2028b", "a\u0085b"])
@pytest.mark.parametrize("column", ["transaction_id", "customer_id", "terminal_id"])
def test_no_id_holds_a_line_break_or_control_character(column: str, broken: str) -> None:
    found = parsed([{column: broken}, {column: "Zoë €"}])
    assert found.valid.to_pylist() == [False, True]
    (reason, _) = found.reasons().to_pylist()
    assert reason.isprintable() and "holds a line break or control character" in reason


@given(st.lists(st.fixed_dictionaries({name: st.one_of(st.none(), st.text(), st.just(text))
                                       for name, text in GOOD.items()}), min_size=1, max_size=20))
def test_a_rows_values_do_not_depend_on_its_neighbours(rows: Rows) -> None:
    together = parsed(rows)
    assert together.reasons().to_pylist() == [
        parsed([row]).reasons()[0].as_py() for row in rows]
    assert [reason is None for reason in together.reasons().to_pylist()
            ] == together.valid.to_pylist()
