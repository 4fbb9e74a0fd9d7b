from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import RunLifeCycleState

from runs_in_workspace import VOLUME, Jobs, result
from support.clone import ROOT
from support.processes import wait_until
from workspace_server import Workspace

SLEEP = "import time; print('here', flush=True); time.sleep(600)"


def test_a_script_gets_its_parameters_and_its_output_is_kept(jobs: Jobs) -> None:
    log = jobs.said("import sys; print(sys.argv[1:]); print('aside', file=sys.stderr)", "a b", "*")
    assert log == "['a b', '*']\naside\n"


def test_a_script_sees_workspace_and_volumes_where_a_cluster_has_them(
        client: WorkspaceClient, jobs: Jobs) -> None:
    client.files.upload(f"{VOLUME}/in.txt", io.BytesIO(b"landed"), overwrite=True)
    log = jobs.said(f"import sys; print(sys.argv[0].startswith('/Workspace/Users/'))\n"
                    f"print(open('{VOLUME}/in.txt').read())\n"
                    f"open('{VOLUME}/out.txt', 'w').write('made')")
    assert log == "True\nlanded\n"
    contents = client.files.download(f"{VOLUME}/out.txt").contents
    assert contents and contents.read() == b"made"


def test_a_script_finds_neither_the_source_tree_nor_this_process(
        jobs: Jobs) -> None:
    log = jobs.said(
        "import os, importlib.util, sys\n"
        "print([name for name in ('branchline', 'fraud_detection', 'tests', 'faults', 'driver')"
        " if importlib.util.find_spec(name)])\n"
        "print([name for name in os.environ if name.startswith(('PYTEST', 'VIRTUAL', 'PYTHONPA'))])"
        f"\nprint([entry for entry in sys.path if {str(ROOT / 'src')!r} in entry])\n"
        "print('__file__' in globals())")
    assert log == "[]\n[]\n[]\nFalse\n"


def test_a_script_is_signed_in_as_its_submitter(workspace: Workspace) -> None:
    log = Jobs(workspace.client("ci@example.com")).said(
        "from databricks.sdk import WorkspaceClient\n"
        "print(WorkspaceClient().current_user.me().user_name)")
    assert log.splitlines()[-1] == "ci@example.com"


def test_a_failing_script_fails_its_task_and_the_run_reads_internal_error(
        client: WorkspaceClient, jobs: Jobs) -> None:
    run, _ = jobs.ended(jobs.submit("raise RuntimeError('intentional failure')"))
    assert result(run) == ("FAILED", "RUN_EXECUTION_ERROR", "INTERNAL_ERROR", "TERMINATED")
    assert run.tasks and run.tasks[0].run_id
    output = client.jobs.get_run_output(run.tasks[0].run_id)
    assert output.error == "RuntimeError: intentional failure"
    assert output.error_trace and "driver.py" not in output.error_trace


@pytest.mark.parametrize(("script", "ends"), [
    ("import sys; sys.exit(0)", "SUCCESS"), ("import sys; sys.exit(3)", "FAILED"),
    ("import os; os._exit(4)", "FAILED"), ("def broken(:", "FAILED")])
def test_a_script_that_ends_early(script: str, ends: str, jobs: Jobs) -> None:
    assert result(jobs.ended(jobs.submit(script))[0])[0] == ends


def test_a_cancelled_run_leaves_no_process(client: WorkspaceClient, jobs: Jobs) -> None:
    run_id = jobs.submit("import os; print(os.getpid(), flush=True)\n" + SLEEP)
    task = jobs.reached(run_id, RunLifeCycleState.RUNNING).tasks
    assert task and task[0].run_id
    number = task[0].run_id
    wait_until(lambda: "here" in (client.jobs.get_run_output(number).logs or ""))
    client.jobs.cancel_run(run_id)
    run, log = jobs.ended(run_id)
    assert result(run) == ("CANCELED", "USER_CANCELED", "TERMINATED", "TERMINATED")
    assert not psutil.pid_exists(int(log.split()[0]))


def test_a_run_ends_at_its_time_limit(jobs: Jobs) -> None:
    run, _ = jobs.ended(jobs.submit(SLEEP, run_timeout_seconds=1))
    assert result(run)[0] == "TIMEDOUT"


@pytest.mark.parametrize(("fault", "code"), [
    ("cluster_failure", "CLUSTER_ERROR"), ("library_failure", "LIBRARY_INSTALLATION_ERROR"),
    ("node_lost", "CLUSTER_ERROR")])
def test_the_platform_fails_a_run_by(fault: str, code: str, workspace: Workspace,
                                     jobs: Jobs) -> None:
    workspace.fault(fault, seconds=0.1)
    assert result(jobs.ended(jobs.submit(SLEEP))[0])[:2] == ("FAILED", code)


def test_a_cluster_that_never_starts_waits_to_be_cancelled(
        workspace: Workspace, client: WorkspaceClient, jobs: Jobs) -> None:
    workspace.fault("never_starts")
    run_id = jobs.submit(SLEEP)
    state = client.jobs.get_run(run_id).state
    assert state and state.life_cycle_state is RunLifeCycleState.PENDING
    client.jobs.cancel_run(run_id)
    assert result(jobs.ended(run_id)[0])[0] == "CANCELED"


def test_runs_end_with_the_process_that_started_the_workspace(tmp_path: Path) -> None:
    """Even if that is killed: the server notices, and its runs' processes with it."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)], cwd=Path(__file__).parent,
        stdout=subprocess.PIPE, text=True)
    assert starter.stdout
    script = int(starter.stdout.readline())
    assert psutil.pid_exists(script)
    os.kill(starter.pid, signal.SIGKILL)
    starter.communicate()
    wait_until(lambda: not psutil.pid_exists(script))


STARTER = f"""
import sys, time
from pathlib import Path
from workspace_server import Workspace
from runs_in_workspace import Jobs
with Workspace.start(Path(sys.argv[1]), phase_seconds=0) as workspace:
    client = workspace.client()
    run = Jobs(client).submit({"import os; print(os.getpid(), flush=True)" + chr(10) + SLEEP!r})
    while True:
        task = client.jobs.get_run(run).tasks[0].run_id
        logs = client.jobs.get_run_output(task).logs
        if "here" in logs:
            print(logs.split()[0], flush=True)
        time.sleep(0.05)
"""
