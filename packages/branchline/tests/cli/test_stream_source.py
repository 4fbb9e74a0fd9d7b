"""What `branchline score-stream` starts with where there is no repository."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click import Context

from branchline.cli.score_stream import command
from branchline.cli.stream_source import StreamOptions, source_of
from branchline.errors import BadInput


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with settings for Kafka and a folder of a model."""
    (tmp_path / "kafka.yml").write_text("bootstrap_servers: 127.0.0.1:1\n")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options(*arguments: str) -> StreamOptions:
    made: Context = command.make_context("score-stream", [
        *arguments, "--from", "a", "--to", "b", "--store", "x.db"])
    return StreamOptions(**{key: value for key, value in made.params.items() if key != "debug"})


def test_a_function_a_folder_and_a_kafka_file_are_enough(folder: Path) -> None:
    found = source_of(options("json:loads", "--model", "model", "--kafka", "kafka.yml", "-P",
                              "label_delay_days=3"))
    assert (found.opened, found.find()) == (json.loads, "model")
    assert found.arguments == ["--label_delay_days", "3"]
    assert found.kafka.client["bootstrap.servers"] == "127.0.0.1:1"


@pytest.mark.parametrize(("given", "line"), [
    (["json:loads", "--kafka", "kafka.yml"], "--model FOLDER is missing; a function needs it"),
    (["json:loads", "--model", "model"], "--kafka FILE is missing; a function needs it"),
    (["no_module:open", "--model", "model", "--kafka", "kafka.yml"],
     "scorer 'no_module:open': cannot be imported (No module named 'no_module'); expected MODULE:"),
    (["json:no_function", "--model", "model", "--kafka", "kafka.yml"],
     "scorer 'json:no_function': cannot be imported; expected MODULE:FUNCTION."),
    (["json:loads", "--model", "nowhere", "--kafka", "kafka.yml"],
     "model nowhere: is no folder with a file MLmodel; expected one")])
def test_what_is_missing_or_wrong_is_named(folder: Path, given: list[str], line: str) -> None:
    with pytest.raises(BadInput, match=re.escape(line)):
        source_of(options(*given))
