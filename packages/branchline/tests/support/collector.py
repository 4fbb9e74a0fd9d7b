"""An OpenTelemetry collector on the loopback address that keeps the spans it is sent."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (ExportTraceServiceRequest,
                                                                      ExportTraceServiceResponse)

SECONDS = 60


class Collector:
    """Takes OTLP over HTTP; `spans` are those sent so far, `resource` the last sender."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.resource: Mapping[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for sent in request.resource_spans:
            self.resource = {each.key: each.value.string_value
                             for each in sent.resource.attributes}
            self.spans += [each for scope in sent.scope_spans for each in scope.spans]

    def trace(self, trace_id: str, count: int) -> dict[str, Any]:
        """A trace's spans by name, once `count` of them have come."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            found = {each.name: each for each in self.spans if each.trace_id.hex() == trace_id}
            if len(found) >= count:
                return found
            time.sleep(.05)
        raise AssertionError(f"{trace_id} has not got {count} spans within {SECONDS} seconds: "
                             f"{[(each.name, each.trace_id.hex()) for each in self.spans]}")


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            collector.take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
