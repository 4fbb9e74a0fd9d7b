"""branchline serve: a logged model as a web service."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.config.declaration import function, imported
from branchline.errors import BadInput, NotInstalled

if TYPE_CHECKING:
    from branchline.serving import Service

__all__ = ["command"]

KEY = "BRANCHLINE_API_KEY"
TRACKING = "sqlite:///.local/mlflow.db"
COLLECTOR = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command("serve", context_settings=options.help_names)
@click.argument("service")
@click.option("--model", required=True, metavar="ADDRESS", envvar="BRANCHLINE_MODEL",
              help="The model: an MLflow address, as in models:/NAME@champion, or a folder.")
@click.option("--store", metavar="STORE", envvar="BRANCHLINE_STORE",
              help="The online store: a file, or redis://HOST; none: features must be given.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 256),
              help="How many processes share the port: one a core.")
@click.option("--no-key", is_flag=True, help="Let everyone who reaches the host call it.")
@click.option("--store-lost", default="refuse", show_default=True,
              type=click.Choice(["refuse", "degraded"]), envvar="BRANCHLINE_STORE_LOST",
              help="If the store does not answer: answer 503, or score without an entity's past.")
@click.option("--reload", "reload_seconds", type=click.FloatRange(1), metavar="SECONDS",
              help="Ask this often whether the address names another model; by default never.")
@options.inference_log
@options.debug
def command(debug: bool, **given: Any) -> None:
    """Serve a logged model over HTTP until SIGTERM or Ctrl-C.

    SERVICE is a project, whose MLproject names the function that opens it (`service:`); or, outside
    a repository, this function, as in my_package.service:open_service. With the variable
    BRANCHLINE_API_KEY, callers must have this key; with OTEL_EXPORTER_OTLP_ENDPOINT, traces are
    sent to that collector.

    \b
    Exit codes: 0 stopped, 2 a model or store that cannot be used, 3 the model cannot be loaded,
    130 interrupted.
    """
    asked = _Options(**given)
    key = os.environ.get(KEY) or None
    if key is None and asked.host not in LOOPBACK and not asked.no_key:
        raise BadInput(f"host {asked.host}: everyone who reaches it could call the service; set "
                       f"the variable {KEY}, or pass --no-key.")
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a request is small; processes use the cores
    try:
        from branchline.serving.server import serve
        from branchline.serving.settings import ServerSettings
    except ImportError as problem:
        raise NotInstalled(f"package {problem.name}: is missing; install "
                           "branchline[serving].") from None
    source = _Source(_function(asked.service), asked.model, asked.store,
                     {"degraded": True} if asked.store_lost == "degraded" else {})
    source.fetch()
    settings = ServerSettings(
        asked.host, asked.port, asked.processes, key, reload_seconds=asked.reload_seconds,
        log=options.log_settings(asked.inference_log, asked.hash_ids, os.environ),
        traces=_traces(os.environ))
    click.echo(f"http://{asked.host}:{asked.port}/docs", err=True)
    serve(source, settings, source.reload)


def _traces(environment: Mapping[str, str]) -> bool:
    """Whether a collector is named, and the packages are here that send it traces.

    A cluster may name one to every container, also to images without these packages.
    """
    if not any(environment.get(name) for name in COLLECTOR):
        return False
    from branchline.serving.telemetry import is_installed
    if is_installed():
        return True
    click.echo("traces: none are sent, since OpenTelemetry is missing; install "
               "branchline[telemetry].", err=True)
    return False


@dataclass(frozen=True)
class _Options:
    """The options of the command, by click's names."""

    service: str
    model: str
    store: str | None
    host: str
    port: int
    processes: int
    no_key: bool
    store_lost: str
    reload_seconds: float | None
    inference_log: Path | None
    hash_ids: str | None


@dataclass
class _Source:
    """Opens the service of the model at an address; each process that serves has its own."""

    opened: Callable[..., Service]
    model: str
    store: str | None
    more: Mapping[str, Any]
    folder: Path = field(default=Path(), init=False)

    def fetch(self) -> None:
        from branchline.serving.logged import fetched
        tracking = os.environ.get("MLFLOW_TRACKING_URI") or TRACKING
        self.folder = fetched(self.model, tracking, Path(".local", "models"))

    def __call__(self) -> Service:
        return self.opened(str(self.folder), self.store, **self.more)

    def reload(self, version: str) -> Service | None:
        """The service of the model that the address names now; None if it is that version."""
        from branchline.serving.logged import version_of
        self.fetch()
        return None if version_of(self.folder) == version else self()


def _function(name: str) -> Callable[[str, str | None], Service]:
    found: Callable[[str, str | None], Service]
    if ":" in name:
        found = function("service", name)
        return found
    project = Repository.current().project(name)
    found = imported(project, "service", project.service)
    return found
