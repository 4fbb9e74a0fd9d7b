"""The README: its length, its links, and its commands in a fresh clone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.clone import COMMANDS, README, ROOT, run_readme


def test_the_readme_is_short_and_has_its_two_commands() -> None:
    assert len(README.splitlines()) < 120
    assert COMMANDS[:2] == ["make demo", "make test"]
    assert "make test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.spark
def test_the_readme_s_commands_work_in_a_fresh_clone(tmp_path: Path) -> None:
    folder, done = run_readme(tmp_path)
    said = done.stdout
    assert done.returncode == 0, said[-3000:] + done.stderr[-3000:]
    assert done.stderr == ""
    assert "203,197 transactions" in said and "203,197 transactions" in README
    assert said.count("average_precision") == 1 and said.count("  train  ") == 2
    assert "/branchline/fraud-training/a-feature" in said
    assert "0 of 0 rows" in said and "are in quarantine; now run `-e featurize" in said
    pictures = list((folder / ".local" / "artifacts").rglob("*.png"))
    assert len(pictures) >= 12


def test_every_file_that_the_readme_points_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link
