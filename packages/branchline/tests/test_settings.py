from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from branchline import BadInput, Settings, parameter
from branchline.parameters import Parameter
from branchline.settings import parameters_of


@dataclass(frozen=True)
class Ours(Settings):
    days: int = parameter(7, "days of data", minimum=1, maximum=100)
    since: date | None = parameter(None, "the first day")
    cost: float = parameter(2.5, "of one alert")
    words: tuple[str, ...] = parameter(("a",), "some words", type="words", text="a",
                                       read=lambda text: tuple(text.split("+")))


def test_a_field_is_a_parameter_and_its_annotation_tells_the_type() -> None:
    found = {each.name: each for each in parameters_of(Ours)}
    assert list(found) == ["steps", "data", "lakehouse", "schema", "base", "rerun", "files",
                           "table_set", "table", "where", "limit", "against", "samples",
                           "tolerance", "pins", "days", "since", "cost", "words"]
    assert found["days"] == Parameter("days", "integer", "7", (), 1, 100, "days of data")
    assert (found["since"].type, found["since"].default) == ("date", "")
    assert (found["cost"].type, found["cost"].default) == ("float", "2.5")
    assert found["files"].default == "" and found["data"].type == "location"


def test_arguments_become_values_and_an_empty_text_is_the_default() -> None:
    found = Ours.from_arguments(["--days", "3", "--since", "2024-01-01", "--cost", "",
                                 "--words", "b+c", "--schema", "main"])
    assert found == Ours(days=3, since=date(2024, 1, 1), words=("b", "c"), schema="main")


@pytest.mark.parametrize(("arguments", "line"), [
    (["--days", "0"], "parameter days is '0'; expected a whole number from 1 to 100."),
    (["--dayz", "3"], "argument --dayz is unknown; expected --steps, --data"),
    (["--days"], "expected one argument; expected --NAME TEXT"),
])
def test_arguments_that_cannot_be_used_are_reported_in_one_line(
        arguments: list[str], line: str) -> None:
    with pytest.raises(BadInput) as refused:
        Ours.from_arguments(arguments)
    assert line in str(refused.value) and "\n" not in str(refused.value)


def test_help_lists_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Ours.from_arguments(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "--days TEXT integer from 1 to 100 (default 7) days of data" in said
    assert "--files TEXT" in said


def test_a_field_that_is_not_declared_is_an_error_that_names_it() -> None:
    @dataclass(frozen=True)
    class Undeclared(Settings):
        days: Any = 7

    with pytest.raises(TypeError, match="Undeclared.days: expected parameter"):
        parameters_of(Undeclared)
