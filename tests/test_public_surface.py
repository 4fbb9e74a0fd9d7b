"""What other code may use of the two packages: a change here is a change for every project."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

SURFACE = {
    "branchline.branch": "Branch Kind current identify",
    "branchline.deploy.canonical": "encoded read_object sha256",
    "branchline.gate.candidates": "Candidate by_metrics find_candidate last_approved",
    "branchline.ci": "set_output show_page",
    "branchline.command_line": "INTERRUPTED run_command",
    "branchline.gate.comparison": "ARTIFACT Comparison Data Measured Model Slice",
    "branchline.databricks.backend": "DatabricksJobsBackend",
    "branchline.branch_life": "Experiment gone remote_branches",
    "branchline.databricks.cleaning": "Leftover experiments leftovers",
    "branchline.databricks.client": "connect translated",
    "branchline.databricks.diagnosis": "Outcome diagnose",
    "branchline.databricks.examination": "examine_workspace",
    "branchline.databricks.files": "Dbfs Volume WorkspaceFolder destination",
    "branchline.databricks.following": "Patience ended follow task_of",
    "branchline.databricks.job_run": "JobRun",
    "branchline.databricks.live": "requirements sync",
    "branchline.databricks.place": "Place of_config of_target",
    "branchline.databricks.production": "WorkspaceProduction",
    "branchline.databricks.experiments": "WorkspaceTracking",
    "branchline.databricks.project_files": "START address files_of upload",
    "branchline.databricks.remote": "Remote sign_in",
    "branchline.databricks.request":
        "Script Submission cluster_spec submit_arguments tag_value",
    "branchline.databricks.runtimes": "Runtime added for_spark_version runtimes unmet",
    "branchline.databricks.sending": "MODELS_BY_FILES_API Work copied_script python_script send",
    "branchline.databricks.start": "main",
    "branchline.databricks.submission": "Persistence submit",
    "branchline.deploy.deploy_file": "DeployFile Job Schedule Where read_deploy_file",
    "branchline.deploy.deployment": "apply demand_finished rollback",
    "branchline.destinations": "Destination Entry LocalFolder",
    "branchline.deploy.differences": "Difference differences drift",
    "branchline.errors":
        "AlreadyPublished BadInput BranchlineError GateRefused NotAllowed NotApproved "
        "NotInstalled PlatformError RowsLost RunCancelled RunFailed TablesBusy UnknownBranch "
        "Unreachable",
    "branchline.deploy.evidence": "junit read_bundle write_bundle",
    "branchline.deploy.evidence_page": "page",
    "branchline.examination": "Finding examine_here finding",
    "branchline.gate.judging": "judge",
    "branchline.gate.picture": "picture",
    "branchline.gate.policy": "MetricRule Policy Sanity SliceRule Tolerance read_policy",
    "branchline.gate.gating":
        "COMPARE Comparing MAIN policy_file record register undecidable_if_it_fails write_page",
    "branchline.interrupts": "held interruptible",
    "branchline.jars": "delta_jars jars_of java",
    "branchline.deploy.journal": "Journal Record State",
    "branchline.deploy.judgement": "judged",
    "branchline.lakehouse": "Column Lakehouse Table",
    "branchline.launch": "Request launch tags",
    "branchline.deploy.local_production": "LocalProduction",
    "branchline.deploy.planning": "Asked chosen_release plan",
    "branchline.deploy.production": "PRODUCTION Production ScheduledJob production_at",
    "branchline.projects": "EntryPoint Parameter Project find_project",
    "branchline.python_workers": "start",
    "branchline.registry": "CHALLENGER CHAMPION Registered Registry model_name",
    "branchline.deploy.release":
        "Judged Release clean_source demand_passed look_up newest now picture_of record",
    "branchline.gate.resampling": "Floats Measure standard_errors variance",
    "branchline.deploy.smoke": "imports modules_of",
    "branchline.source": "Source source_of started_by",
    "branchline.spark": "session",
    "branchline.summary": "address narrator show_end show_next show_start to_markdown",
    "branchline.targets": "Compute LocalTarget Target WorkspaceTarget read_target",
    "branchline.tracking": "Tracking answered connect quiet",
    "branchline.triggering": "Here Place pairs place_of request start",
    "branchline.gate.verdict": "Interval Outcome Reason Verdict number show",
    "branchline.publishing":
        "Published look_up publish publish_checkout published remove superfluous verified",
    "branchline.wheel": "build environment_with main project_name version_of",
    "branchline.yaml_entries": "Entry read_entry",
    "fraud_detection.compare": "compared run slices_of",
    "fraud_detection.curves":
        "calibration importance roc_and_precision_recall slices threshold_picture",
    "fraud_detection.days": "RunDays Span between day_of milliseconds run_days",
    "fraud_detection.drift": "MOVED_FAR by_day psi",
    "fraud_detection.evaluate": "run slice_metrics test_rows",
    "fraud_detection.explore": "by_amount by_day by_hour by_terminal landed rejected run totals",
    "fraud_detection.features": "CALENDAR calendar definitions kept meanings names",
    "fraud_detection.featurize": "features run",
    "fraud_detection.ingest": "landed_rows run",
    "fraud_detection.kernel":
        "DAY Definition Floats Ints Product Ratio Window compute look_back_days time_order",
    "fraud_detection.landing": "SCHEMA read_landed",
    "fraud_detection.models": "LoggedModel SEARCH_SPACES estimator find_model inputs",
    "fraud_detection.monitor": "comparison psi run shares",
    "fraud_detection.parsing": "Parsed parsed",
    "fraud_detection.pictures":
        "AMBER BLUE GREEN GREY INK ORANGE days_below figure interval label_rows legend "
        "note panels percent percentages shares shares_by_name thousands whole",
    "fraud_detection.pipeline": "Job start",
    "fraud_detection.predict": "daily_kpis run scored",
    "fraud_detection.prepare": "duplicated run",
    "fraud_detection.protocol": "card_precision headline ranking without_known_cards",
    "fraud_detection.report": "Section amounts days facts hours labels missing terminals write",
    "fraud_detection.settings": "Columns ON_REQUEST SIMULATED STEPS Settings",
    "fraud_detection.simulator": "World main simulate write",
    "fraud_detection.tables":
        "BRONZE_TRANSACTIONS DAILY_KPIS DUPLICATES FEATURES MONITORING QUARANTINE SCORES "
        "TRANSACTIONS TRANSACTION_COLUMNS",
    "fraud_detection.train": "best_threshold fit labelled run",
    "fraud_detection.weighted": "Weighted average_precision card_precision net_saving",
}


def listed(file: Path) -> list[str]:
    """The `__all__` of a source file, read without importing it."""
    found = [ast.literal_eval(node.value) for node in ast.parse(file.read_text()).body
             if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"]
    assert len(found) == 1, f"{file.name} has {len(found)} __all__"
    names: list[str] = found[0]
    return names


def test_every_module_is_listed_here() -> None:
    src = ROOT / "src"
    files = [file.relative_to(src).with_suffix("") for file in src.rglob("*.py")
             if file.name != "__init__.py"]
    assert sorted(".".join(file.parts) for file in files) == sorted(SURFACE)


@pytest.mark.parametrize("module", SURFACE)
def test_a_module_offers_these_names_and_has_them(module: str) -> None:
    file = (ROOT / "src" / module.replace(".", "/")).with_suffix(".py")
    assert sorted(listed(file)) == SURFACE[module].split()
    tree = ast.parse(file.read_text())
    defined = {name for node in tree.body for name in names_of(node)}
    assert set(listed(file)) <= defined


def names_of(node: ast.stmt) -> list[str]:
    """What a statement at the top of a module defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [name.id for target in node.targets for name in ast.walk(target)
                if isinstance(name, ast.Name)]
    return [node.target.id] if isinstance(node, ast.AnnAssign) and isinstance(
        node.target, ast.Name) else []
