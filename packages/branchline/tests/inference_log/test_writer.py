"""A line that was written survives, and a file is shipped only when nobody writes it any more."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from branchline.errors import BadInput, Unreachable
from branchline.inference_log import Entry, InferenceLog, LogSettings, Origin
from branchline.inference_log.writer import complete_left_files

ORIGIN = Origin("service", "fraud", "m-1", "ab12")
ENTRY = Entry({"amount": 1.5, "age": float("nan")}, 0.25, False, record_id="7",
              event_time=1_530_000_000_000, entities={"customer_id": "596"})


def complete(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(folder.glob("[!_]*.jsonl"))
            for line in file.read_text().splitlines()]


def left(folder: Path) -> list[Path]:
    return list(folder.glob("_*.jsonl"))


def test_a_line_has_plain_values_its_format_and_its_time(tmp_path: Path) -> None:
    log = InferenceLog(LogSettings(tmp_path))
    log.write([ENTRY, ENTRY], ORIGIN, "asked", 0.4567)
    log.close()
    one, other = complete(tmp_path)
    assert one["format"] == "inference/1" and one["request_id"] == other["request_id"] == "asked"
    assert one["line_id"] != other["line_id"] and one["time"].endswith("Z")
    assert json.loads(one["inputs"]) == {"amount": 1.5, "age": None}
    assert json.loads(one["entities"]) == {"customer_id": "596"}
    assert (one["score"], one["is_alert"], one["latency_ms"]) == (0.25, False, 0.457)
    assert not [value for value in one.values() if isinstance(value, list | dict)]


def test_ids_are_hashed_with_the_key_and_the_record_s_own_is_kept(tmp_path: Path) -> None:
    for key in (b"k" * 32, b"l" * 32):
        log = InferenceLog(LogSettings(tmp_path, key))
        log.write([ENTRY, ENTRY], ORIGIN)
        log.close()
    found = [json.loads(line["entities"])["customer_id"] for line in complete(tmp_path)]
    assert len(set(found)) == 2 and all(len(each) == 32 and "596" != each for each in found)
    assert {line["record_id"] for line in complete(tmp_path)} == {"7"}


def test_a_file_is_complete_at_its_size_and_the_next_one_begins(tmp_path: Path) -> None:
    log = InferenceLog(LogSettings(tmp_path, file_bytes=1000))
    for _ in range(7):
        log.write([ENTRY], ORIGIN)
    assert len(list(tmp_path.glob("[!_]*.jsonl"))) >= 2 and len(left(tmp_path)) <= 1
    log.close()
    assert len(complete(tmp_path)) == 7 and not left(tmp_path)


def test_a_file_is_complete_after_its_seconds_without_another_line(tmp_path: Path) -> None:
    log = InferenceLog(LogSettings(tmp_path, seconds=0.05))
    log.write([ENTRY], ORIGIN)
    end = time.monotonic() + 30
    while not complete(tmp_path) and time.monotonic() < end:
        time.sleep(0.01)
    assert len(complete(tmp_path)) == 1
    log.close()


def test_sigkill_loses_no_line_and_the_file_is_completed_by_who_comes_next(
        tmp_path: Path) -> None:
    script = ("import os, signal, sys; from pathlib import Path; "
              "from branchline.inference_log import *;"
              "log = InferenceLog(LogSettings(Path(sys.argv[1])));"
              "log.write([Entry({}, 0.5, True)] * 3, Origin('service', 'fraud', 'm-1'));"
              "os.kill(os.getpid(), signal.SIGKILL)")
    subprocess.run([sys.executable, "-c", script, str(tmp_path)])
    assert not complete(tmp_path) and len(left(tmp_path)) == 1
    running = InferenceLog(LogSettings(tmp_path))
    running.write([ENTRY], ORIGIN)
    assert len(complete(tmp_path)) == 3
    assert complete_left_files(tmp_path) == 0, "the running process's file was taken"
    running.close()
    assert len(complete(tmp_path)) == 4


def test_a_full_disk_is_an_error_and_leaves_no_half_line(tmp_path: Path) -> None:
    script = ("import resource, signal, sys; from pathlib import Path; "
              "from branchline.inference_log import *; from branchline.errors import Unreachable;"
              "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
              "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
              "log = InferenceLog(LogSettings(Path(sys.argv[1])));"
              "entry = Entry({'amount': 1.0}, 0.5, True)\n"
              "try:\n  [log.write([entry], Origin('service', 'fraud', 'm-1')) for _ in range(99)]\n"
              "except Unreachable as problem: print(problem)\n"
              "log.close()")
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True,
                          text=True, check=True)
    assert "cannot be written: File too large" in done.stdout
    assert 1 <= len(complete(tmp_path)) < 99  # each of them a whole line


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unreachable, match="^inference log: .*file cannot be written"):
        InferenceLog(LogSettings(tmp_path / "file"))


@pytest.mark.parametrize("value", [None, "short"])
def test_a_key_that_is_missing_or_short_is_refused_without_showing_it(value: str | None) -> None:
    environment = {} if value is None else {"LOG_KEY": value}
    with pytest.raises(BadInput, match="^environment variable LOG_KEY: found . characters, exp"
                       ) as problem:
        LogSettings.of(Path("x"), "LOG_KEY", environment)
    assert "short" not in str(problem.value).replace("a key of", "")
