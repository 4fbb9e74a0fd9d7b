"""Models and versions in the form of the registry's API."""

from __future__ import annotations

from typing import Any

from workspace_server.models import Record, version_of

PAGE = 1000


def pairs(found: dict[str, str], key: str, value: str) -> list[dict[str, str]]:
    return [{key: each, value: found[each]} for each in sorted(found)]


def shown(record: Record, aliases: dict[str, str] | None = None) -> Record:
    """A model or a version as the API answers it."""
    kept = {key: record[key] for key in record if key not in ("versions", "last")}
    pointing = record.get("aliases", {}) if aliases is None else aliases
    return {**kept, "tags": pairs(record["tags"], "key", "value"),
            "aliases": pairs(pointing, "alias", "version")}


def shown_version(model: Record, version: str) -> Record:
    pointing = {alias: to for alias, to in model["aliases"].items() if to == str(version)}
    return shown(version_of(model, version), pointing)


def page(kind: str, found: list[Record], max_results: int, token: str) -> dict[str, Any]:
    """A page of models or versions; no search by name or tag."""
    first = int(token or 0)
    last = first + min(max_results or PAGE, PAGE)
    more = {"next_page_token": str(last)} if len(found) > last else {}
    return {kind: [{**shown(each), "tags": [], "aliases": []} for each in found[first:last]],
            **more}
