"""azure-pipelines.yml and the workflow: valid, and right where a schema does not look."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.clone import ROOT
from tests.ci import definition
from tests.ci.definition import Step

AZURE = ROOT / "azure-pipelines.yml"
TEMPLATES = [ROOT / ".azure" / "setup.yml", ROOT / ".azure" / "databricks.yml"]
WORKFLOW = ROOT / ".github" / "workflows" / "branchline.yml"
ACTION = ROOT / ".github" / "actions" / "setup" / "action.yml"
SCHEMA_OF_AZURE = ["--builtin-schema", "vendor.azure-pipelines", "--data-transform",
                   "azure-pipelines", "--regex-variant", "nonunicode"]
PROGRAMS = Path(sys.executable).parent
FIRST_KEYS = {"stage", "job", "deployment", "script", "task", "checkout", "publish", "download",
              "template"}
SHELL_LOGIC = re.compile(r"&&|\|\||[;|\n`]|\$\(\w+ |\bif\b|\bfor\b")
CHOSEN_BY_A_PUSHER = re.compile(r"SourceBranch|head_ref|head\.ref|ref_name|pull_request\.title")


def azure() -> dict[str, Any]:
    return dict(yaml.safe_load(AZURE.read_text()))


def workflow() -> dict[str, Any]:
    return dict(yaml.safe_load(WORKFLOW.read_text()))


def jobs(stage: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for job in stage["jobs"]:
        yield job.get("job") or job["deployment"], job


def steps_of(job: dict[str, Any]) -> list[Step]:
    """All steps of a job, those of its hooks and of the template among them."""
    if "steps" in job:
        return list(definition.steps_of(job["steps"], ROOT))
    once = job["strategy"]["runOnce"]
    return list(definition.steps_of(
        [*once["deploy"]["steps"], *once[definition.ON]["failure"]["steps"]], ROOT))


def commands() -> list[str]:
    """What either system executes, as it is written."""
    found = [step.get("script") or step.get("inputs", {}).get("inlineScript", "")
             for stage in azure()["stages"] for _, job in jobs(stage) for step in steps_of(job)]
    for job in workflow()["jobs"].values():
        found += [step.get("run", "") for step in job["steps"]]
    found += [step.get("run", "") for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"]]
    return [command for command in found if command]


@pytest.mark.parametrize("arguments", [
    [*SCHEMA_OF_AZURE, str(AZURE), str(TEMPLATES[0])],
    ["--builtin-schema", "vendor.github-workflows", str(WORKFLOW)],
    ["--builtin-schema", "custom.github-workflows-require-timeout", str(WORKFLOW)],
    ["--builtin-schema", "vendor.github-actions", str(ACTION)],
], ids=["azure", "github", "github timeouts", "action"])
def test_the_files_are_valid_by_their_vendors_schemas(arguments: list[str]) -> None:
    done = subprocess.run([PROGRAMS / "check-jsonschema", *arguments], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_pipeline_with_its_templates_filled_in_is_valid_too(tmp_path: Path) -> None:
    # The schema has no expressions in a step's name, the service has: it checks what it puts there.
    template = yaml.safe_load(TEMPLATES[1].read_text())
    steps = [step for stage in azure()["stages"] for _, job in jobs(stage)
             for step in steps_of(job) if step.get("task") == "AzureCLI@2"]
    assert len(steps) == 11
    file = tmp_path / "databricks.yml"
    file.write_text(yaml.safe_dump({**template, "steps": steps}, sort_keys=False))
    done = subprocess.run([PROGRAMS / "check-jsonschema", *SCHEMA_OF_AZURE, str(file)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_no_problem_in_the_workflow() -> None:
    done = subprocess.run([PROGRAMS / "zizmor", "--offline", "--min-severity", "medium",
                           str(ROOT / ".github")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_names_are_legal_unique_and_those_that_are_waited_for_exist() -> None:
    stages = azure()["stages"]
    names = [stage["stage"] for stage in stages]
    names += [name for stage in stages for name, _ in jobs(stage)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[A-Za-z_]\w*", name) and name != "deploy_" for name in names)
    for number, stage in enumerate(stages):
        assert {stage.get("dependsOn")} - {None} <= set(names[:number])
        known = [name for name, _ in jobs(stage)]
        for name, job in jobs(stage):
            assert name != "deploy" and {job.get("dependsOn")} - {None} <= set(known) - {name}
    listed = workflow()["jobs"]
    assert all(job.get("needs", name) in listed for name, job in listed.items())


def test_a_condition_keeps_succeeded_unless_its_step_is_for_failures_too() -> None:
    for stage in azure()["stages"]:
        for part in (stage, *(job for _, job in jobs(stage))):
            assert "succeeded()" in part.get("condition", "succeeded()")
        for _, job in jobs(stage):
            for step in steps_of(job):
                assert step.get("condition", "succeededOrFailed()") == "succeededOrFailed()"


def test_what_only_main_may_do_asks_for_its_whole_ref() -> None:
    main = "and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))"
    assert [stage.get("condition") for stage in azure()["stages"]] == [None, main, main, main]
    guarded = {name: job.get("if") for name, job in workflow()["jobs"].items()}
    assert {guarded[name] for name in ("sample", "release", "plan", "deploy")} == {
        "github.ref == 'refs/heads/main'"}


def test_a_step_is_one_command_without_logic() -> None:
    assert len(commands()) > 20
    for command in commands():
        plain = re.sub(r'echo ".*"', "echo", command.strip())
        assert not SHELL_LOGIC.search(plain), command


def test_no_text_chosen_by_a_pusher_is_inserted_into_a_command() -> None:
    for command in commands():
        assert not CHOSEN_BY_A_PUSHER.search(command), command
        assert "${{" not in command, command


def test_every_trigger_that_is_called_exists_with_those_options() -> None:
    called = [command for command in commands() if "mlflow-triggers/" in command]
    assert {re.findall(r"mlflow-triggers/(\w+)", command)[0] for command in called} == {
        "run", "diff", "gate", "image", "publish", "deploy"}
    for command in called:
        check_options(command)


def check_options(command: str) -> None:
    words = command.split()
    trigger = words.index(next(word for word in words if "mlflow-triggers/" in word))
    sub = [words[trigger + 1]] if "deploy.py" in command else []
    shown = help_of(words[trigger], *sub)
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"{option}\b", shown), f"{command}: {option}"


def test_a_pull_request_begins_with_main_s_tables_and_shows_what_differs_from_them() -> None:
    stages = {stage["stage"]: dict(jobs(stage)) for stage in azure()["stages"]}
    listed = workflow()["jobs"]
    for before, after in (
            (steps_of(stages["sample"]["baseline"]), steps_of(stages["check"]["integration"])),
            (listed["sample"]["steps"], listed["integration"]["steps"])):
        [made], [began, compared] = _on_dev(before), _on_dev(after)
        assert began.replace(" --from-main", "") == made and began != made
        assert "diff.py" in compared and "--markdown" in compared and "--fail-on" not in compared


def _on_dev(steps: list[Step]) -> list[str]:
    found = [step.get("inputs", {}).get("inlineScript", step.get("run", "")) for step in steps]
    return [command for command in found if " --on dev " in command]


def test_a_trigger_replaces_its_shell_so_that_a_cancel_reaches_it() -> None:
    called = [command for command in commands() if "mlflow-triggers/" in command]
    assert called and all(command.startswith("exec ") for command in called)


def test_each_file_names_the_project_once() -> None:
    for file in (AZURE, WORKFLOW):
        assert file.read_text().count("fraud-training") == 1
    for command in commands():
        if "mlflow-triggers/" in command:
            assert command.count("$(project)") + command.count('"$PROJECT"') == 1, command


def test_a_merge_queue_gets_the_result_of_the_tests() -> None:
    assert "merge_group" in workflow()[definition.ON]
    reported = [name for name, job in workflow()["jobs"].items() if "if" not in job]
    assert reported == ["tests"]


def test_a_template_is_given_exactly_what_it_declares() -> None:
    with pytest.raises(AssertionError, match="databricks.yml declares"):
        list(definition.steps_of([{"template": ".azure/databricks.yml",
                                   "parameters": {"name": "a", "titel": "b"}}], ROOT))


@cache
def help_of(*command: str) -> str:
    return subprocess.run([sys.executable, *command, "--help"], cwd=ROOT, capture_output=True,
                          text=True, check=True).stdout


def test_the_environments_and_connections_are_those_of_the_documentation() -> None:
    documentation = (ROOT / "docs" / "ci.md").read_text()
    connections = {step["inputs"]["azureSubscription"] for stage in azure()["stages"]
                   for _, job in jobs(stage) for step in steps_of(job)
                   if step.get("task") == "AzureCLI@2"}
    environments = set(re.findall(r"environment: (\S+)", AZURE.read_text() + WORKFLOW.read_text()))
    assert len(connections) == 4 and environments == {
        "dev", "staging", "production", "production-reader"}
    for name in connections | environments:
        assert f"`{name}`" in documentation, name


def test_azures_rules_that_its_schema_does_not_check_are_met() -> None:
    for file in (AZURE, *TEMPLATES):
        assert not re.search(r"(^|\s)[&*]\w+(\s|$)", file.read_text()), "no anchors"
    for stage in azure()["stages"]:
        for part in (stage, *(job for _, job in jobs(stage)),
                     *(step for _, job in jobs(stage) for step in steps_of(job))):
            assert next(iter(part)) in FIRST_KEYS, part


def test_a_fork_gets_no_credentials_and_reports_what_it_skips() -> None:
    check = dict(jobs(azure()["stages"][0]))
    assert "ne(variables['System.PullRequest.IsFork'], 'True')" in check["integration"]["condition"]
    assert not [step for step in steps_of(check["fork"]) if step.get("task") == "AzureCLI@2"]
    assert any("skipped" in step.get("script", "") for step in steps_of(check["fork"]))
    fork = workflow()["jobs"]["fork"]
    assert "id-token" not in fork.get("permissions", {}) and "environment" not in fork
