"""Unity Catalog's model registry API, as MLflow's client calls it, over Models."""

from __future__ import annotations

import re
from fastapi import APIRouter

from workspace_server.errors import denied, invalid, missing
from workspace_server.fields import check_fields
from workspace_server.identity import Body, Reader, Writer
from workspace_server.models import Models, Record, set_tag, version_of
from workspace_server.models_shown import PAGE, page, shown, shown_version

PREFIX = "/api/2.0/mlflow/unity-catalog"
NAME_FILTER = re.compile(r"\s*name\s*=\s*'([^']+)'\s*")
ALIAS = re.compile(r"(?!latest$|v\d+$)[\w-]{1,255}", re.IGNORECASE | re.ASCII)


def routes(models: Models) -> APIRouter:
    api = APIRouter(prefix=PREFIX)
    _registered_models(api, models)
    _aliases(api, models)
    _versions(api, models)
    _files(api, models)
    _tags(api, models)
    return api


def _registered_models(api: APIRouter, models: Models) -> None:
    @api.post("/registered-models/create")
    def create(user: Writer, body: Body) -> Record:
        return {"registered_model": shown(models.create(body, user))}

    @api.get("/registered-models/get")
    def get(user: Reader, name: str = "") -> Record:
        return {"registered_model": shown(models.get(name))}

    @api.patch("/registered-models/update")
    def update(user: Writer, body: Body) -> Record:
        check_fields("registered-models/update", body, {"name": str, "description": str})
        with models.changing(text(body, "name")) as model:
            model["description"] = body.get("description", model["description"])
        return {"registered_model": shown(model)}

    @api.delete("/registered-models/delete")
    def delete(user: Writer, body: Body) -> Record:
        models.delete(text(body, "name"))
        return {}

    @api.get("/registered-models/search")
    def search(user: Reader, max_results: int = PAGE, page_token: str = "0") -> Record:
        return page("registered_models", models.all(), max_results, page_token)


def _aliases(api: APIRouter, models: Models) -> None:
    @api.post("/registered-models/alias")
    def point(user: Writer, body: Body) -> Record:
        alias = text(body, "alias")
        if not ALIAS.fullmatch(alias):
            raise invalid(f"'{alias}' is not a valid alias.")
        with models.changing(text(body, "name")) as model:
            model["aliases"][alias] = version_of(model, body.get("version"))["version"]
        return {}

    @api.delete("/registered-models/alias")
    def remove(user: Writer, body: Body) -> Record:
        with models.changing(text(body, "name")) as model:
            model["aliases"].pop(text(body, "alias"), None)
        return {}

    @api.get("/registered-models/alias")
    def pointed_at(user: Reader, name: str = "", alias: str = "") -> Record:
        model = models.get(name)
        if alias not in model["aliases"]:
            raise missing(f"Alias '{alias}' does not exist on registered model '{name}'.")
        return {"model_version": shown_version(model, model["aliases"][alias])}


def _versions(api: APIRouter, models: Models) -> None:
    @api.post("/model-versions/create")
    def create(user: Writer, body: Body) -> Record:
        return {"model_version": shown(models.create_version(body, user))}

    @api.get("/model-versions/get")
    def get(user: Reader, name: str = "", version: str = "") -> Record:
        return {"model_version": shown_version(models.get(name), version)}

    @api.patch("/model-versions/update")
    def update(user: Writer, body: Body) -> Record:
        with models.changing(text(body, "name"), text(body, "version")) as version:
            version["description"] = body.get("description", "")
        return {"model_version": shown(version)}

    @api.post("/model-versions/finalize")
    def finalize(user: Writer, body: Body) -> Record:
        with models.changing(text(body, "name"), text(body, "version")) as version:
            version["status"] = "READY"
        return {"model_version": shown(version)}

    @api.delete("/model-versions/delete")
    def delete(user: Writer, body: Body) -> Record:
        models.delete_version(text(body, "name"), text(body, "version"))
        return {}

    @api.get("/model-versions/search")
    def search(user: Reader, filter: str = "", max_results: int = PAGE, page_token: str = "0"
               ) -> Record:
        named = NAME_FILTER.fullmatch(filter)
        if not named:
            raise invalid(f"Unsupported filter query : `{filter}`. Please specify your filter "
                          "parameter in the format `name = 'model_name'`.")
        versions = list(models.get(named[1])["versions"].values())
        return page("model_versions", versions, max_results, page_token)


def _files(api: APIRouter, models: Models) -> None:
    @api.get("/registered-models:is-databricks-sdk-models-artifact-repository-enabled")
    def by_files_api(user: Reader) -> Record:
        return {"is_databricks_sdk_models_artifact_repository_enabled": True}

    @api.post("/model-versions/generate-temporary-credentials")
    def credentials(user: Reader) -> None:
        raise denied("Model files are closed to cloud credentials; they go by the Files API.")

    @api.get("/model-versions/get-download-uri")
    def location(user: Reader, name: str = "", version: str = "") -> Record:
        return {"artifact_uri": models.version(name, version)["storage_location"]}

    @api.post("/model-versions/emit-lineage")
    def lineage(user: Reader, body: Body) -> Record:
        models.version(text(body, "name"), text(body, "version"))
        return {}


def _tags(api: APIRouter, models: Models) -> None:
    @api.post("/{kind}/set-tag")
    def tag(user: Writer, body: Body, kind: str) -> Record:
        with models.changing(text(body, "name"), number(kind, body)) as tagged:
            set_tag(tagged["tags"], body)
        return {}

    @api.delete("/{kind}/delete-tag")
    def untag(user: Writer, body: Body, kind: str) -> Record:
        with models.changing(text(body, "name"), number(kind, body)) as tagged:
            tagged["tags"].pop(text(body, "key"), None)
        return {}


def number(kind: str, body: Record) -> str | None:
    return text(body, "version") if kind == "model-versions" else None


def text(body: Record, field: str) -> str:
    """A field of the request.

    Raises:
        ApiError: 400, it is missing.
    """
    found = body.get(field)
    if not isinstance(found, str) or not found:
        raise invalid(f"Missing value for required parameter '{field}'.")
    return found
