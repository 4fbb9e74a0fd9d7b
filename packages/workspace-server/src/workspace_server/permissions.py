"""The Permissions API: permissions are stored and returned, but not enforced."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from workspace_server.errors import ApiError, invalid, not_emulated
from workspace_server.fields import check_fields
from workspace_server.identity import Body, Reader, Writer

Entry = dict[str, Any]
Exists = Callable[[str], bool]
OF_FILES = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")
# By the name in the address: the object's type and its permission levels.
KINDS = {"jobs": ("job", ("CAN_VIEW", "CAN_MANAGE_RUN", "IS_OWNER", "CAN_MANAGE")),
         "clusters": ("cluster", ("CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE")),
         "cluster-policies": ("cluster-policy", ("CAN_USE",)),
         "experiments": ("mlflowExperiment", ("CAN_READ", "CAN_EDIT", "CAN_MANAGE")),
         "directories": ("directory", OF_FILES), "notebooks": ("notebook", OF_FILES),
         "files": ("file", OF_FILES)}
PRINCIPALS = ("user_name", "group_name", "service_principal_name")


class Permissions:
    """The direct permissions of objects, in a file that outlives the server."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._all: dict[str, list[Entry]] = json.loads(file.read_text()) if file.exists() else {}

    def of(self, kind: str, number: str) -> list[Entry]:
        return list(self._all.get(f"/{kind}/{number}", []))

    def own(self, kind: str, number: str, user: str) -> None:
        """Make a user the owner of a new object."""
        self._keep(kind, number, [{"user_name": user, "permission_level": "IS_OWNER"}])

    def set(self, kind: str, number: str, given: list[Entry]) -> None:
        """Replace all permissions.

        Raises:
            ApiError: 400, no such level, an entry without exactly one principal, or a job without
                exactly one owner.
        """
        checked(kind, given)
        owners = [entry for entry in given if entry["permission_level"] == "IS_OWNER"]
        if kind == "jobs" and len(owners) != 1:
            raise invalid("The job must have exactly one owner.")
        self._keep(kind, number, given)

    def add(self, kind: str, number: str, given: list[Entry]) -> None:
        """Change the given principals' permissions; a new owner replaces the old one.

        Raises:
            ApiError: 400, no such level, or an entry without exactly one principal.
        """
        checked(kind, given)
        new = {principal_of(entry) for entry in given}
        owned = any(entry["permission_level"] == "IS_OWNER" for entry in given)
        stay = [entry for entry in self.of(kind, number) if principal_of(entry) not in new
                and not (owned and entry["permission_level"] == "IS_OWNER")]
        self.set(kind, number, stay + given)

    def _keep(self, kind: str, number: str, entries: list[Entry]) -> None:
        with self._lock:
            self._all[f"/{kind}/{number}"] = entries
            self.file.write_text(json.dumps(self._all))

    def answer(self, kind: str, number: str) -> dict[str, Any]:
        """ObjectPermissions; the group admins may manage everything."""
        entries = [{name: entry[name] for name in PRINCIPALS if entry.get(name)}
                   | {"all_permissions": [{"permission_level": entry["permission_level"],
                                           "inherited": False}]}
                   for entry in self.of(kind, number)]
        admins = {"group_name": "admins", "all_permissions": [
            {"permission_level": "CAN_MANAGE", "inherited": True,
             "inherited_from_object": [f"/{kind}/"]}]}
        return {"object_id": f"/{kind}/{number}", "object_type": KINDS[kind][0],
                "access_control_list": [*entries, admins]}


def principal_of(entry: Entry) -> tuple[str, str]:
    given = [(name, str(entry[name])) for name in PRINCIPALS if entry.get(name)]
    if len(given) != 1:
        raise invalid(f"access_control_list: each entry has exactly one of "
                      f"{', '.join(PRINCIPALS)}.")
    return given[0]


def checked(kind: str, given: list[Entry]) -> None:
    """Check the entries of an access_control_list.

    Raises:
        ApiError: 400, no such level, or an entry without exactly one principal; 501, an unknown
            field.
    """
    levels = KINDS[kind][1]
    for entry in given:
        check_fields(f"permissions/{kind}: access_control_list", entry,
                     {**dict.fromkeys(PRINCIPALS, str), "permission_level": str})
        principal_of(entry)
        if entry.get("permission_level") not in levels:
            raise invalid(f"{entry.get('permission_level')} is not a permission level of {kind}: "
                          f"expected one of {', '.join(levels)}.")


def routes(permissions: Permissions, exists: Mapping[str, Exists]) -> APIRouter:
    """`exists` says for each of KINDS whether an object with an id exists."""
    api = APIRouter(prefix="/api/2.0/permissions/{kind}/{number}")

    def require(kind: str, number: str) -> None:
        if kind not in KINDS:
            raise not_emulated(f"permissions of {kind}")
        if not exists[kind](number):
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST",
                           f"{KINDS[kind][0]} {number} does not exist.")

    def entries(kind: str, body: dict[str, Any]) -> list[Entry]:
        check_fields(f"permissions/{kind}", body, {"access_control_list": list})
        return body.get("access_control_list") or []

    @api.get("")
    def get(user: Reader, kind: str, number: str) -> dict[str, Any]:
        require(kind, number)
        return permissions.answer(kind, number)

    @api.get("/permissionLevels")
    def levels(user: Reader, kind: str, number: str) -> dict[str, Any]:
        require(kind, number)
        return {"permission_levels": [{"permission_level": level, "description": level}
                                      for level in KINDS[kind][1]]}

    @api.put("")
    def replace(user: Writer, kind: str, number: str, body: Body) -> dict[str, Any]:
        require(kind, number)
        permissions.set(kind, number, entries(kind, body))
        return permissions.answer(kind, number)

    @api.patch("")
    def change(user: Writer, kind: str, number: str, body: Body) -> dict[str, Any]:
        require(kind, number)
        permissions.add(kind, number, entries(kind, body))
        return permissions.answer(kind, number)

    return api
