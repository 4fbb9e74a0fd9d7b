"""Bodies that the service refuses: malformed, hostile, too large, without end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.web_service import WebService

INFER, SCORE, INVOKE = "/v2/models/fraud/infer", "/score", "/invocations"


def deep(levels: int) -> bytes:
    return b'{"inputs":' + b"[" * levels + b"]" * levels + b"}"


TENSOR = {"name": "amount", "datatype": "FP64", "shape": [1], "data": [1.0]}
GOOD = {"transaction_id": "h", "event_time": "2018-06-01T00:00:00Z", "customer_id": "1",
        "terminal_id": "1", "amount": 1.0}


def tensor(**changed: Any) -> dict[str, Any]:
    return {"inputs": [{**TENSOR, **changed}]}


def record(**changed: Any) -> dict[str, Any]:
    return {"transactions": [{**GOOD, **changed}]}


HOSTILE: list[tuple[str, Any, str]] = [
    (INFER, b"", "is not JSON"), (INFER, b"{", "is not JSON"), (INFER, b"[]", "a JSON object"),
    (INFER, b"null", "found null"), (INFER, b"\xff\xfe{}", "UTF-8"), (INFER, b"\x00", "not JSON"),
    (INFER, "{'a': 1}".encode(), "is not JSON"), (INFER, b'{"inputs": NaN}', "found NaN"),
    (INFER, b'{"inputs": -Infinity}', "found -Infinity"),
    (INFER, b'{"inputs": [], "inputs": []}', "twice"),
    (INFER, b'{"inputs": ' + b"9" * 5000 + b"}", "digits"),
    (INFER, deep(20), "nested deeper"), (INFER, deep(500_000), "nested deeper"),
    (INFER, b"[" * 2_000_000, "nested deeper"), (INFER, b'{"a":' * 100_000, "nested deeper"),
    (INFER, b'{"' + b'\\"' * 500_000, "is not JSON"), (INFER, {}, "expected inputs"),
    (INFER, {"inputs": {}}, "expected a list"), (INFER, {"inputs": [1]}, "expected an object"),
    (INFER, {"inputs": [], "x": 1}, "found the keys"), (INFER, {"inputs": []}, "is missing"),
    (INFER, {"id": 1, **tensor()}, "id: found 1"), (INFER, {"id": "x" * 999, **tensor()}, "id:"),
    (INFER, tensor(name="other"), "found the name"), (INFER, tensor(name=None), "found the name"),
    (INFER, tensor(name=["a"]), "found the name"), (INFER, tensor(datatype="BYTES"), "BYTES"),
    (INFER, tensor(datatype=["x"]), "datatype"), (INFER, tensor(shape=[2]), "expected 2"),
    (INFER, tensor(shape=[-1]), "shape"), (INFER, tensor(shape=[1, 2]), "shape"),
    (INFER, tensor(shape="1"), "shape"), (INFER, tensor(shape=[True]), "shape"),
    (INFER, tensor(shape=[10**30]), "shape|rows"), (INFER, tensor(shape=[0], data=[]), "0 rows"),
    (INFER, tensor(shape=[10_001], data=[1.0] * 10_001), "10,001 rows"),
    (INFER, tensor(data="1"), "expected a list"), (INFER, tensor(datatype="INT8", data=[1.5]),
                                                   "INT8"),
    (INFER, {"inputs": [TENSOR, TENSOR]}, "once"),
    (INFER, {**tensor(), "outputs": [{"name": "other"}]}, "outputs"),
    (INVOKE, {}, "expected one of"),
    (INVOKE, {"instances": [[1]], "inputs": [[1]]}, "expected one"),
    (INVOKE, {"instances": []}, "0 rows"), (INVOKE, {"instances": [1]}, "expected a list"),
    (INVOKE, {"instances": [[1, 2]]}, "found 2 values"), (INVOKE, {"instances": 7}, "a list"),
    (INVOKE, {"instances": [{}, 3]}, "is missing"), (INVOKE, {"inputs": {"amount": 1}}, "a list"),
    (INVOKE, {"inputs": {}}, "is missing"),
    (INVOKE, {"inputs": [[1]], "params": {"a": 1}}, "params"),
    (INVOKE, {"dataframe_records": [[1]]}, "expected an object"),
    (INVOKE, {"dataframe_split": []}, "columns and data"),
    (INVOKE, {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, "twice"),
    (INVOKE, {"dataframe_split": {"columns": [["a"]], "data": [[1]]}}, "expected names"),
    (INVOKE, {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, "found 2 values"),
    (SCORE, {}, "expected transactions"), (SCORE, {"transactions": []}, "0 rows"),
    (SCORE, {"transactions": {}}, "a list"), (SCORE, {"transactions": [None]}, "found null"),
    (SCORE, {"transactions": [GOOD] * 10_001}, "10,001 rows"),
    (SCORE, {"transactions": [GOOD], "features": "yes"}, "features"),
    (SCORE, {"transactions": [{**GOOD, "is_fraud": 1}]}, "is_fraud"),
    (SCORE, {"transactions": [{"amount": 1}]}, "is missing"),
    (SCORE, record(amount=-1), "found -1"), (SCORE, record(amount=True), "found true"),
    (SCORE, record(amount="1"), "expected a number"), (SCORE, record(amount=None), "found null"),
    (SCORE, record(amount=1e300), "expected 0 to"), (SCORE, record(amount=10**400), "finite"),
    (SCORE, b'{"transactions":[{"amount":1e999}]}', "is missing"),
    (SCORE, json.dumps(record()).replace("1.0", "1e999").encode(), "finite number"),
    (SCORE, record(event_time="yesterday"), "ISO 8601"),
    (SCORE, record(event_time=0), "ISO 8601"),
    (SCORE, record(event_time="2018-02-30"), "ISO 8601"),
    (SCORE, record(event_time="2999-01-01"), "until now"),
    (SCORE, record(event_time="\ud800"), "ISO 8601"), (SCORE, record(customer_id=""), "1 to 200"),
    (SCORE, record(customer_id="\ud800"), "control"),
    (SCORE, record(terminal_id="a\nb"), "control"),
    (SCORE, record(terminal_id="\x00"), "control"), (SCORE, record(transaction_id=1.5), "a text"),
    (SCORE, record(transaction_id="x" * 201), "1 to 200"),
    (SCORE, record(customer_id={}), "object"),
]
CSVS: list[tuple[bytes, str]] = [
    (b"", "is empty"), (b"\xff\xff", "UTF-8"), (b"amount\n", "0 rows"), (b'"a', "is not CSV"),
    (b"a,a\n1,2\n", "twice"), (b"a,b\n1\n", "found 1 values"), (b"other\n1\n", "is missing"),
    (b"a\n" + b"1\n" * 10_001, "10,001 rows"), (b"a\n" + b"1" * 200_000, "is not CSV")]


@pytest.mark.parametrize(("path", "body", "said"), HOSTILE)
def test_a_malformed_body_is_one_clear_line(service: WebService, path: str, body: Any, said: str,
                                            ) -> None:
    check_refused(service.post(path, body), said)


@pytest.mark.parametrize(("body", "said"), CSVS)
def test_a_malformed_csv_is_one_clear_line(service: WebService, body: bytes, said: str) -> None:
    check_refused(service.post(INVOKE, body, Content_Type="text/csv"), said)


def check_refused(answer: Any, said: str) -> None:
    assert answer.status == 422
    assert list(answer.json) == ["error"]
    line = answer.json["error"]
    assert any(each in line for each in said.split("|")), line
    assert "\n" not in line and "Traceback" not in line and len(line) < 500


@pytest.mark.parametrize(("headers", "status"), [
    ({"Content_Type": "text/plain"}, 415), ({"Content_Type": ""}, 415),
    ({"Content_Encoding": "gzip"}, 415), ({"Content_Length": str(10**12)}, 413)])
def test_other_media_and_sizes_are_refused(service: WebService, headers: dict[str, str],
                                           status: int) -> None:
    answer = service.post(INFER, b"{}", **headers)
    assert answer.status == status and list(answer.json) == ["error"]


def test_a_body_without_end_is_refused_at_its_limit(service: WebService) -> None:
    connection = service.connection()
    connection.putrequest("POST", INFER)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    part = b"100000\r\n" + b" " * 2**20 + b"\r\n"
    try:
        for _ in range(20):
            connection.send(part)
    except OSError:
        pass  # it hangs up on who sends on
    assert connection.getresponse().status == 413
    connection.close()
    assert service.get("/v2/health/ready").status == 200
