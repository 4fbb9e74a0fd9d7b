"""How often the gate errs about two versions of the pipeline, on simulated pairs."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.gate_replay import EFFECTS, OUTCOMES, STRICT, WORLDS, judged
from fraud_detection.data.world import World


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS[:2])
def test_equal_versions_are_refused_no_more_often_than_the_level(world: World) -> None:
    counts = Counter(judged(world, 0, seed)[0] for seed in range(100))
    print(f"{world}: 100 pairs without a difference: {dict(counts)}")
    assert counts["fail"] / 100 <= STRICT.level and set(counts) <= set(OUTCOMES)


@pytest.mark.slow
def test_most_clearly_worse_versions_are_refused() -> None:
    counts = Counter(judged(WORLDS[1], EFFECTS[-1], seed)[0] for seed in range(40))
    print(f"40 pairs that differ: {dict(counts)}")
    assert counts["fail"] >= 25
