"""`make stream`: what is replayed, and the whole of it, small."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fraud_detection.data.world import World
from fraud_detection.demo.replay import arrivals, silver
from support.clone import ROOT


def test_a_replay_has_each_transaction_without_its_label_and_each_label_after_it() -> None:
    transactions = silver(World(customers=5, terminals=5, days=12))
    place: dict[tuple[bool, str], int] = {}
    for at, (is_label, value) in enumerate(arrivals(transactions, late=0.2)):
        row = json.loads(value)
        assert ("is_fraud" in row) is is_label is not ("amount" in row)
        place[is_label, row["transaction_id"]] = at
    keys = transactions["transaction_id"].to_pylist()
    assert len(place) == 2 * len(keys) > 50
    assert all(place[False, key] < place[True, key] for key in keys)
    came = [place[False, key] for key in keys]
    assert came != sorted(came)


@pytest.mark.slow
def test_the_demonstration_ends_by_itself_with_no_mismatch_and_what_to_try_next(
        tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fraud_detection.demo", "--rate", "100", "--seconds", "5",
         "--customers", "150", "--folder", str(tmp_path / "stream")], cwd=ROOT,
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "0 mismatches (0.000%)" in done.stdout and "worker    stopped: " in done.stdout
    assert "next   make stream RATE=3000" in done.stdout
