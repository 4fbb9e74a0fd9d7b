"""What two sets of pods answered in a while, by their metrics: `python -m` this, in the cluster."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from branchline.errors import RunFailed, Unreachable
from branchline.serving.smoke import KEY, Client

__all__ = ["Values", "difference", "outcomes", "read"]

Values = dict[tuple[str, str], float]  # (what, its status, bound, or name and value) to a count
NOT_SCORING = ("/v2/health", "/metrics", "/docs", "/openapi", "other")
COUNTED = {"branchline_requests_total": ["status"], "branchline_request_seconds_bucket": ["le"],
           "branchline_output_bucket": ["name", "le"], "branchline_flags_total": ["name", "value"]}


def read(text: str) -> Values:
    """The counts that matter, summed over routes that score."""
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = COUNTED.get(sample.name)
            if labels and _scores(sample.labels.get("route", "")):
                key = " ".join(sample.labels[label] for label in labels)
                found[sample.name, key] += sample.value
    return dict(found)


def _scores(route: str) -> bool:
    return not route.startswith(NOT_SCORING) and (
        not route.startswith("/v2") or route.endswith("/infer"))


def difference(before: Values, after: Values) -> Values:
    """What was added; a process that was started anew begins at nothing."""
    anew = any(after.get(key, 0) < value for key, value in before.items())
    return after if anew else {key: value - before.get(key, 0) for key, value in after.items()}


def outcomes(differences: Iterable[Values]) -> dict[str, Any]:
    """The sums of several pods as a JSON object.

    `requests` and `failed` (5xx) are counts, `seconds` cumulative counts by upper bound, `scores`
    the same by name and bound, `flags` counts by name and value, such as `is_alert true`.
    """
    total: defaultdict[tuple[str, str], float] = defaultdict(float)
    for each in differences:
        for key, value in each.items():
            total[key] += value

    def of(name: str) -> dict[str, float]:
        return {key: value for (what, key), value in total.items() if what == name}

    answered = of("branchline_requests_total")
    return {"requests": sum(answered.values()),
            "failed": sum(value for status, value in answered.items() if status >= "500"),
            "seconds": of("branchline_request_seconds_bucket"),
            "scores": of("branchline_output_bucket"), "flags": of("branchline_flags_total")}


def _values(client: Client) -> Values:
    status, body = client.ask("/metrics")
    if status != 200:
        raise RunFailed(f"{client.address}/metrics: found {status}, expected 200.")
    return read(body.decode())


def _watched(clients: dict[str, list[Client]], seconds: float) -> dict[str, Any]:
    """A pod that is gone at the end counts for nothing, and as lost."""
    before = {client: _values(client) for listed in clients.values() for client in listed}
    time.sleep(seconds)
    found: dict[str, Any] = {}
    for track, listed in clients.items():
        added, lost = [], 0
        for client in listed:
            try:
                added.append(difference(before[client], _values(client)))
            except Unreachable:
                lost += 1
        found[track] = {**outcomes(added), "lost": lost}
    return found


def _main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="branchline.serving.outcomes", description=__doc__)
    parser.add_argument("--seconds", type=float, required=True)
    for track in ("stable", "canary"):
        parser.add_argument(f"--{track}", nargs="+", required=True, metavar="URL")
    given: Any = parser.parse_args(arguments)
    key = os.environ.get(KEY) or None
    clients = {track: [Client(url, key) for url in getattr(given, track)]
               for track in ("stable", "canary")}
    print(json.dumps(_watched(clients, given.seconds)))


if __name__ == "__main__":
    try:
        _main(sys.argv[1:])
    except (RunFailed, Unreachable) as failed:
        print(failed, file=sys.stderr, flush=True)
        sys.exit(failed.exit_code)
