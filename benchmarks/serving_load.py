"""Load for the service: latency at a rate, throughput of many connections, memory over time."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psutil

__all__ = ["Case", "at_rate", "grown", "throughput"]

HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Case:
    """What is asked: a port, a path, and bodies that follow one another."""

    port: int
    path: str
    bodies: Sequence[bytes]

    def ask(self, connection: http.client.HTTPConnection, number: int) -> None:
        connection.request("POST", self.path, self.bodies[number % len(self.bodies)], HEADERS)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{self.path}: {answer.status} {said[:200]!r}")


def at_rate(case: Case, rate: int, seconds: float, connections: int = 8) -> tuple[float, float]:
    """p50 and p99 in milliseconds, counted from when each request was due, not when it was sent."""
    taken: list[float] = []
    numbers, begin = _numbers(int(rate * seconds)), time.perf_counter() + 0.2

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", case.port)
        for number in numbers:
            due = begin + number / rate
            time.sleep(max(due - time.perf_counter(), 0))
            case.ask(connection, number)
            taken.append(time.perf_counter() - due)
        connection.close()

    _together(work, connections)
    cuts = statistics.quantiles(taken, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def throughput(case: Case, seconds: float, connections: int = 8) -> float:
    """Requests a second of connections that ask as soon as they are answered."""
    count, end = [0], time.perf_counter() + seconds

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", case.port)
        while time.perf_counter() < end:
            case.ask(connection, count[0])
            count[0] += 1
        connection.close()

    _together(work, connections)
    return count[0] / seconds


def grown(case: Case, requests: int, process: int) -> list[float]:
    """The process's memory in MiB after each fifth of the requests."""
    about, found = psutil.Process(process), list[float]()
    connection = http.client.HTTPConnection("127.0.0.1", case.port)
    for number in range(requests):
        case.ask(connection, number)
        if (number + 1) % (requests // 5) == 0:
            found.append(about.memory_info().rss / 2**20)
    connection.close()
    return found


def _numbers(most: int) -> Iterator[int]:
    """The numbers below, each once for all threads: `next` of a range's iterator is atomic."""
    return iter(range(most))


def _together(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
