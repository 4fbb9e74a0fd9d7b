from __future__ import annotations

from branchline.serving.metrics import Metrics
from branchline.serving.outcomes import difference, outcomes, read


def test_counts_of_scoring_routes_are_read_and_those_of_probes_are_not() -> None:
    metrics = Metrics(shared=False)
    for route, status in (("/v2/models/{model}/infer", "200"), ("/invocations", "500"),
                          ("/score", "422"), ("/v2/health/ready", "503"), ("/metrics", "200"),
                          ("/v2/models/{model}", "200"), ("other", "401")):
        metrics.requests.labels(route, status).inc()
        metrics.seconds.labels(route).observe(0.003)
    metrics.predicted("score", [0.2, 0.7, None])
    metrics.predicted("is_alert", [False, True, None])
    found = outcomes([read(metrics.text().decode())])
    assert (found["requests"], found["failed"]) == (3, 1)
    assert found["seconds"]["0.005"] == 3 and found["seconds"]["0.002"] == 0
    assert (found["scores"]["score 0.2"], found["scores"]["score +Inf"]) == (1, 2)
    assert found["flags"] == {"is_alert true": 1, "is_alert false": 1}


def test_a_process_that_was_started_anew_counts_from_nothing() -> None:
    key = ("branchline_requests_total", "200")
    assert difference({key: 10}, {key: 15}) == {key: 5}
    assert difference({key: 10}, {key: 3}) == {key: 3}
