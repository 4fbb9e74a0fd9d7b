from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from branchline.errors import Unreachable
from branchline.features.online import Store, open_store
from branchline.features.online.redis_store import RedisStore

# Writes n = 1, 2, ... into two records at once, until it is killed.
WRITER = """
import sys
from pathlib import Path
from branchline.features.online import SqliteStore
from branchline.features.online.redis_store import RedisStore
address, prefix = sys.argv[1:]
store = RedisStore(address, prefix) if "://" in address else SqliteStore(Path(address))
while True:
    store.update(["a", "b"],
                 lambda found: [b"%06d" % (int((found[0] or b"0")[:6]) + 1) * 5_000] * 2)
"""


def test_a_record_is_read_as_it_was_written(opened: Store) -> None:
    opened.update(["a", "ü\n"], lambda found: [b"\0\xff", b""])
    assert opened.read(["ü\n", "b", "a"]) == [b"", None, b"\0\xff"]
    assert sorted(opened.keys()) == ["a", "ü\n"]


def test_none_removes_a_record(opened: Store) -> None:
    opened.update(["a", "b"], lambda found: [b"1", b"2"])
    opened.update(["a", "c"], lambda found: [None, None])
    assert list(opened.keys()) == ["b"]


def test_a_thousand_records_are_read_and_written_at_once(opened: Store) -> None:
    keys = [str(number) for number in range(1100)]
    opened.update(keys, lambda found: [key.encode() for key in keys])
    assert opened.read(keys) == [key.encode() for key in keys]


def test_no_keys_are_no_records(opened: Store) -> None:
    opened.update([], lambda found: [])
    assert opened.read([]) == [] and list(opened.keys()) == []


def test_a_change_that_fails_changes_nothing(opened: Store) -> None:
    def fail(found: list[bytes | None]) -> list[bytes | None]:
        raise ZeroDivisionError

    opened.update(["a"], lambda found: [b"1"])
    with pytest.raises(ZeroDivisionError):
        opened.update(["a"], fail)
    opened.update(["b"], lambda found: [b"2"])
    assert opened.read(["a", "b"]) == [b"1", b"2"]


def test_updates_of_two_writers_are_both_kept(opened: Store) -> None:
    def add() -> None:
        for _ in range(200):
            opened.update(["n"], lambda found: [b"%d" % (int(found[0] or 0) + 1)])

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened.read(["n"]) == [b"400"]


@pytest.mark.parametrize("number", range(5))
def test_a_writer_that_is_killed_leaves_no_half_update(opened: Store, address: str, tmp_path: Path,
                                                       number: int) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, address, tmp_path.name])
    try:
        while opened.read(["a"]) == [None]:
            assert writer.poll() is None
            time.sleep(0.01)
        time.sleep(0.013 * number)
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    first, second = opened.read(["a", "b"])
    assert first and first == second == first[:6] * 5_000
    opened.update(["a"], lambda found: [b"after"])
    assert opened.read(["a"]) == [b"after"]


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="Redis server .* replay of the stream is safe"):
        RedisStore(f"unix://{tmp_path}/nothing").read(["a"])


@pytest.mark.parametrize("make", [Path.mkdir, lambda file: file.write_bytes(b"no database" * 99)],
                         ids=["a folder", "another file"])
def test_a_file_that_cannot_be_a_store_is_named(make: Callable[[Path], object],
                                                tmp_path: Path) -> None:
    make(tmp_path / "store")
    with pytest.raises(Unreachable, match="its file cannot be used: .*replay of the stream"):
        open_store(str(tmp_path / "store"))
