"""A workspace that does not answer: said soon, with its name, and given up by a setting."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from branchline.errors import Unreachable
from branchline.platforms.databricks.reach import host_of, reach
from support.processes import free_port
from workspace_server import Workspace


@pytest.fixture
def silent() -> Iterator[str]:
    """A host that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_host_that_answers_is_reached_silently(workspace: Workspace) -> None:
    said: list[str] = []
    reach(workspace.host, said.append, give_up=5)
    assert said == []


def test_a_host_without_a_server_is_named_and_given_up() -> None:
    host, said = f"http://127.0.0.1:{free_port()}", list[str]()
    with pytest.raises(Unreachable, match=f"{host}: does not answer for 3 seconds: Connection "
                                          "refused. Check the address in targets.yml"):
        reach(host, said.append, give_up=3)
    assert len(said) == 1 and said[0].startswith(f"{host} does not answer; retrying for ")


def test_a_host_that_is_silent_is_named_and_given_up(silent: str) -> None:
    said: list[str] = []
    with pytest.raises(Unreachable, match=f"{silent}: does not answer for 4 seconds: no answer"):
        reach(silent, said.append, give_up=4)
    assert len(said) == 1


@pytest.mark.parametrize(("host", "profile", "variables", "expected"), [
    ("https://a", None, {}, "https://a"),
    ("a.example.com", None, {}, "https://a.example.com"),
    (None, None, {"DATABRICKS_HOST": "https://b"}, "https://b"),
    (None, "team", {"DATABRICKS_HOST": "https://b"}, "https://of-team"),
    (None, None, {"DATABRICKS_CONFIG_PROFILE": "team"}, "https://of-team"),
    (None, None, {}, "https://of-default"),
    (None, "nobody", {}, None),
])
def test_the_host_is_the_one_that_sign_in_uses(
        tmp_path: Path, host: str | None, profile: str | None, variables: dict[str, str],
        expected: str | None) -> None:
    (tmp_path / "profiles").write_text(
        "[DEFAULT]\nhost = https://of-default\n[team]\nhost = https://of-team\n"
        "[broken%]\nhost = %(x\n")
    variables = {**variables, "DATABRICKS_CONFIG_FILE": str(tmp_path / "profiles")}
    assert host_of(host, profile, variables) == expected
