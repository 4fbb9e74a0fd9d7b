from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import Producer

from branchline.errors import BadInput, RowsLost, Unreachable
from branchline.lakehouse import Column, Lakehouse, Table
from branchline.lakehouse.sources import KafkaSource, Layout, Taken
from branchline.lakehouse.sources.kafka_offsets import Span, spans
from support.topics import Topic

pytestmark = pytest.mark.spark
LAYOUT = Layout((("id", "id"), ("amount", "AMOUNT")))
PLACE = (Column("source_file", "STRING", "", required=True),
         Column("source_row", "BIGINT", "", required=True))
LANDED = Table("bronze.landed", "", key=("source_file", "source_row"), columns=(
    *PLACE, Column("id", "STRING", ""), Column("amount", "STRING", ""),
    Column("problem", "STRING", ""), Column("ignored_columns", "STRING", ""),
    Column("arrived_at", "TIMESTAMP", ""), Column("ingested_at", "TIMESTAMP", "")))
WITH_KEYS = Table("bronze.with_keys", "", key=LANDED.key, columns=(
    *PLACE, Column("message_key", "STRING", ""), Column("message_headers", "STRING", "")))


@pytest.fixture
def client(broker: Any) -> dict[str, str]:
    return {"bootstrap.servers": broker.address}


@pytest.fixture
def topic(client: dict[str, str]) -> Topic:
    return Topic(client, partitions=2)


def source(topic: Topic, **settings: Any) -> KafkaSource:
    return KafkaSource(topic.name, topic.client, LAYOUT, **settings)


def taken(lakehouse: Lakehouse, table: Table = LANDED) -> list[tuple[Any, ...]]:
    rows = lakehouse.read(table).drop("arrived_at", "ingested_at").collect()
    return sorted((tuple(row) for row in rows), key=lambda row: row[:2])


def test_each_message_is_taken_once_with_its_partition_and_offset(
        lakehouse: Lakehouse, topic: Topic) -> None:
    topic.send({"id": "a", "AMOUNT": 1.50, "more": 1}, {"id": "b", "amount": None})
    topic.send({"id": "c"}, partition=1)
    assert source(topic).append(lakehouse, LANDED) == Taken(3, 2, 0)
    assert source(topic).append(lakehouse, LANDED) == Taken()
    topic.send({"id": "d"}, partition=1)
    assert source(topic).append(lakehouse, LANDED) == Taken(1, 1, 0)
    place = f"kafka://{topic.name}/"
    assert taken(lakehouse) == [
        (place + "0", 0, "a", "1.5", None, "more"), (place + "0", 1, "b", None, None, "more"),
        (place + "1", 0, "c", None, None, None), (place + "1", 1, "d", None, None, None)]


def test_a_message_that_is_not_an_object_is_a_row_with_a_problem(
        lakehouse: Lakehouse, topic: Topic) -> None:
    topic.send(b"{", None, [1], b'{"id": "\xff"}', {"id": [1]}, b'{"id": 1, "id": 2}')
    assert source(topic).append(lakehouse, LANDED) == Taken(6, 1, 6)
    assert [row[4] for row in taken(lakehouse)] == [
        "row is not a JSON object", "message has no value", "row is not a JSON object",
        "text is not UTF-8", "id is not a plain value", "key id occurs 2 times"]


def test_key_and_headers_are_kept_where_the_table_has_room(
        lakehouse: Lakehouse, topic: Topic) -> None:
    topic.send({"id": "a"}, key=b"k\xff", headers=[("trace", b"1"), ("trace", None)])
    topic.send({"id": "b"})
    source(topic).append(lakehouse, WITH_KEYS)
    assert [row[2:] for row in taken(lakehouse, WITH_KEYS)] == [
        ("k\ufffd", '[["trace", "1"], ["trace", null]]'), (None, None)]


def test_the_time_of_arrival_is_the_message_s(lakehouse: Lakehouse, topic: Topic) -> None:
    topic.send({"id": "a"}, timestamp=1_700_000_000_123)
    source(topic).append(lakehouse, LANDED)
    [row] = lakehouse.read(LANDED).selectExpr("unix_millis(arrived_at)").collect()
    assert row[0] == 1_700_000_000_123


def test_with_a_truncated_log_the_rows_show_what_was_taken(
        lakehouse: Lakehouse, topic: Topic) -> None:
    topic.send({"id": "a"}, {"id": "b"})
    source(topic).append(lakehouse, LANDED)
    rows = lakehouse.read(LANDED).localCheckpoint()
    lakehouse.drop(LANDED)
    lakehouse.create(LANDED)
    rows.writeTo(lakehouse.reference(LANDED)).append()
    topic.send({"id": "c"})
    assert source(topic).append(lakehouse, LANDED).rows == 1
    assert [row[2] for row in taken(lakehouse)] == ["a", "b", "c"]


def test_lost_offsets_are_an_error_that_says_how_many(
        lakehouse: Lakehouse, topic: Topic) -> None:
    topic.send(*[{"id": "early"}] * 3)
    source(topic).append(lakehouse, LANDED)
    topic.send(*[{"id": "late"}] * 5)
    topic.forget(7)
    with pytest.raises(RowsLost, match=r"/0: 4 offsets \(3 to 6\) are gone .* `gaps: record`"):
        source(topic).append(lakehouse, LANDED)
    assert len(taken(lakehouse)) == 3
    found = source(topic, record_gaps=True).append(lakehouse, LANDED)
    assert (found.rows, found.problems) == (2, 1)
    assert found.remarks == (f"kafka://{topic.name}/0: 4 offsets are gone, 3 to 6",)
    assert taken(lakehouse)[3][1:5] == (3, None, None, "file: offsets 3 to 6 are gone from the "
                                                       "topic: 4 messages")
    assert source(topic).append(lakehouse, LANDED) == Taken()


def test_a_topic_that_was_never_read_starts_at_its_earliest_offset(
        lakehouse: Lakehouse, topic: Topic) -> None:
    topic.send(*[{"id": "a"}] * 3)
    topic.forget(2)
    assert source(topic).append(lakehouse, LANDED) == Taken(1, 1, 0)


def test_messages_of_an_aborted_or_open_transaction_are_not_taken(
        lakehouse: Lakehouse, topic: Topic) -> None:
    producer = Producer({**{"bootstrap.servers": topic.client["bootstrap.servers"]},
                         "transactional.id": topic.name})
    producer.init_transactions(60)
    for value, end in ((b'{"id": "no"}', producer.abort_transaction),
                       (b'{"id": "yes"}', producer.commit_transaction), (b'{"id": "open"}', None)):
        producer.begin_transaction()
        producer.produce(topic.name, value, partition=0)
        producer.flush(60)
        if end:
            end(60)
    assert source(topic).append(lakehouse, LANDED) == Taken(1, 1, 0)
    producer.commit_transaction(60)
    assert source(topic).append(lakehouse, LANDED) == Taken(1, 1, 0)
    assert [row[2] for row in taken(lakehouse)] == ["yes", "open"]


def test_a_topic_that_ends_before_the_offsets_taken_is_refused(topic: Topic) -> None:
    topic.send({"id": "a"})
    with pytest.raises(BadInput, match="/0: ends with offset 1, but those before 2 were taken"):
        spans(topic.name, topic.client, {0: 2, 1: 0})


def test_a_topic_that_does_not_exist_is_refused(
        lakehouse: Lakehouse, client: dict[str, str]) -> None:
    missing = KafkaSource("nothing", {**client, "group.id": "tests"}, LAYOUT)
    with pytest.raises(BadInput, match="kafka://nothing: there is no such topic"):
        missing.append(lakehouse, LANDED)


def test_a_setting_that_the_client_does_not_know_is_refused(lakehouse: Lakehouse) -> None:
    unfit = KafkaSource("t", {"bootstrap.servers": "x:1", "group.id": "g", "nope": "1"}, LAYOUT)
    with pytest.raises(BadInput, match='Kafka\'s client: .*"nope"'):
        unfit.append(lakehouse, LANDED)


def test_a_broker_that_does_not_answer_is_named(
        lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("branchline.lakehouse.sources.kafka_offsets.ANSWER_SECONDS", 2)
    nobody = KafkaSource("t", {"bootstrap.servers": "127.0.0.1:1", "group.id": "g"}, LAYOUT)
    with pytest.raises(Unreachable, match="127.0.0.1:1 does not answer, or refuses: .*refused"):
        nobody.append(lakehouse, LANDED)


def test_a_password_is_not_shown() -> None:
    assert "geheim" not in repr(KafkaSource("t", {"sasl.password": "geheim"}, LAYOUT))


def test_a_span_is_split_and_lost_offsets_belong_to_the_first_part() -> None:
    assert list(Span(0, 0, 5, 12).parts(4)) == [
        Span(0, 0, 5, 9), Span(0, 9, 9, 12)]
    assert list(Span(0, 0, 5, 5).parts(4)) == [Span(0, 0, 5, 5)]
