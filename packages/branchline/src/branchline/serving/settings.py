"""What the server can be told, built once by the command that starts it."""

from __future__ import annotations

from dataclasses import dataclass, field

from branchline.inference_log import LogSettings

__all__ = ["Limits", "ServerSettings"]


@dataclass(frozen=True)
class Limits:
    """How large a request may be, and how long its body and its answer may take.

    `depth` is how deep JSON may be nested; `rows` are rows, records or elements of a tensor.
    """

    body_bytes: int = 8 * 2**20
    rows: int = 10_000
    depth: int = 8
    seconds: float = 10.0


@dataclass(frozen=True)
class ServerSettings:
    """Where the service listens, in how many processes, and who may call it.

    Without `api_key` everyone may; without `log` no inference log is written. `stop_seconds` is how
    long requests may take after SIGTERM; every `reload_seconds` the model's address is asked for
    anew, None: never. With `traces`, OpenTelemetry's variables say where to send them.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    processes: int = 1
    api_key: str | None = field(default=None, repr=False)
    limits: Limits = Limits()
    stop_seconds: int = 30
    log: LogSettings | None = None
    reload_seconds: float | None = None
    traces: bool = False
