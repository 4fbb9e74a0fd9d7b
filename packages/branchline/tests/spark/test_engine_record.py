"""What is known of an engine without starting one: its lock and its record."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from branchline.spark.engine_record import (ALIVE, Engine, is_alive, is_served_by, locked, remove,
                                            write)


def test_a_folder_without_a_lock_has_no_engine_and_looking_makes_none(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    assert not is_alive(folder) and not folder.exists()
    with pytest.raises(FileNotFoundError), locked(folder / ALIVE):
        pass
    assert not folder.exists()


def test_the_lock_of_a_process_is_an_engine(tmp_path: Path) -> None:
    with locked(tmp_path / ALIVE) as taken:
        assert taken and is_alive(tmp_path)
    assert not is_alive(tmp_path)


def test_one_that_looks_is_not_taken_for_an_engine_by_another(tmp_path: Path) -> None:
    (tmp_path / ALIVE).touch()
    with (tmp_path / ALIVE).open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH | fcntl.LOCK_NB)  # as is_alive does for a moment
        assert not is_alive(tmp_path)


def test_a_record_is_its_process_s_own(tmp_path: Path) -> None:
    write(tmp_path, Engine(12, 15002, "a-token", {}))
    assert is_served_by(tmp_path, 12) and not is_served_by(tmp_path, 13)
    (tmp_path / "engine.json").write_text("{")
    assert not is_served_by(tmp_path, 12)
    remove(tmp_path)
    assert not is_served_by(tmp_path, 12)
