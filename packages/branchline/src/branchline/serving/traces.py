"""Traces of requests by OpenTelemetry, sent by OTLP; none unless they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

from branchline.errors import NotInstalled

__all__ = ["Traces"]


class Traces:
    """Spans of requests, children of the caller's span (W3C `traceparent`).

    Args:
        endpoint: where an OTLP collector takes them by HTTP, such as http://127.0.0.1:4318; None:
            there are no traces.

    Raises:
        NotInstalled: the extra `tracing` of branchline is missing.
    """

    def __init__(self, endpoint: str | None, service: str, version: str) -> None:
        self._provider = None if endpoint is None else _provider(endpoint, service, version)
        self._tracer = self._provider and self._provider.get_tracer("branchline")

    def request(self, scope: Scope) -> AbstractContextManager[Any]:
        """In the block, the request's span is the current one; None without traces."""
        return nullcontext() if self._tracer is None else self._span(scope)

    @contextmanager
    def _span(self, scope: Scope) -> Iterator[Any]:
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind
        with self._tracer.start_as_current_span(
                scope["method"], extract(dict(Headers(scope=scope))), SpanKind.SERVER) as span:
            yield span

    def close(self) -> None:
        """Send what is left."""
        if self._provider:
            self._provider.shutdown()


def _provider(endpoint: str, service: str, version: str) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as problem:
        raise NotInstalled(f"package {problem.name}: is missing; traces need the extra `tracing` "
                           "of branchline.") from None
    resource = Resource.create({"service.name": service, "service.version": version})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
