"""What a YAML file of ours may not hold, each with its line; the same for each of the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from branchline.config.deploy_file import read_deploy_file
from branchline.config.gate_file import read_policy
from branchline.config.targets_file import read_target
from branchline.config.yaml_file import read_yaml
from branchline.errors import BadInput

BOMB = "\n".join(["a0: &a0 [x, x]"] + [
    f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30)])


def refused(tmp_path: Path, content: bytes | str) -> str:
    file = tmp_path / "things.yml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput) as problem:
        read_yaml(file)
    assert "\n" not in str(problem.value)
    return str(problem.value)


@pytest.mark.parametrize(("text", "line"), [
    ("a: 1\nb: 2\na: 3\n", "line 3: key a occurs twice, first in line 1; expected it once."),
    ("a:\n  b: {c: 1, c: 2}\n", "line 2: key c occurs twice, first in line 2"),
    ('a: 1\n"a": 2\n', "line 2: key a occurs twice"),
    ("a: [{b: 1, b: 2}]\n", "line 1: key b occurs twice"),
])
def test_a_duplicate_key_is_refused(tmp_path: Path, text: str, line: str) -> None:
    assert f"things.yml, {line}" in refused(tmp_path, text)


@pytest.mark.parametrize(("key", "found"), [
    ("5", "key 5 is a number"), ("-1.5", "key -1.5 is a number"), (".inf", "key .inf is a number"),
    ("2024-01-01", "key 2024-01-01 is a date"), ("null", "key null is null"),
    ("~", "key ~ is null"), ("on", "key on is a boolean"),
    ("No", "key No is a boolean"), ("? [a, b]\n", "a key that is a list or a mapping"),
    ("? {a: b}\n", "a key that is a list or a mapping"), ("<<", "merge key <<"),
    ("=", "key = is YAML's own `=`"),
])
def test_a_key_that_is_not_text_is_refused(tmp_path: Path, key: str, found: str) -> None:
    said = refused(tmp_path, f"a: 1\n{key}: x\n")
    assert said.startswith(f"things.yml, line 2: {found}; expected ")


@pytest.mark.parametrize("number", [
    ".inf", "-.inf", "+.INF", ".nan", ".NaN", "1e999", "1.0e+999", "010", "0x1F", "0b11", "1_000",
    "1:30", "1:30.5", "9" * 19, "-" + "9" * 5000])
def test_a_number_that_is_not_plain_and_finite_is_refused(tmp_path: Path, number: str) -> None:
    said = refused(tmp_path, f"a: 1\nfloor: {number}\n")
    assert said.startswith("things.yml, line 2: floor is ") and "; expected " in said
    assert len(said) < 6000
    assert "line 2: floor is " in refused(tmp_path, f"a: 1\nfloor: [0, {number}]\n")


@pytest.mark.parametrize(("text", "line"), [
    ("base: &b {a: 1}\nother: 1\n", "line 1: anchor &b; expected the value alone."),
    ("a: *b\n", "line 1: alias *b; expected the value itself."),
    (BOMB, "line 1: anchor &a0"),
    ("a: !!python/object/apply:os.system [ls]\n", "line 1: tag tag:yaml.org,2002:python/object/"),
    ("a: !!str 5\n", "line 1: tag tag:yaml.org,2002:str; expected a value without a tag."),
    ("a: !own 5\n", "line 1: tag !own"),
    ("a: =\n", "line 1: a is =; expected a value"),
    ("a: 1\n---\nb: 2\n", "line 2: a second document begins; expected one"),
    ("a: " + "[" * 30 + "]" * 30, "line 1: nested more than 20 deep; expected less."),
    ("a: " + "[" * 90_000, "line 1: nested more than 20 deep"),
    ("a: " + "{b: " * 20_000, "line 1: nested more than 20 deep"),
    ("\n".join(" " * n + "k:" for n in range(300)), "line 21: nested more than 20 deep"),
])
def test_anchors_tags_and_other_surprises_are_refused(tmp_path: Path, text: str, line: str) -> None:
    assert f"things.yml, {line}" in refused(tmp_path, text)


@pytest.mark.parametrize(("content", "line"), [
    (b"a: 1\nb: caf\xe9\n", "line 2: cannot be read: byte 0xe9 is not UTF-8; save the file as"),
    ("a: 1".encode("utf-16"), "line 1: cannot be read: byte 0xff is not UTF-8"),
    (b"a:\n\tb: 1\n", "line 2: cannot be read as YAML: found character '\\t' that cannot start any"
     " token. Indent with spaces."),
    (b"a: 1\nb: \x1b[31m\n", "line 2: cannot be read as YAML: character 0x1b is not allowed"),
    (b"a: 1\nb: \x00\n", "line 2: cannot be read as YAML: character 0x00 is not allowed"),
    (b"a: [1,\nb: 2\n", "cannot be read as YAML"),
    (b"a: 1\n  b: 2\n", "line 2: cannot be read as YAML"),
    (b"a: 'x\n", "cannot be read as YAML"),
    (b"a: " + b"x" * 100_000, "things.yml: has 100,003 bytes; expected at most 100,000."),
    (b"just text", "line 1: the file is 'just text'; expected lines such as"),
])
def test_a_file_that_is_not_yaml_is_refused_with_its_line(
        tmp_path: Path, content: bytes, line: str) -> None:
    assert line in refused(tmp_path, content)


def test_a_folder_or_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.yml"):
        with pytest.raises(BadInput, match="cannot be read: "):
            read_yaml(path)


@pytest.mark.parametrize("text", ["\ufeffa: 1\n", "a: 1\r\n", "---\na: 1\n...\n", "a: 1  # note"])
def test_byte_order_marks_and_line_ends_of_editors_are_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "things.yml").write_bytes(text.encode())
    assert read_yaml(tmp_path / "things.yml").values == {"a": 1}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "~"])
def test_an_empty_file_is_an_empty_mapping(tmp_path: Path, text: str) -> None:
    (tmp_path / "things.yml").write_text(text)
    assert read_yaml(tmp_path / "things.yml").values == {}


def test_dates_are_texts_and_1e5_is_a_number(tmp_path: Path) -> None:
    (tmp_path / "things.yml").write_text("a: 2024-13-45\nb: 2018-08-08\nc: 1e5\nd: -0.5\n")
    assert read_yaml(tmp_path / "things.yml").values == {
        "a": "2024-13-45", "b": "2018-08-08", "c": 1e5, "d": -0.5}


READERS: list[tuple[str, str, Callable[[Path], Any]]] = [
    ("gate.yml", "metrics:\n  ap: {floor: 0.3}\n", read_policy),
    ("deploy.yml", "jobs:\n  daily: {entry_point: main}\n", read_deploy_file),
    ("targets.yml", "local:\n  {tracking_uri: a, lakehouse: b, experiment_root: c}\n",
     lambda path: read_target(path, "local")),
]


@pytest.mark.parametrize(("name", "good", "read"), READERS, ids=[name for name, *_ in READERS])
@pytest.mark.parametrize("bad", [
    "a: 1\na: 2\n", "5: 1\n", "2024-01-01: 1\n", "~: 1\n", "<<: {a: 1}\n", "a: .inf\n",
    "a: -.inf\n", "a: .nan\n", "a: &x [1]\n", "a: " + "[" * 500, "a: !!python/none x\n",
    "a:\n\t- 1\n", "---\na: 1\n"])
def test_each_file_refuses_it_with_its_name_and_line(
        tmp_path: Path, name: str, good: str, read: Callable[[Path], Any], bad: str) -> None:
    path = tmp_path / name
    path.write_text(good)
    read(path)
    path.write_text(good + bad)
    with pytest.raises(BadInput) as problem:
        read(path)
    assert str(problem.value).startswith((f"{name}, line 3: ", f"{name}, line 4: "))
    assert "\n" not in str(problem.value)
