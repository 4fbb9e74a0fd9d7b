"""MLflow tracking as a trigger needs it: the store, the branch's experiment, the run."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from branchline.errors import BadInput
from branchline.runs.answers import answered
from branchline.text import without_credentials

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["Tracking", "connect", "quiet", "remove_variables", "shown"]

SQLITE = "sqlite:///"
ELSEWHERE = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME",
             "MLFLOW_REGISTRY_URI")


@dataclass(frozen=True)
class Tracking:
    """A tracking store.

    `artifacts` is beside a database, None if a server decides. `pages` is the address of its pages,
    if other than the URI.
    """

    uri: str
    artifacts: Path | None
    pages: str | None = None

    def client(self) -> MlflowClient:
        import mlflow
        quiet()
        mlflow.set_tracking_uri(self.uri)
        if self.uri.startswith(SQLITE):
            _make_tables(self.uri)
        return mlflow.MlflowClient()

    def experiment(self, name: str) -> str:
        """The id of the experiment called `name`, which is created where it is missing."""
        from mlflow.exceptions import MlflowException
        client = self.client()
        with answered(f"experiment {name}"):
            found = client.get_experiment_by_name(name)
            if found is None:
                try:
                    folder = (self.artifacts / name.strip("/")).as_uri() if self.artifacts else None
                    return client.create_experiment(name, artifact_location=folder)
                except MlflowException:
                    found = client.get_experiment_by_name(name)  # made by another run meanwhile
                    if found is None:
                        raise
            if found.lifecycle_stage == "deleted":
                raise self._deleted(name, found.experiment_id)
            return str(found.experiment_id)

    def _deleted(self, name: str, experiment_id: str) -> BadInput:
        store = shown({"uri": self.uri})["uri"]
        return BadInput(
            f"experiment {name}: is deleted, but its name is still taken. Restore it: "
            f"MLFLOW_TRACKING_URI={store} mlflow experiments restore --experiment-id "
            f"{experiment_id}; or remove it permanently: mlflow gc --backend-store-uri {store} "
            f"--experiment-ids {experiment_id}")

    def start(self, experiment_id: str, name: str, tags: Mapping[str, str],
              parameters: Mapping[str, str]) -> str:
        """Create a run and log its parameters; the project's process resumes it by its id."""
        from mlflow.entities import Param
        client = self.client()
        with answered(f"a run in experiment {experiment_id}"):
            run = client.create_run(experiment_id, tags=shown(tags), run_name=name)
            run_id = str(run.info.run_id)
            client.log_batch(run_id, params=[Param(*pair) for pair in shown(parameters).items()])
            return run_id

    def run(self, run_id: str) -> Run:
        return self.client().get_run(run_id)

    def end(self, run_id: str, status: str) -> None:
        self.client().set_terminated(run_id, status)

    def delete_experiment(self, experiment_id: str) -> None:
        with answered(f"experiment {experiment_id}"):
            self.client().delete_experiment(experiment_id)

    @contextmanager
    def never_left_running(self, run_id: str) -> Iterator[None]:
        """Mark the run KILLED if the block is interrupted, FAILED if anything else goes wrong."""
        try:
            yield
        except KeyboardInterrupt:
            self.end(run_id, "KILLED")
            raise
        except BaseException:
            self.end(run_id, "FAILED")
            raise


def shown(texts: Mapping[str, str]) -> dict[str, str]:
    """Parameters as a store may keep them: addresses without passwords."""
    return {name: without_credentials(text) for name, text in texts.items()}


def remove_variables(environment: MutableMapping[str, str]) -> list[str]:
    """Remove variables by which MLflow would send a run or a model elsewhere; their names."""
    return [name for name in ELSEWHERE if environment.pop(name, "")]


def connect(default: str, root: Path, environment: Mapping[str, str]) -> Tracking:
    """The store that MLFLOW_TRACKING_URI names, else the default one; sqlite gets its folder."""
    uri = environment.get("MLFLOW_TRACKING_URI") or default
    if not uri.startswith(SQLITE):
        return Tracking(uri, None)
    database = root / unquote(uri.removeprefix(SQLITE))
    database.parent.mkdir(parents=True, exist_ok=True)
    # SQLAlchemy would unquote the path.
    path = str(database).replace("%", "%25").replace("?", "%3F")
    return Tracking(f"{SQLITE}{path}", database.parent.resolve() / "artifacts")


@cache
def _make_tables(uri: str) -> None:
    """Let one process at a time create or migrate a database's tables."""
    import fcntl

    import mlflow
    with open(f"{unquote(uri.removeprefix(SQLITE))}.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mlflow.MlflowClient().search_experiments(max_results=1)


def quiet() -> None:
    """Keep MLflow's own chatter (database migrations, progress, hints) out of a run's output.

    Also shorten its retries: if a server is down, it would retry for four minutes in silence.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"mlflow(\.|$)")
