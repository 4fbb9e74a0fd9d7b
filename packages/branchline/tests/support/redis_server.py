"""A Redis server for tests: the distribution's, from PATH or unpacked into the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from support.debian import unpacked

PACKAGES = ("redis-server", "redis-tools", "libjemalloc2", "liblzf1", "libatomic1")
START_SECONDS = 30


class RedisServer:
    """A server on a socket, with its data in `folder`; after `kill`, `start` begins with these."""

    def __init__(self, folder: Path, place: Path, *options: str) -> None:
        self._folder, self._socket, self._options = folder, place / "socket", options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    def start(self) -> None:
        program, variables = _program()
        self._process = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", self._socket, "--save", "", "--dir",
             self._folder, *self._options], env={**os.environ, **variables},
            stdout=subprocess.DEVNULL)
        _wait(self._process, str(self._socket))

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    """A server of its own; it ends with the block."""
    # Unix allows a socket's path about 100 bytes.
    with tempfile.TemporaryDirectory(prefix="redis-") as place:
        server = RedisServer(folder, Path(place), *options)
        server.start()
        try:
            yield server
        finally:
            server.kill()


def _wait(server: subprocess.Popen[bytes], socket: str) -> None:
    client, end = redis.Redis(unix_socket_path=socket), time.monotonic() + START_SECONDS
    while True:
        try:
            client.ping()
            return
        except redis.ConnectionError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.02)


def _program() -> tuple[str, dict[str, str]]:
    """redis-server, and the variables that it needs."""
    if found := shutil.which("redis-server"):
        return found, {}
    folder = unpacked("redis-server", PACKAGES)
    libraries = {str(file.parent) for file in folder.rglob("lib*.so.*")}
    return str(folder / "usr/bin/redis-server"), {"LD_LIBRARY_PATH": ":".join(sorted(libraries))}
