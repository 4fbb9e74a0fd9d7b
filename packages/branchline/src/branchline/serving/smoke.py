"""Checks a running service as a client, from a container of its image: `python -m` this, URL.

Without a URL it only loads the model and scores its golden rows, as the image's build does.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from branchline.errors import BranchlineError, RunFailed, Unreachable
from branchline.serving.readiness import Readiness
from branchline.serving.service import Floats, Service

__all__ = ["Client", "check"]

KEY, PATH = "BRANCHLINE_API_KEY", "/invocations"
ATTEMPTS, WAIT_SECONDS, TIMED = 10, 1.0, 200


@dataclass(frozen=True)
class Client:
    """Sends requests to the service at `address`, with its API key."""

    address: str
    key: str | None

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body of the answer; a body to send is JSON.

        Raises:
            Unreachable: there is no answer.
        """
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["X-API-Key"] = self.key
        request = urllib.request.Request(self.address + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()
        except (OSError, ValueError) as problem:
            raise Unreachable(f"{self.address}{path}: does not answer: {problem}.") from None


def check(service: Service, client: Client, latency_ms: float) -> list[str]:
    """What was checked, one line each: version, golden rows, a bad request, latency.

    Raises:
        RunFailed: an answer is not as expected.
        Unreachable: there is none.
    """
    return [_version(service, client), _golden(service, client), _refusal(client),
            _latency(service, client, latency_ms)]


def _version(service: Service, client: Client) -> str:
    """Retried: a proxy may not know the new pods for a moment."""
    for attempt in range(ATTEMPTS):
        try:
            status, body = client.ask(f"/v2/models/{service.name}")
            found = json.loads(body).get("versions") if status == 200 else body.decode()[:200]
            if status == 200 or status < 500:
                break
        except Unreachable:
            if attempt == ATTEMPTS - 1:
                raise
        time.sleep(WAIT_SECONDS)
    if found != [service.version]:
        raise RunFailed(f"model: found {found}, expected {[service.version]} as in this image.")
    return f"model {service.version}"


def _golden(service: Service, client: Client) -> str:
    rows = _rows(service)
    status, body = client.ask(PATH, _request(service, rows))
    expected = service.predict(rows).tolist()
    found = json.loads(body).get("predictions") if status == 200 else body.decode()[:200]
    if found != expected:
        raise RunFailed(f"golden rows: found {status} {found}, expected {expected}.")
    return f"golden rows {len(rows)}, the same to the bit"


def _refusal(client: Client) -> str:
    status, body = client.ask(PATH, b'{"dataframe_split": 17}')
    if status != 422 or "error" not in json.loads(body):
        raise RunFailed(f"bad request: found {status} {body.decode()[:200]}, expected 422 and a "
                        "line.")
    return "bad request 422"


def _latency(service: Service, client: Client, most: float) -> str:
    request, taken = _request(service, _rows(service)[:1]), []
    for _ in range(TIMED):
        began = time.perf_counter()
        status, body = client.ask(PATH, request)
        taken.append(1000 * (time.perf_counter() - began))
        if status != 200:
            raise RunFailed(f"request: found {status} {body.decode()[:200]}, expected 200.")
    median, high = np.percentile(taken, [50, 99])
    if high > most:
        raise RunFailed(f"latency: the 99th percentile is {high:.0f} ms, expected at most "
                        f"{most:g} ms (latency_ms in deploy.yml).")
    return f"latency p50 {median:.1f} ms, p99 {high:.1f} ms"


def _rows(service: Service) -> Floats:
    return service.golden.rows if service.golden else np.array([service.example], np.float64)


def _request(service: Service, rows: Floats) -> bytes:
    data = [[None if np.isnan(value) else value for value in row] for row in rows.tolist()]
    return json.dumps({"dataframe_split": {"columns": list(service.inputs),
                                           "data": data}}).encode()


def _opened(name: str, folder: str) -> Service:
    module, _, function = name.partition(":")
    opened: Callable[[str, str | None], Service] = getattr(import_module(module), function)
    return opened(folder, None)


def _main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="branchline.serving.smoke", description=__doc__)
    parser.add_argument("url", nargs="?", metavar="URL")
    parser.add_argument("--service", default=os.environ.get("BRANCHLINE_SERVICE"))
    parser.add_argument("--model", default=os.environ.get("BRANCHLINE_MODEL"))
    parser.add_argument("--latency-ms", type=float, default=250.0)
    given: Any = parser.parse_args(arguments)
    service = _opened(given.service, given.model)
    if problem := Readiness(service).problem():
        raise RunFailed(problem)
    if given.url:
        client = Client(given.url.rstrip("/"), os.environ.get(KEY) or None)
        print("\n".join(check(service, client, given.latency_ms)))


if __name__ == "__main__":
    try:
        _main(sys.argv[1:])
    except BranchlineError as failed:
        print(failed, file=sys.stderr, flush=True)
        sys.exit(failed.exit_code)
