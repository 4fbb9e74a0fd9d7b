"""From an address to its destination: a volume, workspace files, DBFS root, a local folder."""

from __future__ import annotations

import logging
from pathlib import Path

from branchline.errors import BadInput
from branchline.platforms.databricks.dbfs import Dbfs
from branchline.platforms.databricks.volume import Volume
from branchline.platforms.databricks.workspace import Workspace
from branchline.platforms.databricks.workspace_folder import WorkspaceFolder
from branchline.wheels.destinations import Destination, LocalFolder

__all__ = ["Dbfs", "Volume", "WorkspaceFolder", "destination"]

LEGACY = ("%s: the DBFS root is legacy: runtimes from 15.1 on do not install wheels from there, "
          "and new workspaces have it disabled; use /Volumes/<catalog>/<schema>/<volume>.")


def destination(address: str, client: Workspace | None) -> Destination:
    """The destination that an address names.

    `/Volumes/...` or `dbfs:/Volumes/...`, `/Workspace/...`, `dbfs:/...` (legacy, with a warning in
    the log); anything else is a folder of this machine, which alone needs no client.

    Raises:
        BadInput: an unknown kind of destination, or one in a workspace but no client.
    """
    folder = address.rstrip("/").replace("dbfs:/Volumes/", "/Volumes/")
    remote = folder.startswith(("/Volumes/", "/Workspace/", "dbfs:/"))
    if not remote and ":/" not in folder:
        return LocalFolder(Path(folder).expanduser())
    if not remote or (folder.startswith("/Volumes/") and folder.count("/") < 4):
        raise BadInput(f"destination {address}: expected /Volumes/<catalog>/<schema>/<volume>, "
                       "/Workspace/<folder>, dbfs:/FileStore/<folder> or a local folder.")
    if client is None:
        raise BadInput(f"destination {address}: is in a workspace, but no workspace is signed in "
                       "to.")
    if folder.startswith("/Volumes/"):
        return Volume(client, folder)
    if folder.startswith("/Workspace/"):
        return WorkspaceFolder(client, folder)
    logging.getLogger(__name__).warning(LEGACY, address)
    return Dbfs(client, folder)
