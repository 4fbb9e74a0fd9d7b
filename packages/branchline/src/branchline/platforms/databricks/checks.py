"""Checks what a run needs in a workspace, before any money is spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.catalog import SecurableType

from branchline.config.targets import WorkspaceTarget
from branchline.errors import BadInput, NotAllowed
from branchline.platforms.checks import Check, check
from branchline.platforms.databricks.client import connect, translated
from branchline.platforms.databricks.compute_checks import check_compute
from branchline.platforms.databricks.files import destination
from branchline.platforms.databricks.workspace import Workspace

__all__ = ["check_workspace"]

ON_CATALOG = {"USE_CATALOG", "CREATE_SCHEMA"}
ALL = "ALL_PRIVILEGES"


def check_workspace(target: WorkspaceTarget, root: Path) -> Iterable[Check]:
    """Findings about the target, one by one; if sign-in fails, only that."""
    try:
        client = connect(target.profile, target.host)
        with translated("sign-in"):
            me = client.current_user.me().user_name or ""
    except NotAllowed as problem:
        yield Check("sign-in", str(problem), "see docs/databricks.md, Setting it up", blocking=True)
        return
    yield Check("sign-in", f"{me} at {client.config.host}")
    yield check("experiments", partial(_experiments, client, target))
    catalog = check(f"catalog {target.catalog}", partial(_catalog, client, target.catalog, me))
    yield replace(catalog, remedy=_missing_catalog(client, target.catalog)
                  ) if catalog.blocking else catalog
    for what, address in (("volume", target.volume), ("wheels", target.wheels)):
        found = check(what, partial(_writable, client, address))
        yield replace(found, remedy=_remedy(client, address)) if found.blocking else found
    yield from check_compute(client, target, root)


def _experiments(client: Workspace, target: WorkspaceTarget) -> str:
    """The folder is created by the first run, so check the nearest folder that exists."""
    folder = target.experiment_root
    while folder.strip("/"):
        with translated(f"folder {folder}"):
            try:
                client.workspace.get_status(folder)
                break
            except NotFound:
                folder = folder.rpartition("/")[0]
    if not folder.strip("/"):
        raise BadInput(f"{target.experiment_root}: no folder on this path exists; begin "
                       "experiment_root with /Shared or /Users/<you>.")
    probe = destination(f"/Workspace{target.experiment_root}/_files", client)
    _written(probe)
    return f"{target.experiment_root} can be written to"


def _catalog(client: Workspace, catalog: str, me: str) -> str:
    with translated(f"catalog {catalog}"):
        owner = client.catalogs.get(catalog).owner
        held = client.grants.get_effective(
            SecurableType.CATALOG.value, catalog, principal=me).privilege_assignments or []
    names = {privilege.privilege.value for each in held for privilege in each.privileges or []
             if privilege.privilege}
    missing = sorted(ON_CATALOG - names)
    if missing and ALL not in names and owner != me:
        rights = ", ".join(name.replace("_", " ") for name in missing)
        raise NotAllowed(f"{rights} is not granted; ask {owner} for GRANT {rights} ON CATALOG "
                         f"{catalog} TO `{me}`.")
    return "schemas can be made"


def _writable(client: Workspace, address: str) -> str:
    _written(destination(address, client))
    return f"{address} can be written to"


def _remedy(client: Workspace, address: str) -> str:
    """The command that creates the missing part of a volume; empty if nothing is missing."""
    parts = address.removeprefix("dbfs:").split("/")
    if parts[:2] != ["", "Volumes"] or len(parts) < 5:
        return ""
    catalog, schema, volume = parts[2:5]
    return (_missing_catalog(client, catalog)
            or _missing(partial(client.schemas.get, f"{catalog}.{schema}"),
                        f"databricks schemas create {schema} {catalog}")
            or _missing(partial(client.volumes.read, f"{catalog}.{schema}.{volume}"),
                        f"databricks volumes create {catalog} {schema} {volume} MANAGED"))


def _missing_catalog(client: Workspace, catalog: str) -> str:
    return _missing(partial(client.catalogs.get, catalog), f"databricks catalogs create {catalog}")


def _missing(look: Callable[[], Any], command: str) -> str:
    try:
        look()
    except NotFound:
        return f"create it, or ask an admin to: {command}"
    except DatabricksError:  # not everybody may see whether it exists
        return ""
    return ""


def _written(files: Any) -> None:
    probe = f"_doctor/{uuid4().hex}"
    files.create(probe, b"written by doctor.py\n")
    files.delete(probe)
    files.delete_folder("_doctor")
