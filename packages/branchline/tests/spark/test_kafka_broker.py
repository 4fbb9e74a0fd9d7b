from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from branchline.errors import NotInstalled
from branchline.spark.kafka_broker import Broker, kafka_jars
from support.processes import wait_until

pytestmark = pytest.mark.slow
HOLDER = ("import sys, pathlib; from branchline.spark.kafka_broker import Broker; "
          "started = Broker(pathlib.Path(sys.argv[1])); started.start(); "
          "print('up', flush=True); sys.stdin.read()")


def java_processes(folder: Path) -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["cmdline"])
            if f"{folder}/server.properties" in (each.info["cmdline"] or [])
            and "kafka.Kafka" in each.info["cmdline"] and "java" in each.info["cmdline"][0]]


def test_a_broker_ends_with_the_process_that_started_it_however_that_ends(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "up\n"
    assert len(java_processes(tmp_path)) == 1
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    wait_until(lambda: not java_processes(tmp_path))


def test_without_java_the_error_says_what_to_install(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(NotInstalled, match="Java: not found"):
        kafka_jars()


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    broker = Broker(tmp_path, {"log.dirs": "/proc/nothing"})
    with pytest.raises(NotInstalled, match=f"cannot use {tmp_path}"):
        broker.start()
