"""How a local run uses its checkout's warm engine, if there is one that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil

from branchline.errors import BadInput
from branchline.spark.engine_record import (TOKEN, USED, Engine, folder_of, identity, is_alive,
                                            locked, read, remove)

__all__ = ["BUSY_SECONDS", "misfit", "used"]

USER = "branchline"
RELEASE_SECONDS = 20
BUSY_SECONDS = 3.0  # the engine itself takes the lock for moments


@contextmanager
def used(root: Path, environment: Mapping[str, str],
         say: Callable[[str], None]) -> Iterator[dict[str, str]]:
    """The variables by which a run's process finds the engine, which serves it alone in the block.

    Empty without an engine, or if SPARK_REMOTE names a server already. `say` gets a line about an
    engine that there is, used or not. Spark's Python workers of earlier runs, which have their
    code, are ended first; at the end, what this run left at work is.
    """
    folder = folder_of(root)
    if "SPARK_REMOTE" in environment or not folder.is_dir():
        yield {}
        return
    with locked(folder / USED, BUSY_SECONDS) as free:
        engine = _fitting(folder, root, environment, free, say)
        if engine is None:
            yield {}
            return
        say(f"engine      warm, process {engine.process}")
        _end_workers(engine)
        session = str(uuid4())
        try:
            # Spark's clients send a token without TLS to the name localhost alone.
            yield {TOKEN: engine.token, "SPARK_REMOTE":
                   f"sc://localhost:{engine.port}/;user_id={USER};session_id={session}"}
        finally:
            _release(engine, session)


def _fitting(folder: Path, root: Path, environment: Mapping[str, str], free: bool,
             say: Callable[[str], None]) -> Engine | None:
    try:
        engine = read(folder)
        reason = engine and misfit(engine, folder, root, environment)
        if engine and not reason and not free:
            reason = f"another run is using process {engine.process}."
    except BadInput as problem:
        engine, reason = None, str(problem)
    if reason:
        say(f"engine      not used: {reason} This run starts a Spark of its own.")
    return None if reason else engine


def misfit(engine: Engine, folder: Path, root: Path, environment: Mapping[str, str]) -> str:
    """Why this checkout's runs cannot use the engine, and what to do about it; empty: they can."""
    if not is_alive(folder):
        remove(folder)
        return f"process {engine.process} is gone; `branchline engine start` starts another."
    now = identity(root, environment)
    for name, found in engine.belongs_to.items():
        if found != now.get(name):
            shown = f" ({found})" if name == "checkout" else ""
            return (f"process {engine.process} was started with another {name}{shown}; restart it: "
                    "`branchline engine stop`, `branchline engine start`.")
    return ""


def _end_workers(engine: Engine) -> None:
    """End Spark's Python workers; their parent, which has none of the steps' code, forks others."""
    with suppress(psutil.NoSuchProcess):
        workers = [worker for jvm in psutil.Process(engine.process).children()
                   for parent in jvm.children() for worker in parent.children()]
        for each in workers:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(workers, RELEASE_SECONDS)


def _release(engine: Engine, session: str) -> None:
    """Stop all that the session still does; the process that asked for it may have been killed."""
    import grpc  # type: ignore[import-untyped]
    from pyspark.sql.connect.proto import base_pb2, base_pb2_grpc
    credentials = grpc.composite_channel_credentials(
        grpc.local_channel_credentials(), grpc.access_token_call_credentials(engine.token))
    with suppress(grpc.RpcError), grpc.secure_channel(f"localhost:{engine.port}",
                                                      credentials) as channel:
        service = base_pb2_grpc.SparkConnectServiceStub(channel)  # type: ignore[no-untyped-call]
        service.ReleaseSession(
            base_pb2.ReleaseSessionRequest(
                session_id=session, user_context=base_pb2.UserContext(user_id=USER)),
            timeout=RELEASE_SECONDS)
