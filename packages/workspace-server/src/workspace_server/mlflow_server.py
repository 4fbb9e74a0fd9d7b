"""The real MLflow tracking server, in this process, on a database in the workspace's folder."""

from __future__ import annotations

import functools
import json
import os
import re
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

from workspace_server.errors import ApiError, not_emulated

PREFIX = "/api/2.0/mlflow/"
ARTIFACT_ROOT = "dbfs:/databricks/mlflow-tracking"


class MlflowServer:
    """Answers MLflow's REST calls; the first one loads it, which takes seconds."""

    def __init__(self, folder: Path) -> None:
        self._database = folder / "mlflow.db"

    def call(self, method: str, endpoint: str, query: str = "", body: bytes = b""
             ) -> tuple[int, bytes]:
        """Status and JSON of a call to `/api/2.0/mlflow/<endpoint>`.

        Raises:
            ApiError: 501, MLflow has no such endpoint.
        """
        answer: TestResponse = Client(self._app).open(
            PREFIX + endpoint, method=method, query_string=query, data=body,
            content_type="application/json")
        if not answer.is_json and answer.status_code in (404, 405):
            raise not_emulated(f"{method} {PREFIX}{endpoint}")
        # Databricks uses this name for the folder of a logged model's artifacts.
        text = re.sub(rb"(mlflow-tracking/[^/\"]+)/models/", rb"\1/logged_models/", answer.data)
        return answer.status_code, text

    def ask(self, method: str, endpoint: str, query: str = "", **body: Any) -> dict[str, Any]:
        """The JSON object that a call answers.

        Raises:
            ApiError: MLflow refused it.
        """
        status, text = self.call(method, endpoint, query,
                                 json.dumps(body).encode() if body else b"")
        answer: dict[str, Any] = json.loads(text)
        if status >= 400:
            raise ApiError(status, answer["error_code"], answer["message"])
        return answer

    @functools.cached_property
    def _app(self) -> Any:
        os.environ["_MLFLOW_SERVER_FILE_STORE"] = f"sqlite:///{self._database}"
        os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = ARTIFACT_ROOT
        os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
        from mlflow.server import app
        return app
