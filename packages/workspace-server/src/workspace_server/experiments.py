"""MLflow as Databricks has it: experiments are nodes of the workspace, artifacts are its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from workspace_server.errors import ApiError, exists, invalid, not_emulated
from workspace_server.fields import check_fields
from workspace_server.identity import Body, Reader, User, Writer, writer
from workspace_server.mlflow_server import PREFIX, MlflowServer
from workspace_server.tree import Special, Tree, clean

KIND = "MLFLOW_EXPERIMENT"
PAGE = 1000


class Experiments:
    """Experiments in the tree and in MLflow, kept the same."""

    def __init__(self, tree: Tree, server: MlflowServer, artifacts: Path) -> None:
        self.tree, self.server, self.artifacts = tree, server, artifacts

    def create(self, body: dict[str, Any], user: User) -> dict[str, Any]:
        """Make the experiment and its node.

        Raises:
            ApiError: no absolute path, no parent folder, or something has this path.
        """
        check_fields("experiments/create", body, {"name": str, "tags": list})
        name = self._free(body.get("name"))
        ours = {"mlflow.ownerId": user.id, "mlflow.ownerEmail": user.name,
                "mlflow.experimentType": KIND, "mlflow.experiment.sourceName": name}
        tags = [*body.get("tags", []), *({"key": key, "value": value}
                                         for key, value in ours.items())]
        made = self.server.ask("POST", "experiments/create", **{**body, "name": name, "tags": tags})
        self.tree.add(name, Special(KIND, object_id=int(made["experiment_id"])))
        return made

    def exists(self, experiment: str) -> bool:
        if not experiment.isdigit():
            return False
        try:
            found = self.server.ask("GET", "experiments/get", f"experiment_id={experiment}")
        except ApiError:
            return False
        return bool(found["experiment"]["lifecycle_stage"] == "active")

    def search(self, body: dict[str, Any]) -> dict[str, Any]:
        """A page of experiments.

        Unlike Databricks, MLflow's own server demands a page's length, and has an experiment 0.
        """
        found = self.server.ask("POST", "experiments/search",
                                **{**body, "max_results": body.get("max_results") or PAGE})
        return {**found, "experiments": [experiment for experiment in found.get("experiments", [])
                                         if experiment["experiment_id"] != "0"]}

    def rename(self, body: dict[str, Any]) -> None:
        check_fields("experiments/update", body, {"experiment_id": str, "new_name": str})
        old, new = self._name(body.get("experiment_id")), self._free(body.get("new_name"))
        self.server.ask("POST", "experiments/update", **{**body, "new_name": new})
        self.tree.remove(old, recursive=False)
        self.tree.add(new, Special(KIND, object_id=int(body["experiment_id"])))

    def delete(self, experiment: object) -> None:
        """Delete the experiment and its node; its name can be used again."""
        name = self._name(experiment)
        if self.tree.type_of(name) == KIND:
            self.tree.remove(name, recursive=False)
        self.forget(experiment)

    def forget(self, experiment: object) -> None:
        """Delete the experiment of a node that is gone."""
        # MLflow itself reserves the name of what is deleted.
        gone = f"{self._name(experiment)} (deleted {experiment})"
        number = str(experiment)
        self.server.ask("POST", "experiments/update", experiment_id=number, new_name=gone)
        self.server.ask("POST", "experiments/delete", experiment_id=number)

    def listed(self, folder: Path, path: str) -> list[dict[str, Any]]:
        """The artifacts in a folder, as FileInfo."""
        wanted = folder / path
        if ".." in path.split("/") or not wanted.is_dir():
            return []
        return [{"path": str(child.relative_to(folder)), "is_dir": child.is_dir(),
                 **({} if child.is_dir() else {"file_size": child.stat().st_size})}
                for child in sorted(wanted.iterdir())]

    def of_run(self, run_id: str, path: str) -> dict[str, Any]:
        info = self.server.ask("GET", "runs/get", f"run_id={run_id}")["run"]["info"]
        folder = self.artifacts / info["experiment_id"] / "Runs" / run_id / "artifacts"
        return {"root_uri": info["artifact_uri"], "files": self.listed(folder, path)}

    def of_model(self, model: str, path: str) -> dict[str, Any]:
        info = self.server.ask("GET", f"logged-models/{model}")["model"]["info"]
        folder = self.artifacts / info["experiment_id"] / "LoggedModels" / model / "artifacts"
        return {"root_uri": info["artifact_uri"], "files": self.listed(folder, path)}

    def _name(self, experiment: object) -> str:
        found = self.server.ask("GET", "experiments/get", f"experiment_id={experiment}")
        return str(found["experiment"]["name"])

    def _free(self, name: object) -> str:
        if not isinstance(name, str) or not name.startswith("/"):
            raise invalid(f"Got an invalid experiment name '{name}'. An experiment name must be an "
                          "absolute path within the Databricks workspace. E.g. '/Users/"
                          "<some-username>/my-experiment'.")
        path = clean(name)
        self.tree.require_parent(path)
        if self.tree.type_of(path):
            raise exists(f"Node named '{path.rsplit('/', 1)[-1]}' already exists")
        return path


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
    """What MLflow's own server answers."""
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
