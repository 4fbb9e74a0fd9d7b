"""Registered models of Unity Catalog: each is a folder in its schema, with a file and versions."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workspace_server.catalog import Catalog, checked_name
from workspace_server.errors import ApiError, exists, invalid, missing
from workspace_server.fields import check_fields
from workspace_server.identity import User

FOLDER = "_models"
ORIGIN = ("source", "run_id", "run_tracking_server_id", "model_id")
Record = dict[str, Any]


class Models:
    """A model is `<schema's folder>/_models/<model>/model.json`, beside `<version>/` of each.

    Names are in three parts, and kept in lower case.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._lock = threading.Lock()

    def folder(self, name: str) -> Path:
        """The folder of a model with this name, existing or not.

        Raises:
            ApiError: 400 not a name, 404 no such catalog or schema.
        """
        parts = name.split(".")
        if len(parts) != 3 or not all(parts):
            raise invalid(f"'{name}' is not a valid name for a registered model in Unity Catalog. "
                          "Please specify all three levels: <catalog>.<schema>.<model>.")
        catalog, schema, model = map(checked_name, parts)
        if catalog == "spark_catalog":
            raise invalid("Catalog 'spark_catalog' is not of Unity Catalog, it holds no models.")
        try:
            self.catalog.schema(f"{catalog}.{schema}")
        except ApiError as problem:
            raise missing(str(problem)) from None
        return self.catalog.schema_folder(catalog, schema) / FOLDER / model

    def get(self, name: str) -> Record:
        """The model, with its `versions` by number.

        Raises:
            ApiError: 404, it or its schema does not exist.
        """
        file = self.folder(name) / "model.json"
        if not file.is_file():
            raise missing(f"Registered Model '{name.lower()}' does not exist.")
        found: Record = json.loads(file.read_text())
        return found

    def version(self, name: str, number: object) -> Record:
        return version_of(self.get(name), number)

    def all(self) -> list[Record]:
        patterns = (f"*/{FOLDER}/*/model.json", f"*/*.db/{FOLDER}/*/model.json")
        files = [file for pattern in patterns for file in self.catalog.tables.glob(pattern)]
        return [json.loads(file.read_text()) for file in sorted(files)]

    def create(self, body: Record, user: User) -> Record:
        check_fields("registered-models/create", body,
                     {"name": str, "description": str, "tags": list})
        name = str(body.get("name", ""))
        folder = self.folder(name)
        with self._lock:
            if (folder / "model.json").exists():
                raise exists(f"Registered Model '{name.lower()}' already exists.")
            model = {**self._new(body, name, user), "aliases": {}, "versions": {}, "last": 0}
            self._keep(model)
        return model

    def delete(self, name: str) -> None:
        """Delete the model with all its versions."""
        with self._lock:
            self.get(name)
            shutil.rmtree(self.folder(name))

    @contextmanager
    def changing(self, name: str, number: object = None) -> Iterator[Record]:
        """The model, or a version of it; changes made in the block are saved."""
        with self._lock:
            model = self.get(name)
            found = model if number is None else version_of(model, number)
            yield found
            found["last_updated_timestamp"] = now()
            self._keep(model)

    def create_version(self, body: Record, user: User) -> Record:
        """A new version that waits for its files; its number is one above the highest ever used."""
        with self.changing(str(body.get("name", ""))) as model:
            model["last"] += 1
            number = str(model["last"])
            made = {**{key: body[key] for key in ORIGIN if key in body},
                    **self._new(body, model["name"], user), "version": number,
                    "status": "PENDING_REGISTRATION",
                    "storage_location": f"abfss://models@example.com/{model['name']}/{number}"}
            model["versions"][number] = made
        return made

    def delete_version(self, name: str, number: object) -> None:
        """Delete the version, its files, and the aliases that point to it."""
        with self.changing(name) as model:
            gone = version_of(model, number)["version"]
            del model["versions"][gone]
            model["aliases"] = {alias: version for alias, version in model["aliases"].items()
                                if version != gone}
        shutil.rmtree(self.folder(name) / gone, ignore_errors=True)  # it may have no files yet

    def _new(self, body: Record, name: str, user: User) -> Record:
        tags: dict[str, str] = {}
        for tag in body.get("tags", []):
            set_tag(tags, tag)
        return {"name": name.lower(), "creation_timestamp": now(), "user_id": user.name,
                "last_updated_timestamp": now(), "description": body.get("description", ""),
                "tags": tags}

    def _keep(self, model: Record) -> None:
        folder = self.folder(model["name"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.new").write_text(json.dumps(model))
        (folder / "model.new").replace(folder / "model.json")


def version_of(model: Record, number: object) -> Record:
    found: Record | None = model["versions"].get(str(number))
    if found is None:
        raise missing(f"Model Version (name={model['name']}, version={number}) does not exist.")
    return found


def set_tag(tags: dict[str, str], tag: Record) -> None:
    """Set a tag as Unity Catalog allows it.

    Raises:
        ApiError: 400, its key, its value or their number is not allowed.
    """
    key, value = str(tag.get("key", "")), str(tag.get("value", ""))
    if not re.fullmatch(r"[^.,=/:-]{1,255}", key) or key != key.strip():
        raise invalid(f"Tag key '{key}' is not valid: 1 to 255 characters, none of . , - = / :")
    if len(value) > 1000 or value != value.strip():
        raise invalid(f"The value of tag '{key}' is not valid: at most 1000 characters, no space "
                      "at either end.")
    tags[key] = value
    if len(tags) > 50:
        raise invalid("An object has at most 50 tags.")


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)
