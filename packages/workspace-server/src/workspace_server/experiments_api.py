"""MLflow's API for experiments and artifacts, and everything that MLflow's own server answers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from workspace_server.errors import not_emulated
from workspace_server.experiments import PAGE, Experiments
from workspace_server.identity import Body, Reader, Writer, writer
from workspace_server.mlflow_server import PREFIX


def routes(experiments: Experiments) -> APIRouter:
    api = APIRouter(prefix=PREFIX.rstrip("/"))

    @api.post("/experiments/create")
    def create(user: Writer, body: Body) -> dict[str, Any]:
        return experiments.create(body, user)

    @api.post("/experiments/update")
    def update(user: Writer, body: Body) -> dict[str, str]:
        experiments.rename(body)
        return {}

    @api.post("/experiments/delete")
    def delete(user: Writer, body: Body) -> dict[str, str]:
        experiments.delete(body.get("experiment_id"))
        return {}

    @api.post("/experiments/restore")
    def restore(user: Writer) -> None:
        raise not_emulated("experiments/restore")

    @api.post("/experiments/search")
    def search(user: Reader, body: Body) -> dict[str, Any]:
        return experiments.search(body)

    @api.get("/experiments/list")
    def listed(user: Reader, max_results: int = PAGE, page_token: str = "",
               view_type: str = "ACTIVE_ONLY") -> dict[str, Any]:
        return experiments.search({"max_results": max_results, "page_token": page_token,
                                   "view_type": view_type})

    @api.get("/artifacts/list")
    def artifacts(user: Reader, run_id: str = "", run_uuid: str = "", path: str = ""
                  ) -> dict[str, Any]:
        return experiments.of_run(run_id or run_uuid, path)

    @api.get("/logged-models/{model}/artifacts/directories")
    def of_model(user: Reader, model: str, artifact_directory_path: str = "") -> dict[str, Any]:
        return experiments.of_model(model, artifact_directory_path)

    return api


def everything_else(experiments: Experiments) -> APIRouter:
    """Forward to MLflow's own server."""
    api = APIRouter(prefix=PREFIX.rstrip("/"))

    @api.api_route("/{endpoint:path}", methods=["GET", "POST", "PATCH", "DELETE"])
    async def answer(endpoint: str, request: Request, user: Reader) -> Response:
        if request.method != "GET" and not endpoint.endswith("/search"):
            writer(user)
        status, text = await run_in_threadpool(
            experiments.server.call, request.method, endpoint, request.url.query,
            await request.body())
        return Response(text, status, media_type="application/json")

    return api
