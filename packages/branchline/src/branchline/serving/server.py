"""Runs the service: one process, or several that share a port, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from branchline.serving.app import application
from branchline.serving.served import Reload
from branchline.serving.service import Service
from branchline.serving.settings import ServerSettings

__all__ = ["serve"]

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
START_SECONDS = 120  # uvicorn kills a process that answers it later, also while it still imports


def serve(load: Callable[[], Service], settings: ServerSettings,
          reload: Reload | None = None) -> None:
    """Serve until a signal ends it: requests that were begun are finished.

    Args:
        load: opens the service; called in each process, so it can be pickled, as can `reload`.

    Raises:
        BadInput: by `load`, where one process serves.
        Unreachable: the inference log cannot be written.
    """
    if settings.processes > 1:
        with tempfile.TemporaryDirectory(prefix="branchline-metrics-") as folder:
            os.environ[VARIABLE] = folder  # prometheus_client reads it as a process imports it
            config = _config(partial(_opened, load, settings, reload), settings, factory=True)
            load()  # what is wrong with it is said once, not by every process
            Multiprocess(config, [config.bind_socket()]).run()
    else:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # uvicorn sets its own, then raises it anew
        uvicorn.Server(_config(application(load(), settings, reload), settings)).run()


def _opened(load: Callable[[], Service], settings: ServerSettings,
            reload: Reload | None) -> object:
    return application(load(), settings, reload)


def _config(app: object, settings: ServerSettings, factory: bool = False) -> uvicorn.Config:
    return uvicorn.Config(
        app, settings.host, settings.port, factory=factory,  # type: ignore[arg-type]
        workers=settings.processes, log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=settings.stop_seconds,
        timeout_worker_healthcheck=START_SECONDS, ws="none", lifespan="on")
