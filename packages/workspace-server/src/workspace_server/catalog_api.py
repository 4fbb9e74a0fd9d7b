"""The Unity Catalog API over a Catalog."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from workspace_server.catalog import CATALOGS, Catalog
from workspace_server.fields import check_fields
from workspace_server.identity import Body, Reader, Writer

READING = ("USE_CATALOG", "USE_SCHEMA", "SELECT", "READ_VOLUME")
WRITING = ("CREATE_SCHEMA", "CREATE_TABLE", "CREATE_VOLUME", "MODIFY", "WRITE_VOLUME")


def routes(catalog: Catalog) -> APIRouter:
    api = APIRouter(prefix="/api/2.1/unity-catalog")

    @api.get("/catalogs")
    def catalogs(user: Reader) -> dict[str, Any]:
        return {"catalogs": [described(name) for name in CATALOGS]}

    @api.get("/catalogs/{name}")
    def one_catalog(user: Reader, name: str) -> dict[str, Any]:
        catalog.require_catalog(name)
        return described(name)

    @api.get("/schemas")
    def schemas(user: Reader, catalog_name: str) -> dict[str, Any]:
        return {"schemas": catalog.schemas(catalog_name)}

    @api.post("/schemas")
    def create_schema(user: Writer, body: Body) -> dict[str, Any]:
        check_fields("schemas", body, {"catalog_name": str, "name": str})
        return catalog.create_schema(str(body.get("catalog_name")), str(body.get("name", "")))

    @api.get("/schemas/{full_name}")
    def schema(user: Reader, full_name: str) -> dict[str, Any]:
        return catalog.schema(full_name)

    @api.delete("/schemas/{full_name}")
    def delete_schema(user: Writer, full_name: str, force: bool = False) -> dict[str, str]:
        catalog.delete_schema(full_name, force)
        return {}

    @api.get("/volumes")
    def volumes(user: Reader, catalog_name: str, schema_name: str) -> dict[str, Any]:
        return {"volumes": catalog.volumes_of(f"{catalog_name}.{schema_name}")}

    @api.post("/volumes")
    def create_volume(user: Writer, body: Body) -> dict[str, Any]:
        return catalog.create_volume(body)

    @api.get("/volumes/{name}")
    def volume(user: Reader, name: str) -> dict[str, Any]:
        return catalog.volume(name)

    @api.delete("/volumes/{name}")
    def delete_volume(user: Writer, name: str) -> dict[str, str]:
        catalog.delete_volume(name)
        return {}

    @api.get("/tables")
    def tables(user: Reader, catalog_name: str, schema_name: str) -> dict[str, Any]:
        return {"tables": catalog.tables_of(f"{catalog_name}.{schema_name}")}

    @api.get("/tables/{full_name}")
    def table(user: Reader, full_name: str) -> dict[str, Any]:
        return catalog.table(full_name)

    @api.delete("/tables/{full_name}")
    def delete_table(user: Writer, full_name: str) -> dict[str, str]:
        catalog.delete_table(full_name)
        return {}

    @api.get("/effective-permissions/{kind}/{full_name}")
    def rights(user: Reader, kind: str, full_name: str, principal: str = "") -> dict[str, Any]:
        held = READING + (WRITING if user.may_write else ())
        return {"privilege_assignments": [
            {"principal": principal or user.name,
             "privileges": [{"privilege": privilege} for privilege in held]}]}

    return api


def described(name: str) -> dict[str, Any]:
    return {"name": name, "full_name": name, "catalog_type": "MANAGED_CATALOG",
            "owner": "ci@example.com"}
