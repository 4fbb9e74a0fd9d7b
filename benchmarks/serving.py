"""The service against a plain FastAPI with scikit-learn and MLflow, on the same rows, in turn."""

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
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.serving_load import Case, at_rate, grown, throughput

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "packages" / "branchline" / "tests"))

SERVICE = "fraud_detection.scoring.service:open_service"
LIVE = datetime(2018, 5, 28, tzinfo=timezone.utc)
ROUNDS, CALLS = 5, 200
SECONDS, REQUESTS = 10, 50_000
FEATURES, RAW = "features given, /invocations", "raw transactions, /score"
PLAIN_NAME, MLFLOW = "plain FastAPI, scikit-learn, pandas", "mlflow models serve"
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
        ports = free_port(), free_port(), free_port(), free_port()
        serve = ["-m", "branchline.cli.main", "serve", SERVICE, *about, "--port"]
        logged = ["--inference-log", str(folder / "log")]
        os.sched_setaffinity(0, {max(_cores())})  # the client's core
        with (_started([*serve, str(ports[0])], ports[0]) as process,
              _started([*serve, str(ports[3]), *logged], ports[3]),
              _started(["-c", PLAIN, str(model), str(ports[1])], ports[1]),
              _mlflow(model, ports[2]) as mlflow_serves):
            cases = _cases(rows, as_records(transactions), ports, mlflow_serves)
            _print_one(_measured(cases))
            _print_many(cases, process)


def _cases(rows: Any, records: list[dict[str, Any]], ports: tuple[int, int, int, int],
           mlflow_serves: bool) -> dict[str, Case]:
    from fraud_detection.model.estimators import inputs
    names = inputs("hist_gradient_boosting", "full")
    row = rows.iloc[-1][names].astype(float).to_dict()
    tensors = {"inputs": [{"name": name, "datatype": "FP64", "shape": [1], "data": [value]}
                          for name, value in row.items()]}
    live = [each for each in records if each["event_time"] >= LIVE.isoformat()]
    raw = [json.dumps({"transactions": [each]}).encode() for each in live]
    lists = _bodies({"dataframe_split": {"columns": names, "data": [list(row.values())]}})
    found = {"features given, /v2/.../infer": Case(ports[0], "/v2/models/fraud/infer",
                                                   _bodies(tensors)),
             FEATURES: Case(ports[0], "/invocations", lists), RAW: Case(ports[0], "/score", raw),
             f"{RAW}, logged": Case(ports[3], "/score", raw),
             PLAIN_NAME: Case(ports[1], "/score", _bodies([row]))}
    if mlflow_serves:
        found[MLFLOW] = Case(ports[2], "/invocations", lists)
    return found


@cache
def _cores() -> set[int]:
    """The cores as they were before the first call's process was bound to one."""
    return os.sched_getaffinity(0)


def _bodies(content: Any) -> list[bytes]:
    return [json.dumps(content).encode()]


def _measured(cases: dict[str, Case]) -> dict[str, list[float]]:
    """Seconds of each call on one kept connection; the cases take turns."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    sent = dict.fromkeys(cases, 0)
    for _ in range(ROUNDS):
        for name, case in cases.items():
            connection = http.client.HTTPConnection("127.0.0.1", case.port)
            for _ in range(CALLS):
                began = time.perf_counter()
                case.ask(connection, sent[name])
                taken[name].append(time.perf_counter() - began)
                sent[name] += 1
            connection.close()
    return taken


def _print_one(taken: dict[str, list[float]]) -> None:
    table = Table("one row a request, one connection", "p50 ms", "p99 ms", "requests/s", "ratio",
                  box=None)
    plain = sum(taken[PLAIN_NAME])
    for name, seconds in taken.items():
        cuts = statistics.quantiles(seconds, n=100)
        table.add_row(name, f"{cuts[49] * 1000:.2f}", f"{cuts[98] * 1000:.2f}",
                      f"{len(seconds) / sum(seconds):,.0f}", f"{plain / sum(seconds):.1f}")
    Console(width=100, highlight=False).print(table)


def _print_many(cases: dict[str, Case], process: int) -> None:
    """Throughput of eight connections, latency at a fixed rate, and memory."""
    rates = {name: throughput(cases[name], SECONDS)
             for name in (FEATURES, RAW, PLAIN_NAME, MLFLOW) if name in cases}
    for name, rate in rates.items():
        print(f"{name:<40} {rate:>8,.0f} requests/s, 8 connections "
              f"({rate / rates[PLAIN_NAME]:.1f} x plain)")
    for rate in (250, 500, 1000):
        half, most = at_rate(cases[RAW], rate, SECONDS)
        print(f"{RAW:<40} {rate:>8,} requests/s asked for: p50 {half:.2f} ms, p99 {most:.2f} ms")
    memory = grown(cases[RAW], REQUESTS, process)
    print(f"memory over {REQUESTS:,} requests: {', '.join(f'{each:.0f}' for each in memory)} MiB")


@contextmanager
def _started(arguments: list[str], port: int, path: str = "/docs") -> Iterator[int]:
    """The process's id."""
    path_of_programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, start_new_session=True,
        env={**os.environ, "PATH": path_of_programs},  # MLflow starts uvicorn by its name
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.sched_setaffinity(process.pid, {min(_cores())})  # MLflow's workers inherit it
    try:
        end = time.monotonic() + 180
        while not _answers(port, path):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{arguments[:4]}: did not start")
            time.sleep(0.2)
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
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
