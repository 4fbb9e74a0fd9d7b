"""The model that is served, with all that belongs to it; replaced as one when it is reloaded."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass

from branchline.inference_log import InferenceLog
from branchline.serving.metrics import Metrics
from branchline.serving.readiness import Readiness
from branchline.serving.recorder import Recorder
from branchline.serving.service import Service
from branchline.text import one_line

__all__ = ["Served", "reloading"]

# Opens the service of the model that the address names now; None: the one that is served.
Reload = Callable[[str], Service | None]


@dataclass(frozen=True)
class Served:
    service: Service
    readiness: Readiness
    recorder: Recorder

    @classmethod
    def of(cls, service: Service, metrics: Metrics, log: InferenceLog | None) -> Served:
        """The service, its golden rows scored."""
        return cls(service, Readiness(service), Recorder(service, metrics, log))


async def reloading(reload: Reload, seconds: float, version: Callable[[], str],
                    replace: Callable[[Service], bool]) -> None:
    """Replace the model every so often, if its address names another one, until cancelled.

    A model that cannot be loaded, or that is not ready, replaces none.
    """
    while True:
        await asyncio.sleep(seconds)
        try:
            found = await asyncio.to_thread(reload, version())
            if found is not None and await asyncio.to_thread(replace, found):
                print(f"model {found.version}: is served from now on", flush=True)
        except Exception as problem:  # loading a model runs whatever is in it
            print(one_line(f"model {version()} stays: {problem}"), file=sys.stderr, flush=True)
