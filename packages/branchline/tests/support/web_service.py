"""A web service in a process of its own, and requests to it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from support.clone import ROOT
from support.processes import free_port


START_SECONDS = 180


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class WebService:
    """`branchline serve` with these arguments, ready; stopped at the end of the block."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "branchline.cli.main", "serve", *arguments,
             "--port", str(self.port)],
            cwd=ROOT, env={**os.environ, **variables}, text=True, stderr=subprocess.PIPE)

    def __enter__(self) -> Self:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError((self.process.returncode, self.process.communicate()[1]))
            try:  # several processes share a socket that takes connections before they do
                if self.get("/v2/health/live").status == 200:
                    return self
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise AssertionError(f"the service did not start within {START_SECONDS} seconds")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, None, headers)

    def post(self, path: str, content: Any, **headers: str) -> Answer:
        """The content as JSON; bytes as they are."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.send("POST", path, body, {"Content-Type": "application/json", **{
            name.replace("_", "-"): value for name, value in headers.items()}})

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str],
             ) -> Answer:
        connection = self.connection()
        try:
            connection.request(method, path, body, dict(headers))
            found = connection.getresponse()
            return Answer(found.status, dict(found.headers), found.read())
        finally:
            connection.close()

    def stop(self) -> tuple[int, str]:
        """SIGTERM, and what the process returns and said by then."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            _, said = self.process.communicate(timeout=60)
        except ValueError:  # stopped already
            said = ""
        return self.process.returncode, said
