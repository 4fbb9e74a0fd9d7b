"""The SDK's modules without its services, in a process of their own each."""

from __future__ import annotations

import os
import subprocess
import sys

from workspace_server import Workspace


def told(code: str, workspace: Workspace | None = None) -> str:
    signed_in = workspace.environment() if workspace else {}
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **signed_in},
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LIGHT = """
import sys
from branchline.platforms.databricks.sdk import without_services
without_services()
def services():
    return sorted(name.rpartition(".")[2] for name in sys.modules
                  if name.startswith("databricks.sdk.service."))
"""


def test_what_a_submission_imports_holds_no_service_of_jobs_runs_or_clusters() -> None:
    imported = told(f"{LIGHT}import branchline.platforms.databricks.platform\nprint(*services())")
    assert set(imported.split()) <= {"_internal", "files", "provisioning", "workspace"}


def test_a_service_is_imported_when_it_is_first_called(workspace: Workspace) -> None:
    assert told(f"""{LIGHT}
from databricks.sdk.config import Config
from branchline.platforms.databricks.workspace import Workspace
workspace = Workspace(Config())
assert "jobs" not in services()
print(type(workspace.jobs).__name__, "jobs" in services())""", workspace) == "JobsExt True"


def test_the_whole_client_is_made_of_the_same_modules(
        workspace: Workspace) -> None:
    assert told(f"""{LIGHT}
import databricks.sdk.core
from databricks.sdk import WorkspaceClient, useragent
import databricks.sdk
client = WorkspaceClient()
print(type(client.config) is databricks.sdk.core.Config, client.jobs is not None,
      databricks.sdk.WorkspaceClient is WorkspaceClient)""", workspace) == "True True True"


def test_an_unknown_attribute_of_the_package_is_an_attribute_error() -> None:
    assert told(f"""{LIGHT}
import databricks.sdk
print(hasattr(databricks.sdk, "no_such_thing"), hasattr(databricks.sdk, "AccountClient"))
""") == "False True"


def test_an_already_imported_package_is_left_alone() -> None:
    assert told("import databricks.sdk as before" + LIGHT
                + "import databricks.sdk\nprint(databricks.sdk is before)") == "True"
