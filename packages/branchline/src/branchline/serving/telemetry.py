"""OpenTelemetry traces of requests, sent to a collector in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

__all__ = ["is_installed", "span", "start", "trace_id"]

STOP_SECONDS = 3.0  # for what is left to send when the service ends
UNTRACED = r"/v2/health/,/metrics$"
_OFF: AbstractContextManager[Any] = nullcontext()
_tracer: Tracer | None = None  # of the process, as OpenTelemetry's own


def is_installed() -> bool:
    """Whether the packages of the extra `telemetry` are here."""
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.instrumentation.fastapi  # noqa: F401
    except ImportError:
        return False
    return True


def start(app: FastAPI, name: str, version: str) -> Callable[[], None]:
    """Trace the requests of `app`, and return what ends it: it sends the spans that are left.

    Where to send, sampling, headers and the resource follow OpenTelemetry's standard variables;
    `name` and `version` are the service's unless they say otherwise. A collector that does not
    answer costs spans, never a request.
    """
    global _tracer
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.metrics import NoOpMeterProvider
    provider = _provider(name, version)
    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=provider, meter_provider=NoOpMeterProvider(), excluded_urls=UNTRACED,
        exclude_spans=["receive", "send"])
    _tracer = provider.get_tracer("branchline")

    def end() -> None:
        worker = threading.Thread(target=provider.shutdown, daemon=True)
        worker.start()
        worker.join(STOP_SECONDS)

    return end


def _provider(name: str, version: str) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    own = Resource.create({"service.name": name, "service.version": version})
    found = TracerProvider(resource=own.merge(OTELResourceDetector().detect()),
                           shutdown_on_exit=False)
    found.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return found


def span(name: str) -> AbstractContextManager[Any]:
    """A part of the request that is answered here; nothing where traces are off."""
    return _OFF if _tracer is None else _tracer.start_as_current_span(name)


def trace_id() -> str | None:
    """The trace of the request that is answered here, in 32 hexadecimal digits."""
    if _tracer is None:
        return None
    from opentelemetry.trace import format_trace_id, get_current_span
    found = get_current_span().get_span_context()
    return format_trace_id(found.trace_id) if found.is_valid else None
