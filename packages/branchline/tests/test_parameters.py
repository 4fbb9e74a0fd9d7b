from __future__ import annotations

from datetime import date

import pytest

from branchline.errors import BadInput
from branchline.parameters import Parameter

STEPS = Parameter("steps", "list", "load,fit", choices=("load", "fit", "compare"))
DAYS = Parameter("days", "integer", "7", minimum=1, maximum=3650, help="days of data")
SINCE = Parameter("since", "date", "")
COST = Parameter("cost", "float", "10", minimum=0)
KIND = Parameter("kind", "string", "tree", choices=("tree", "forest"))


@pytest.mark.parametrize(("parameter", "text", "value"), [
    (STEPS, "fit, load", ("load", "fit")), (Parameter("any", "list", ""), "b, a", ("b", "a")),
    (DAYS, "3650", 3650), (COST, "0.5", 0.5),
    (SINCE, "1900-01-01", date(1900, 1, 1)), (SINCE, "2261-12-31", date(2261, 12, 31)),
    (KIND, "forest", "forest")])
def test_a_text_becomes_a_value_of_its_type(parameter: Parameter, text: str,
                                            value: object) -> None:
    assert parameter.value(text) == value and parameter.check(text) == text


@pytest.mark.parametrize(("parameter", "text", "expected"), [
    (STEPS, "foo", "expected some of load, fit, compare, separated by commas."),
    (STEPS, "load,,fit", "expected some of load"),
    (DAYS, "x", "expected a whole number from 1 to 3,650."),
    (DAYS, "999999999", "expected a whole number from 1 to 3,650."),
    (DAYS, "0", "expected a whole number from 1 to 3,650."),
    (DAYS, "1_0", "expected a whole number from 1 to 3,650."),
    (DAYS, "\uff17", "expected a whole number from 1 to 3,650."),
    (COST, "-1", "expected a number of at least 0."),
    (COST, "inf", "expected a number of at least 0."),
    (COST, "nan", "expected a number of at least 0."),
    (SINCE, "0001-01-01", "expected a date from 1900-01-01 to 2261-12-31."),
    (SINCE, "9999-12-31", "expected a date from 1900-01-01 to 2261-12-31."),
    (SINCE, "8.8.18", "expected a date (YYYY-MM-DD)."),
    (KIND, "bush", "expected one of tree, forest."),
    (DAYS, "9" * 5000, "expected a whole number from 1 to 3,650.")])
def test_an_invalid_text_is_reported_in_one_short_line(
        parameter: Parameter, text: str, expected: str) -> None:
    for refuse in (parameter.check, parameter.value):
        with pytest.raises(BadInput) as refused:
            refuse(text)
        line = str(refused.value)
        assert line.startswith(f"parameter {parameter.name} is '") and expected in line
        assert "\n" not in line and len(line) < 250


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
@pytest.mark.parametrize("parameter", [
    Parameter("data", "location", "simulated"), Parameter("schema", "string", "sandbox"),
    Parameter("steps", "list", "load"), DAYS, KIND])
def test_an_unset_ci_variable_is_not_a_value(parameter: Parameter, text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parameter.check(text, lambda _: "/the/working/folder")
    assert str(refused.value) == (f"parameter {parameter.name} is {text!r}; expected something; "
                                  "leave it out for the default.")


@pytest.mark.parametrize("text", ["$(Data.Folder)", "${{ vars.DATA }}", "${DATA}", "$DATA"])
def test_an_unexpanded_ci_variable_is_not_a_value(text: str) -> None:
    with pytest.raises(BadInput, match="expected the value of that CI variable, which is not set"):
        Parameter("schema", "string", "sandbox").check(text)


@pytest.mark.parametrize("kind", ["location", "string"])
def test_an_empty_text_is_a_value_only_where_it_is_the_default(kind: str) -> None:
    files = Parameter("files", kind, "")
    assert files.check("", lambda _: "/the/working/folder") == ""
    with pytest.raises(BadInput, match="files is ' '; expected something, or leave it out"):
        files.check(" ")
    with pytest.raises(BadInput, match="data is ''; expected something"):
        Parameter("data", kind, None).check("")


def test_the_target_resolves_a_location() -> None:
    def locate(text: str) -> str:
        if text == "nowhere":
            raise ValueError("an existing file or folder")
        return f"/there/{text}"

    data = Parameter("data", "location", "simulated")
    assert data.check("a.csv", locate) == "/there/a.csv"
    assert data.check("simulated", locate) == "simulated"
    with pytest.raises(BadInput, match="is 'nowhere'; expected an existing file or folder."):
        data.check("nowhere", locate)


def test_the_help_of_a_parameter_is_one_line() -> None:
    assert str(DAYS) == "days: integer from 1 to 3,650 (default 7)  days of data"
