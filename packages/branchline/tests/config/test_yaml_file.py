from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from branchline.config.yaml_file import YamlMapping, read_yaml
from branchline.errors import BadInput


@dataclass(frozen=True)
class Thing:
    name: str
    size: int
    colour: str = "grey"


def mapping(tmp_path: Path, text: str) -> YamlMapping:
    (tmp_path / "things.yml").write_text(text)
    return read_yaml(tmp_path / "things.yml")


def test_an_error_has_the_line_of_its_key_or_else_of_its_mapping(tmp_path: Path) -> None:
    thing = mapping(tmp_path, "# things\n\nfirst:\n  size: 1\n  colour: red\n").below("first")
    assert str(thing.wrong("no.", "colour")) == "things.yml, line 5: no."
    assert str(thing.wrong("no.")) == "things.yml, line 3: no."


def test_a_missing_key_is_an_empty_mapping(tmp_path: Path) -> None:
    assert mapping(tmp_path, "").values == {}
    assert mapping(tmp_path, "a: {b: 1}").below("c").values == {}


@pytest.mark.parametrize(("text", "line"), [
    ("{size: 1, weight: 2}", "things.yml, line 1: thing has an unknown key weight; expected col"),
    ("{colour: red}", "things.yml, line 1: thing lacks size."),
])
def test_keys_are_those_of_the_dataclass(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(BadInput) as refused:
        mapping(tmp_path, text).check_keys("thing", Thing)
    assert str(refused.value).startswith(line)


@pytest.mark.parametrize(("text", "line"), [
    ("[1, 2]", "line 1: the file is [1, 2]; expected lines such as"), ("a: [", "cannot be read")])
def test_a_value_that_is_not_a_mapping_is_refused(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(BadInput) as refused:
        mapping(tmp_path, text)
    assert line in str(refused.value)
