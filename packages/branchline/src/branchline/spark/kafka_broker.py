"""A Kafka broker on this machine, for tests and demonstrations: Apache Kafka, one node."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from uuid import uuid4

from branchline.errors import NotInstalled, Unreachable
from branchline.spark.jars import fetched, java

__all__ = ["Broker", "kafka_jars"]

REVISION = "4.4.0"
MODULES = (("org.apache.kafka", "kafka_2.13", REVISION), ("org.slf4j", "slf4j-nop", "1.7.36"))
START_SECONDS = 120
# The compiler's first stage alone: a broker that lives for minutes starts in half the time.
JAVA_OPTIONS = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
# The shell kills the broker when its own input ends, even if this process is killed.
WATCHED = ('exec 3<&0; "$@" 3<&- & broker=$!; '
           '(cat <&3 >/dev/null; kill -9 $broker) & wait $broker')


def kafka_jars() -> list[Path]:
    """Apache Kafka's jars, downloaded on first use (40 MB).

    Raises:
        NotInstalled: Java is missing, or the download failed.
    """
    return fetched("Kafka's jars", MODULES, types=("jar", "bundle"))


class Broker:
    """A broker on loopback with its data in `folder`; a second start finds the data again.

    `options` are further settings of Kafka's server.properties; `protocol` is its listener's.
    """

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None,
                 protocol: str = "PLAINTEXT") -> None:
        self._folder = folder
        self._protocol = protocol
        self._ports = [_free_port(), _free_port()]
        self._options = dict(options or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._ports[0]}"

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            NotInstalled: Java or Kafka's jars are missing.
            Unreachable: it ended, or did not answer for two minutes; the text names its log.
        """
        jars = kafka_jars()
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "server.properties").write_text(self._properties())
        if not (self._folder / "data" / "meta.properties").exists():
            self._format(jars)
        with open(self._folder / "broker.log", "ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", WATCHED, "sh", *self._command(jars, "kafka.Kafka")],
                stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
        self._wait()

    def stop(self) -> None:
        """End it at once, as a power cut would."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()  # the shell ends with the broker
            self._process = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _command(self, jars: list[Path], main: str, *arguments: str) -> list[str]:
        return [str(java()), *JAVA_OPTIONS, "-cp", os.pathsep.join(map(str, jars)), main,
                *arguments, str(self._folder / "server.properties")]

    def _format(self, jars: list[Path]) -> None:
        done = subprocess.run(
            self._command(jars, "kafka.tools.StorageTool", "format", "-t", uuid4().hex[:22], "-c"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            causes = [line for line in done.stdout.splitlines() if line[:1].strip()]
            raise NotInstalled(f"Kafka's broker: cannot use {self._folder}: {causes[-1]}")

    def _wait(self) -> None:
        assert self._process
        end = time.monotonic() + START_SECONDS
        while not _answers(self._ports[0]):
            if self._process.poll() is not None or time.monotonic() > end:
                raise Unreachable(f"Kafka's broker did not start; see {self._folder}/broker.log.")
            time.sleep(0.1)

    def _properties(self) -> str:
        listener, controller = (f"127.0.0.1:{port}" for port in self._ports)
        settings = {
            "process.roles": "broker,controller", "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"{self._protocol}://{listener},CONTROLLER://{controller}",
            "advertised.listeners": f"{self._protocol}://{listener}",
            "listener.security.protocol.map":
                f"{self._protocol}:{self._protocol},CONTROLLER:PLAINTEXT",
            "security.inter.broker.protocol": self._protocol,
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self._folder / "data"),
            "auto.create.topics.enable": "false",
            "log.cleaner.enable": "false",  # its buffer alone is half of the memory
            "offsets.topic.num.partitions": "1", "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "1", "transaction.state.log.min.isr": "1",
            "transaction.state.log.replication.factor": "1",
            "group.initial.rebalance.delay.ms": "0"}
        return "".join(f"{key}={value}\n" for key, value in (settings | self._options).items())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0
