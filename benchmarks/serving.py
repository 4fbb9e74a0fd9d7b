"""The service against a plain FastAPI with scikit-learn, on the same row, in turn."""

from __future__ import annotations

import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "packages" / "branchline" / "tests"))

SERVICE = "fraud_detection.scoring.service:open_service"
LIVE = datetime(2018, 5, 28, tzinfo=timezone.utc)
ROUNDS, CALLS = 5, 200
PLAIN = """
import os, sys
os.environ["OMP_NUM_THREADS"] = "1"
import pandas, uvicorn
from fastapi import FastAPI
from branchline.serving.logged import read_logged
from pathlib import Path
model = read_logged(Path(sys.argv[1])).model
app = FastAPI()

@app.post("/score")
def score(rows: list[dict[str, float]]) -> list[float]:
    return model.predict_proba(pandas.DataFrame(rows)[model.feature_names_in_])[:, 1].tolist()

uvicorn.run(app, port=int(sys.argv[2]), log_level="error")
"""


def run() -> None:
    from support.processes import free_port
    from tests.served import as_records, batch_features, fill_store, save_model, silver
    with tempfile.TemporaryDirectory() as name:
        folder, transactions = Path(name), silver()
        rows = batch_features(transactions)
        model = save_model(folder / "model", rows)
        store = fill_store(folder / "events.db", transactions, LIVE)
        about = ["--model", str(model), "--store", str(store)]
        ports = free_port(), free_port(), free_port()
        with (_started(["-m", "branchline.cli.main", "serve", SERVICE, *about,
                        "--port", str(ports[0])], ports[0]),
              _started(["-c", PLAIN, str(model), str(ports[1])], ports[1]),
              _mlflow(model, ports[2]) as mlflow_serves):
            _print(_measured(_cases(rows, as_records(transactions), ports, mlflow_serves)))


def _cases(rows: Any, records: list[dict[str, Any]], ports: tuple[int, int, int],
           mlflow_serves: bool) -> dict[str, tuple[int, str, list[bytes]]]:
    """What is measured: port, path and the bodies, which follow one another."""
    from fraud_detection.model.estimators import inputs
    names = inputs("hist_gradient_boosting", "full")
    row = rows.iloc[-1][names].astype(float).to_dict()
    tensors = {"inputs": [{"name": name, "datatype": "FP64", "shape": [1], "data": [value]}
                          for name, value in row.items()]}
    live = [each for each in records if each["event_time"] >= LIVE.isoformat()]
    lists = _bodies({"dataframe_split": {"columns": names, "data": [list(row.values())]}})
    found = {"features given, /v2/.../infer": (ports[0], "/v2/models/fraud/infer",
                                               _bodies(tensors)),
             "features given, /invocations": (ports[0], "/invocations", lists),
             "raw transactions, /score": (ports[0], "/score", [
                 json.dumps({"transactions": [each]}).encode() for each in live]),
             "plain FastAPI, scikit-learn, pandas": (ports[1], "/score", _bodies([row]))}
    if mlflow_serves:
        found["mlflow models serve"] = (ports[2], "/invocations", lists)
    return found


def _bodies(content: Any) -> list[bytes]:
    return [json.dumps(content).encode()]


def _measured(cases: dict[str, tuple[int, str, list[bytes]]]) -> dict[str, list[float]]:
    """Seconds of each call on one kept connection; the cases take turns."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    sent = dict.fromkeys(cases, 0)
    for _ in range(ROUNDS):
        for name, (port, path, bodies) in cases.items():
            connection = http.client.HTTPConnection("127.0.0.1", port)
            for _ in range(CALLS):
                body = bodies[sent[name] % len(bodies)]
                sent[name] += 1
                began = time.perf_counter()
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                said = answer.read()
                taken[name].append(time.perf_counter() - began)
                if answer.status != 200:
                    raise SystemExit(f"{name}: {answer.status} {said[:200]!r}")
            connection.close()
    return taken


def _print(taken: dict[str, list[float]]) -> None:
    table = Table("one row a request, one connection", "p50 ms", "p99 ms", "requests/s", "ratio",
                  box=None)
    plain = sum(taken["plain FastAPI, scikit-learn, pandas"])
    for name, seconds in taken.items():
        cuts = statistics.quantiles(seconds, n=100)
        table.add_row(name, f"{cuts[49] * 1000:.2f}", f"{cuts[98] * 1000:.2f}",
                      f"{len(seconds) / sum(seconds):,.0f}", f"{plain / sum(seconds):.1f}")
    Console(width=100, highlight=False).print(table)


@contextmanager
def _started(arguments: list[str], port: int, path: str = "/docs") -> Iterator[None]:
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 180
        while not _answers(port, path):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{arguments[:4]}: did not start")
            time.sleep(0.2)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@contextmanager
def _mlflow(model: Path, port: int) -> Iterator[bool]:
    """`mlflow models serve`; False where it does not start here."""
    started = _started(["-m", "mlflow", "models", "serve", "-m", str(model), "-p", str(port),
                        "--env-manager", "local", "--workers", "1"], port, "/ping")
    try:
        started.__enter__()
    except SystemExit as problem:
        print(problem)
        yield False
        return
    try:
        yield True
    finally:
        started.__exit__(None, None, None)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
