"""Unity Catalog as far as a branch needs it: catalogs, schemas, volumes, tables and views."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from workspace_server.errors import ApiError, invalid, not_emulated
from workspace_server.fields import check_fields

CATALOGS = ("spark_catalog", "dev", "staging", "production")


class Catalog:
    """A schema is `<tables>/<catalog>/<schema>.db`, as in Spark; a volume its own folder, and a
    view a file `<name>.view` in its schema.

    The schema `default` is the catalog's folder itself.
    """

    def __init__(self, tables: Path, volumes: Path) -> None:
        self.tables, self.volumes = tables, volumes
        for catalog in CATALOGS:
            self.schema_folder(catalog, "default").mkdir(parents=True, exist_ok=True)

    def schema_folder(self, catalog: str, schema: str) -> Path:
        return self.tables / catalog / ("" if schema == "default" else f"{schema}.db")

    def schema(self, full_name: str) -> dict[str, Any]:
        """The schema's description.

        Raises:
            ApiError: 404, it or its catalog does not exist.
        """
        catalog, schema = parts(full_name, 2)
        self.require_catalog(catalog)
        if not self.schema_folder(catalog, schema).is_dir():
            raise absent("Schema", "SCHEMA", full_name)
        return {"name": schema, "catalog_name": catalog, "full_name": full_name,
                "owner": "dev@example.com"}

    def require_catalog(self, catalog: str) -> None:
        if catalog not in CATALOGS:
            raise absent("Catalog", "CATALOG", catalog)

    def schemas(self, catalog: str) -> list[dict[str, Any]]:
        self.require_catalog(catalog)
        names = ["default", *sorted(path.stem for path in (self.tables / catalog).glob("*.db"))]
        return [self.schema(f"{catalog}.{name}") for name in names]

    def create_schema(self, catalog: str, schema: str) -> dict[str, Any]:
        """Names are kept in lower case.

        Raises:
            ApiError: 400 it exists, or its name is not allowed.
        """
        self.require_catalog(catalog)
        name = checked_name(schema)
        folder = self.schema_folder(catalog, name)
        if folder.is_dir():
            raise present("Schema", "SCHEMA", f"{catalog}.{name}")
        folder.mkdir()
        return self.schema(f"{catalog}.{name}")

    def delete_schema(self, full_name: str, force: bool) -> None:
        self.schema(full_name)
        catalog, schema = parts(full_name, 2)
        if schema == "default":
            raise not_emulated("deleting the schema default")
        inside = [*self.tables_of(full_name), *self.volumes_of(full_name)]
        if inside and not force:
            raise ApiError(400, "INVALID_STATE", f"Schema '{full_name}' is not empty. The schema "
                                                 f"has {len(inside)} tables or volumes.")
        shutil.rmtree(self.schema_folder(catalog, schema))
        shutil.rmtree(self.volumes / catalog / schema, ignore_errors=True)

    def tables_of(self, schema: str) -> list[dict[str, Any]]:
        catalog, name = parts(schema, 2)
        self.schema(schema)
        folder = self.schema_folder(catalog, name)
        names = [*(log.parent.name for log in folder.glob("*/_delta_log")),
                 *(view.stem for view in folder.glob("*.view"))]
        return [self.table(f"{schema}.{each}") for each in sorted(names)]

    def table(self, full_name: str) -> dict[str, Any]:
        catalog, schema, name = parts(full_name, 3)
        folder = self.schema_folder(catalog, schema) / name
        described = {"name": name, "catalog_name": catalog, "schema_name": schema,
                     "full_name": full_name, "owner": "dev@example.com"}
        if (view := folder.with_name(f"{name}.view")).is_file():
            return {**described, "table_type": "VIEW", "view_definition": view.read_text()}
        if not (folder / "_delta_log").is_dir():
            raise absent("Table", "TABLE", full_name)
        return {**described, "table_type": "MANAGED", "data_source_format": "DELTA",
                "storage_location": folder.as_uri()}

    def delete_table(self, full_name: str) -> None:
        self.table(full_name)
        catalog, schema, name = parts(full_name, 3)
        folder = self.schema_folder(catalog, schema)
        if (view := folder / f"{name}.view").is_file():
            view.unlink()
        else:
            shutil.rmtree(folder / name)

    def volumes_of(self, schema: str) -> list[dict[str, Any]]:
        self.schema(schema)
        folder = self.volumes.joinpath(*parts(schema, 2))
        return [self.volume(f"{schema}.{path.name}")
                for path in (sorted(folder.iterdir()) if folder.is_dir() else [])]

    def volume(self, full_name: str) -> dict[str, Any]:
        catalog, schema, name = parts(full_name, 3)
        if not self.volumes.joinpath(catalog, schema, name).is_dir():
            raise absent("Volume", "VOLUME", full_name)
        return {"name": name, "catalog_name": catalog, "schema_name": schema,
                "full_name": full_name, "volume_type": "MANAGED", "owner": "dev@example.com"}

    def create_volume(self, body: dict[str, Any]) -> dict[str, Any]:
        check_fields("volumes", body, {"catalog_name": str, "schema_name": str, "name": str,
                                       "volume_type": str})
        schema = f"{body.get('catalog_name')}.{body.get('schema_name')}"
        self.schema(schema)
        name = checked_name(str(body.get("name", "")))
        if body.get("volume_type") != "MANAGED":
            raise not_emulated(f"volumes: volume_type {body.get('volume_type')}")
        folder = self.volumes.joinpath(*parts(schema, 2), name)
        if folder.is_dir():
            raise present("Volume", "VOLUME", f"{schema}.{name}")
        folder.mkdir(parents=True)
        return self.volume(f"{schema}.{name}")

    def delete_volume(self, full_name: str) -> None:
        self.volume(full_name)
        shutil.rmtree(self.volumes.joinpath(*parts(full_name, 3)))


def parts(full_name: str, count: int) -> list[str]:
    found = full_name.split(".")
    if len(found) != count or not all(found) or "/" in full_name:
        raise invalid(f"'{full_name}' is not a valid name: expected {count} parts.")
    return found


def checked_name(name: str) -> str:
    if not 0 < len(name) <= 255 or any(c in ". /\x7f" or ord(c) < 32 for c in name):
        raise invalid(f"'{name}' is not a valid name: at most 255 characters, no period, space, "
                      "slash or control character.")
    return name.lower()


def absent(kind: str, code: str, name: str) -> ApiError:
    return ApiError(404, f"{code}_DOES_NOT_EXIST", f"{kind} '{name}' does not exist.")


def present(kind: str, code: str, name: str) -> ApiError:
    return ApiError(400, f"{code}_ALREADY_EXISTS", f"{kind} '{name}' already exists")
