"""MLflow as in Databricks: experiments are nodes of the workspace, artifacts are its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workspace_server.errors import ApiError, exists, invalid
from workspace_server.fields import check_fields
from workspace_server.identity import User
from workspace_server.mlflow_server import MlflowServer
from workspace_server.tree import Special, Tree, clean

KIND = "MLFLOW_EXPERIMENT"
PAGE = 1000


class Experiments:
    """Experiments in the tree and in MLflow, kept in sync."""

    def __init__(self, tree: Tree, server: MlflowServer, artifacts: Path) -> None:
        self.tree, self.server, self.artifacts = tree, server, artifacts

    def create(self, body: dict[str, Any], user: User) -> dict[str, Any]:
        """Create the experiment and its node.

        Raises:
            ApiError: not an absolute path, no parent folder, or the path is taken.
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
        """Delete the experiment of a deleted node."""
        # MLflow itself reserves the name of a deleted experiment.
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
