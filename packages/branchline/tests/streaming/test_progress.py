"""A worker's counts, latencies and metrics."""

from __future__ import annotations

from pathlib import Path

import pytest

from branchline.streaming.progress import Latencies, Progress


def test_percentiles_are_exact_to_the_millisecond() -> None:
    found = Latencies()
    assert found.percentile(.95) == 0
    found.add(range(1, 101))
    found.add([-3])  # a producer's clock may be ahead
    assert [found.percentile(share) for share in (0, .5, .95, 1)] == [0, 50, 95, 100]


def test_a_line_has_what_happened_since_the_last_and_the_file_has_all(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(0, tmp_path / "worker.prom")
    progress.add(3, 1, 2, 1, [10, 20, 30])
    progress.show(7, "models:/m/1")
    progress.add(1, 0, 0, 0, [500])
    progress.show(0, "models:/m/1")
    first, second = capsys.readouterr().out.splitlines()
    assert "3 events" in first and "lag 7  p50 20 ms  p95 30 ms" in first
    assert "4 events" in second and "lag 0  p50 500 ms  p95 500 ms" in second
    metrics = (tmp_path / "worker.prom").read_text()
    assert "branchline_stream_events_total 4\n" in metrics
    assert "branchline_stream_latency_p95_seconds 0.5\n" in metrics
    assert 'branchline_stream_latency_seconds_bucket{le="0.1"} 3\n' in metrics
    assert "branchline_stream_latency_seconds_sum 0.56\n" in metrics
    assert "branchline_stream_latency_seconds_count 4\n" in metrics
    progress.show_end()
    assert "stopped: 4 events, 1 unusable messages, 2 labels (1 without" in capsys.readouterr().out
