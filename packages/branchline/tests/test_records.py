from __future__ import annotations

import pytest

from branchline.errors import BadInput
from branchline.records import Format, encoded, parsed

FORMAT = Format("thing", 3, {1: lambda content: {"two": content["one"]},
                             2: lambda content: {"three": content["two"]}})


def test_a_record_says_its_kind_and_version() -> None:
    assert FORMAT.written({"three": 3}) == {"format": "thing/3", "three": 3}
    assert FORMAT.read(FORMAT.written({"three": 3}), "a file") == {"three": 3}


@pytest.mark.parametrize("older", [{"one": 3}, {"format": "thing/1", "one": 3},
                                   {"format": "thing/2", "two": 3}])
def test_an_older_record_is_upgraded_to_the_current_version(older: dict[str, object]) -> None:
    assert FORMAT.read(older, "a file") == {"three": 3}


def test_a_newer_record_is_an_error_of_one_line_that_says_what_to_upgrade() -> None:
    with pytest.raises(BadInput) as refused:
        FORMAT.read({"format": "thing/4", "four": 4}, "/wheels/x.json")
    assert str(refused.value) == ("/wheels/x.json: found format thing/4; this branchline reads up "
                                  "to thing/3: upgrade branchline.")


@pytest.mark.parametrize("given", ["other/1", "thing", "thing/x", "thing/0", 3])
def test_a_record_of_another_kind_is_refused(given: object) -> None:
    with pytest.raises(BadInput, match=f"found format {given}, expected thing/3"):
        FORMAT.read({"format": given}, "a file")


def test_the_order_of_keys_does_not_change_the_bytes() -> None:
    assert encoded({"a": 1, "b": 2}) == encoded({"b": 2, "a": 1})
    assert parsed(encoded({"a": 1}), "a file") == {"a": 1}
