"""The application: routes of health, the model, scoring and metrics around one service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from branchline.errors import BadInput
from branchline.serving import inference, openapi
from branchline.serving.answers import add_handlers, json_answer
from branchline.serving.body import media_type, parsed, read
from branchline.serving.guard import Guard
from branchline.serving.invocations import rows_of_csv, rows_of_json
from branchline.serving.metrics import CONTENT_TYPE_LATEST, Metrics
from branchline.serving.readiness import Readiness
from branchline.serving.service import Records, Service
from branchline.serving.settings import Limits, ServerSettings
from branchline.serving.values import check_rows, is_list, shown

__all__ = ["application"]

T = TypeVar("T")
JSON, CSV = "application/json", "text/csv"
SMALL = 16 * 1024  # bytes that are worked on between two requests; for more, in a thread


def application(service: Service, settings: ServerSettings) -> ASGIApp:
    """The service as an ASGI application, its golden rows scored."""
    app = FastAPI(title=service.name, version=service.version, redoc_url=None)
    frame = _Frame(service, settings.limits, Metrics(settings.processes > 1))
    add_handlers(app)
    frame.add_health(app)
    frame.add_model(app)
    frame.add_scoring(app)
    if service.records:
        frame.add_records(app, service.records)
    return Guard(app, settings.api_key, frame.metrics)


class _Frame:
    def __init__(self, service: Service, limits: Limits, metrics: Metrics) -> None:
        self.service, self.limits, self.metrics = service, limits, metrics
        self.readiness = Readiness(service)
        metrics.model.labels(service.name, service.version).set(1)

    async def _ready(self) -> str | None:
        problem = await self._in_thread(self.readiness.problem)
        self.metrics.ready.set(problem is None)
        return problem

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.wait_for(asyncio.to_thread(work), self.limits.seconds)
        except TimeoutError:
            raise HTTPException(503, f"the answer took more than {self.limits.seconds:g} seconds; "
                                "send fewer rows, or try again.", {"retry-after": "1"}) from None

    async def _worked(self, body: bytes, work: Callable[[], T]) -> T:
        if self.readiness.golden_problem:
            raise HTTPException(503, self.readiness.golden_problem)
        return work() if len(body) <= SMALL else await self._in_thread(work)

    def add_health(self, app: FastAPI) -> None:
        @app.get("/v2/health/live", tags=["health"])
        async def live() -> Response:
            return json_answer({"live": True})

        @app.get("/v2/health/ready", tags=["health"])
        async def ready() -> Response:
            problem = await self._ready()
            said = {} if problem is None else {"error": problem}
            return json_answer({"ready": problem is None, "golden": self.readiness.golden, **said},
                               200 if problem is None else 503)

        @app.get("/metrics", tags=["health"])
        async def metrics() -> Response:
            return Response(self.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    def add_model(self, app: FastAPI) -> None:
        @app.get("/v2", tags=["model"])
        async def server() -> Response:
            return json_answer({"name": "branchline", "version": self.service.version,
                                "extensions": []})

        @app.get("/v2/models/{model}", tags=["model"])
        @app.get("/v2/models/{model}/versions/{version}", tags=["model"])
        async def about(model: str, version: str | None = None) -> Response:
            self._check_model(model, version)
            return json_answer(inference.metadata(self.service))

        @app.get("/v2/models/{model}/ready", tags=["model"])
        @app.get("/v2/models/{model}/versions/{version}/ready", tags=["model"])
        async def model_ready(model: str, version: str | None = None) -> Response:
            self._check_model(model, version)
            problem = await self._ready()
            said = {} if problem is None else {"error": problem}
            return json_answer({"name": model, "ready": problem is None, **said},
                               200 if problem is None else 503)

    def add_scoring(self, app: FastAPI) -> None:
        about = openapi.inference(self.service)

        @app.post("/v2/models/{model}/infer", tags=["scoring"], openapi_extra=about)
        @app.post("/v2/models/{model}/versions/{version}/infer", tags=["scoring"],
                  openapi_extra=about)
        async def infer(request: Request, model: str, version: str | None = None) -> Response:
            self._check_model(model, version)
            media_type(request, (JSON,))
            body = await read(request, self.limits)
            answer, rows = await self._worked(
                body, lambda: inference.answer(body, self.service, self.limits))
            self.metrics.rows.labels("infer").inc(rows)
            for tensor in answer["outputs"]:
                self.metrics.predicted(tensor["name"], tensor["data"])
            return json_answer(answer)

        @app.post("/invocations", tags=["scoring"],
                  openapi_extra=openapi.invocations(self.service))
        async def invocations(request: Request) -> Response:
            rows_of = rows_of_csv if media_type(request, (JSON, CSV)) == CSV else rows_of_json
            body = await read(request, self.limits)
            predicted = await self._worked(body, lambda: self.service.predict(
                rows_of(body, self.service, self.limits)))
            self.metrics.rows.labels("invocations").inc(len(predicted))
            for name, values in self.service.outputs(predicted).items():
                self.metrics.predicted(name, values.tolist())
            return json_answer({"predictions": predicted.tolist()})

    def add_records(self, app: FastAPI, records: Records) -> None:
        @app.post(records.path, tags=["scoring"], openapi_extra=openapi.records(records))
        async def score(request: Request) -> Response:
            media_type(request, (JSON,))
            body = await read(request, self.limits)
            if self.readiness.golden_problem:
                raise HTTPException(503, self.readiness.golden_problem)
            # In a thread: a store that does not answer must not keep the health routes waiting.
            answers = await self._in_thread(lambda: _answers(body, records, self.limits))
            self.metrics.rows.labels(records.name).inc(len(answers))
            for name in self.service.output_types:
                self.metrics.predicted(name, (each.get(name) for each in answers))
            return json_answer({"model_version": self.service.version, records.name: answers})

    def _check_model(self, model: str, version: str | None) -> None:
        if model != self.service.name:
            raise HTTPException(404, f"model {shown(model)}: is not served; expected "
                                f"{self.service.name}.")
        if version not in (None, self.service.version):
            raise HTTPException(404, f"version {shown(version)}: is not served; expected "
                                f"{self.service.version}.")


def _answers(body: bytes, records: Records, limits: Limits) -> list[dict[str, object]]:
    given = parsed(body, limits)
    if not {records.name} <= given.keys() <= {records.name, "features"}:
        raise BadInput(f"body: found the keys {shown(', '.join(given))}, expected {records.name} "
                       "and perhaps features.")
    with_features = given.get("features", False)
    if not isinstance(with_features, bool):
        raise BadInput(f"features: found {shown(with_features)}, expected true or false.")
    listed = is_list(given[records.name], records.name)
    check_rows(len(listed), limits, records.name)
    return records.answer(listed, with_features)
