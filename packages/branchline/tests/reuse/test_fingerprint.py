from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from branchline import BadInput, Settings, parameter
from branchline.reuse.code import Code
from branchline.reuse.fingerprint import Fingerprint, settings_of

BEFORE = Fingerprint({"team/a.py": "1", "team/b.py": "2"}, {"days": "7"}, {"numpy": "2.4"},
                     {"bronze.raw": "3/1000"})


@dataclass(frozen=True)
class Ours(Settings):
    days: int = parameter(7, "days")
    seed: int = parameter(0, "a seed")
    names: tuple[str, ...] = parameter((), "names")


@pytest.mark.parametrize(("now", "told"), [
    (BEFORE, []),
    (replace(BEFORE, code={"team/a.py": "1", "team/b.py": "x", "team/c.py": "3"}),
     ["code changed: team/b.py, team/c.py"]),
    (replace(BEFORE, code={f"team/{number}.py": "" for number in range(9)}),
     ["code changed: team/0.py, team/1.py, team/2.py and 8 more"]),
    (replace(BEFORE, settings={"days": "14"}), ["settings changed: days 7 -> 14"]),
    (replace(BEFORE, settings={"days": "7", "of_this_project": "1"}), []),
    (replace(BEFORE, libraries={"numpy": "2.5", "pandas": "3.0"}),
     ["libraries changed: numpy 2.4 -> 2.5, pandas none -> 3.0"]),
    (replace(BEFORE, tables={}), []),
])
def test_a_difference_names_what_changed(now: Fingerprint, told: list[str]) -> None:
    assert now.differences(BEFORE) == told


def test_only_the_project_s_settings_that_the_code_can_read_count() -> None:
    code = Code({}, {}, frozenset({"days", "names", "table", "limit"}))
    assert settings_of(Ours(days=3, seed=5, limit=9), code) == {"days": "3", "names": "()"}


def test_a_long_value_is_kept_as_a_hash() -> None:
    many = Ours(names=tuple(f"a secret {number}" for number in range(9)))
    kept = settings_of(many, Code({}, {}, frozenset({"names"})))
    assert kept["names"].startswith("sha256:") and "secret" not in kept["names"]
    now = replace(BEFORE, settings=kept)
    assert now.differences(replace(BEFORE, settings={"names": "()"})) == [
        "settings changed: names"]


def test_a_fingerprint_is_read_as_written_and_a_newer_one_is_refused() -> None:
    assert Fingerprint.read(BEFORE.written(of="main"), "the file") == BEFORE
    with pytest.raises(BadInput, match="upgrade branchline"):
        Fingerprint.read({**BEFORE.written(), "format": "step-fingerprint/2"}, "the file")
