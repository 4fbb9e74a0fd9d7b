"""The application: routes of health, the model, scoring and metrics around one service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from branchline.inference_log import InferenceLog
from branchline.serving import inference, openapi, telemetry
from branchline.serving.answers import add_handlers, json_answer
from branchline.serving.body import media_type, read
from branchline.serving.guard import Guard
from branchline.serving.invocations import rows_of_csv, rows_of_json
from branchline.serving.metrics import CONTENT_TYPE_LATEST, Metrics
from branchline.serving.raw_records import asked_of
from branchline.serving.recorder import Call
from branchline.serving.served import Reload, Served, reloading
from branchline.serving.service import Floats, Records, Service
from branchline.serving.settings import ServerSettings
from branchline.serving.values import shown

__all__ = ["application"]

T = TypeVar("T")
JSON, CSV = "application/json", "text/csv"
SMALL = 16 * 1024  # bytes that are worked on between two requests; for more, in a thread


def application(service: Service, settings: ServerSettings,
                reload: Reload | None = None) -> ASGIApp:
    """The service as an ASGI application, its golden rows scored.

    Raises:
        Unreachable: the inference log cannot be written.
    """
    frame = _Frame(service, settings)
    app = FastAPI(title=service.name, version=service.version, redoc_url=None,
                  lifespan=frame.lifespan(reload))
    add_handlers(app)
    frame.add_health(app)
    frame.add_model(app)
    frame.add_scoring(app)
    if service.records:
        frame.add_records(app, service.records)
    if settings.traces:
        frame.end_traces = telemetry.start(app, service.name, service.version)
    return Guard(app, settings.api_key, frame.metrics)


class _Frame:
    def __init__(self, service: Service, settings: ServerSettings) -> None:
        self.settings, self.limits = settings, settings.limits
        self.metrics = Metrics(settings.processes > 1)
        self.log = InferenceLog(settings.log) if settings.log else None
        self.served = Served.of(service, self.metrics, self.log)
        self.end_traces: Callable[[], None] | None = None
        self.metrics.model.labels(service.name, service.version).set(1)

    def replace(self, service: Service) -> bool:
        """Serve another model from the next request on, if it is ready; whether it does."""
        found = Served.of(service, self.metrics, self.log)
        if found.readiness.golden_problem:
            raise HTTPException(503, found.readiness.golden_problem)
        before, self.served = self.served.service, found
        self.metrics.model.labels(before.name, before.version).set(0)
        self.metrics.model.labels(service.name, service.version).set(1)
        return True

    def lifespan(self, reload: Reload | None) -> Callable[[FastAPI], Any]:
        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            seconds = self.settings.reload_seconds
            task = None if reload is None or seconds is None else asyncio.create_task(
                reloading(reload, seconds, lambda: self.served.service.version, self.replace))
            yield
            if task:
                task.cancel()
            if self.log:
                self.log.close()
            if self.end_traces:
                await asyncio.to_thread(self.end_traces)
        return lifespan

    async def _ready(self) -> str | None:
        problem = await self._in_thread(self.served.readiness.problem)
        self.metrics.ready.set(problem is None)
        return problem

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.wait_for(asyncio.to_thread(work), self.limits.seconds)
        except TimeoutError:
            raise HTTPException(503, f"the answer took more than {self.limits.seconds:g} seconds; "
                                "send fewer rows, or try again.", {"retry-after": "1"}) from None

    async def _worked(self, body: bytes, work: Callable[[], T]) -> T:
        return work() if len(body) <= SMALL else await self._in_thread(work)

    def _usable(self) -> Served:
        served = self.served
        if served.readiness.golden_problem:
            raise HTTPException(503, served.readiness.golden_problem)
        return served

    def add_health(self, app: FastAPI) -> None:
        @app.get("/v2/health/live", tags=["health"])
        async def live() -> Response:
            return json_answer({"live": True})

        @app.get("/v2/health/ready", tags=["health"])
        async def ready() -> Response:
            problem = await self._ready()
            said = {} if problem is None else {"error": problem}
            return json_answer({"ready": problem is None, "golden": self.served.readiness.golden,
                                **said}, 200 if problem is None else 503)

        @app.get("/metrics", tags=["health"])
        async def metrics() -> Response:
            return Response(self.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    def add_model(self, app: FastAPI) -> None:
        @app.get("/v2", tags=["model"])
        async def server() -> Response:
            return json_answer({"name": "branchline", "version": self.served.service.version,
                                "extensions": []})

        @app.get("/v2/models/{model}", tags=["model"])
        @app.get("/v2/models/{model}/versions/{version}", tags=["model"])
        async def about(model: str, version: str | None = None) -> Response:
            _check_model(self.served.service, model, version)
            return json_answer(inference.metadata(self.served.service))

        @app.get("/v2/models/{model}/ready", tags=["model"])
        @app.get("/v2/models/{model}/versions/{version}/ready", tags=["model"])
        async def model_ready(model: str, version: str | None = None) -> Response:
            _check_model(self.served.service, model, version)
            problem = await self._ready()
            said = {} if problem is None else {"error": problem}
            return json_answer({"name": model, "ready": problem is None, **said},
                               200 if problem is None else 503)

    def add_scoring(self, app: FastAPI) -> None:
        about = openapi.inference(self.served.service)

        @app.post("/v2/models/{model}/infer", tags=["scoring"], openapi_extra=about)
        @app.post("/v2/models/{model}/versions/{version}/infer", tags=["scoring"],
                  openapi_extra=about)
        async def infer(request: Request, model: str, version: str | None = None) -> Response:
            served, call = self._usable(), Call(request)
            _check_model(served.service, model, version)
            media_type(request, (JSON,))
            body = await read(request, self.limits)
            answer, rows = await self._worked(body, lambda: inference.answer(
                body, served.service, self.limits, lambda rows: _scored(served, call, rows)[1]))
            self.metrics.rows.labels("infer").inc(rows)
            return json_answer(answer, headers=call.headers)

        @app.post("/invocations", tags=["scoring"],
                  openapi_extra=openapi.invocations(self.served.service))
        async def invocations(request: Request) -> Response:
            served, call = self._usable(), Call(request)
            rows_of = rows_of_csv if media_type(request, (JSON, CSV)) == CSV else rows_of_json
            body = await read(request, self.limits)
            predicted = await self._worked(body, lambda: _scored(
                served, call, rows_of(body, served.service, self.limits))[0].tolist())
            self.metrics.rows.labels("invocations").inc(len(predicted))
            return json_answer({"predictions": predicted}, headers=call.headers)

    def add_records(self, app: FastAPI, about: Records) -> None:
        @app.post(about.path, tags=["scoring"], openapi_extra=openapi.records(about))
        async def score(request: Request) -> Response:
            served, call = self._usable(), Call(request)
            media_type(request, (JSON,))
            body = await read(request, self.limits)
            # In a thread: a store that does not answer must not keep the health routes waiting.
            answers = await self._in_thread(lambda: self._answers(served, call, body))
            self.metrics.rows.labels(about.name).inc(len(answers))
            return json_answer({"model_version": served.service.version, about.name: answers},
                               headers=call.headers)

    def _answers(self, served: Served, call: Call, body: bytes) -> list[dict[str, Any]]:
        records = served.service.records
        assert records
        found = records.answer(*asked_of(body, records, self.limits))
        served.recorder.entries(call, [each.entry for each in found])
        return [each.answer for each in found]


def _scored(served: Served, call: Call, rows: Floats) -> tuple[Floats, dict[str, list[Any]]]:
    """What was predicted for rows of features, and the outputs; both recorded."""
    with telemetry.span("model"):
        predicted = served.service.predict(rows)
        named = served.service.outputs(rows, predicted)
    served.recorder.columns(call, rows, named)
    return predicted, named


def _check_model(service: Service, model: str, version: str | None) -> None:
    if model != service.name:
        raise HTTPException(404, f"model {shown(model)}: is not served; expected {service.name}.")
    if version not in (None, service.version):
        raise HTTPException(404, f"version {shown(version)}: is not served; expected "
                            f"{service.version}.")
