"""What other code may use of the two packages: a change here is a change for every project."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from support.clone import ROOT

SURFACE = {
    "branchline.branch": "Branch Kind current identify",
    "branchline.records": "encoded read_object sha256",
    "branchline.gate.candidates": "Candidate by_metrics find_candidate last_approved",
    "branchline.ci.output": "set_output show_page",
    "branchline.cli.exit": "INTERRUPTED run_command",
    "branchline.gate.comparison": "ARTIFACT Comparison Data Measured Model Slice",
    "branchline.platforms.databricks.backend": "DatabricksJobsBackend",
    "branchline.runs.stale_branches": "Experiment gone remote_branches",
    "branchline.platforms.databricks.leftovers": "Leftover experiments leftovers",
    "branchline.platforms.databricks.client": "connect translated",
    "branchline.platforms.databricks.diagnosis": "Outcome diagnose",
    "branchline.platforms.databricks.checks": "examine_workspace",
    "branchline.platforms.databricks.files": "Dbfs Volume WorkspaceFolder destination",
    "branchline.platforms.databricks.poll": "Patience ended follow task_of",
    "branchline.platforms.databricks.job_run": "JobRun",
    "branchline.platforms.databricks.live_sources": "requirements sync",
    "branchline.platforms.databricks.job_settings": "Place of_config of_target",
    "branchline.platforms.databricks.jobs": "WorkspaceProduction",
    "branchline.platforms.databricks.tracking": "WorkspaceTracking",
    "branchline.platforms.project_files": "START address files_of upload",
    "branchline.platforms.databricks.platform": "Remote sign_in",
    "branchline.platforms.databricks.submission":
        "Script Submission cluster_spec submit_arguments tag_value",
    "branchline.platforms.databricks.runtimes": "Runtime added for_spark_version runtimes unmet",
    "branchline.platforms.databricks.submit_project": "MODELS_BY_FILES_API Work copied_script python_script send",
    "branchline.platforms.databricks.start": "main",
    "branchline.platforms.databricks.submit": "Persistence submit",
    "branchline.config.deploy_file": "DeployFile Job Schedule Where read_deploy_file",
    "branchline.deploy.apply": "apply demand_finished rollback",
    "branchline.wheels.destinations": "Destination Entry LocalFolder",
    "branchline.deploy.differences": "Difference differences drift",
    "branchline.errors":
        "AlreadyPublished BadInput BranchlineError GateRefused NotAllowed NotApproved "
        "NotInstalled PlatformError RowsLost RunCancelled RunFailed TablesBusy UnknownBranch "
        "Unreachable",
    "branchline.deploy.evidence": "junit read_bundle write_bundle",
    "branchline.deploy.evidence_page": "page",
    "branchline.platforms.local.checks": "Finding examine_here finding",
    "branchline.gate.decide": "judge",
    "branchline.gate.picture": "picture",
    "branchline.config.gate_policy": "MetricRule Policy Sanity SliceRule Tolerance read_policy",
    "branchline.gate.run":
        "COMPARE Comparing MAIN policy_file record register undecidable_if_it_fails write_page",
    "branchline.signals": "held interruptible",
    "branchline.spark.jars": "delta_jars jars_of java",
    "branchline.deploy.journal": "Journal Record State",
    "branchline.deploy.gate_result": "judged",
    "branchline.lakehouse.catalog": "Catalog",
    "branchline.lakehouse.evolution": "aligned demand_same_format update",
    "branchline.lakehouse.folder": "Folder",
    "branchline.lakehouse.lakehouse": "Lakehouse",
    "branchline.lakehouse.migration": "migrate",
    "branchline.lakehouse.sql": "assignments create_table defined quoted text",
    "branchline.lakehouse.state":
        "FORMAT KEY REQUIRED State differences properties state_of",
    "branchline.lakehouse.table": "Column Migration Table",
    "branchline.platforms.local.launch": "Request launch tags",
    "branchline.platforms.local.jobs": "LocalProduction",
    "branchline.deploy.plan": "Asked chosen_release plan",
    "branchline.platforms.base": "PRODUCTION Production ScheduledJob production_at",
    "branchline.config.mlproject": "EntryPoint Parameter Project find_project",
    "branchline.spark.python_workers": "start",
    "branchline.runs.registry": "CHALLENGER CHAMPION Registered Registry model_name",
    "branchline.deploy.release":
        "Judged Release clean_source demand_passed look_up newest now picture_of record",
    "branchline.gate.resampling": "Floats Measure standard_errors variance",
    "branchline.wheels.smoke": "imports modules_of",
    "branchline.wheels.source": "Source source_of started_by",
    "branchline.spark.session": "session",
    "branchline.runs.ui": "main page port_to_use",
    "branchline.spark.maven": "MIRROR proxy_options settings_options",
    "branchline.runs.summary": "address narrator show_end show_next show_start to_markdown",
    "branchline.config.targets": "Compute LocalTarget Target WorkspaceTarget read_target",
    "branchline.runs.tracking": "Tracking answered connect quiet",
    "branchline.runs.start": "Here Place pairs place_of request start",
    "branchline.gate.verdict": "Interval Outcome Reason Verdict number show",
    "branchline.wheels.publish":
        "Published look_up publish publish_checkout published remove superfluous verified",
    "branchline.wheels.build": "build environment_with main project_name version_of",
    "branchline.config.yaml_file": "Entry read_entry",
    "fraud_detection.steps.compare": "compared run slices_of",
    "fraud_detection.plots.model":
        "calibration importance roc_and_precision_recall slices threshold_picture",
    "fraud_detection.data.days": "RunDays Span between day_of milliseconds run_days",
    "fraud_detection.plots.monitor": "MOVED_FAR by_day psi",
    "fraud_detection.steps.evaluate": "run slice_metrics test_rows",
    "fraud_detection.steps.explore": "by_amount by_day by_hour by_terminal landed rejected run totals",
    "fraud_detection.features": "CALENDAR calendar definitions kept meanings names",
    "fraud_detection.steps.featurize": "features run",
    "fraud_detection.steps.ingest": "landed_rows run",
    "branchline.features.kernel":
        "DAY Definition Floats Ints Product Ratio Window compute look_back_days time_order",
    "fraud_detection.data.landing": "SCHEMA read_landed",
    "fraud_detection.model.estimators": "LoggedModel SEARCH_SPACES estimator find_model inputs",
    "fraud_detection.steps.monitor": "comparison psi run shares",
    "fraud_detection.data.parsing": "Parsed parsed",
    "fraud_detection.plots.style":
        "AMBER BLUE GREEN GREY INK ORANGE days_below figure interval label_rows legend "
        "note panels percent percentages shares shares_by_name thousands whole",
    "branchline.steps": "Job start",
    "fraud_detection.steps.predict": "daily_kpis run scored",
    "fraud_detection.steps.prepare": "duplicated run",
    "fraud_detection.model.protocol": "card_precision headline ranking without_known_cards",
    "fraud_detection.plots.report": "Section amounts days facts hours labels missing terminals write",
    "fraud_detection.settings": "Columns ON_REQUEST SIMULATED STEPS Settings",
    "fraud_detection.data.simulator": "World main simulate write",
    "fraud_detection.data.tables":
        "BRONZE_TRANSACTIONS DAILY_KPIS DUPLICATES FEATURES MONITORING QUARANTINE SCORES "
        "TRANSACTIONS TRANSACTION_COLUMNS",
    "fraud_detection.steps.train": "best_threshold fit labelled run",
    "fraud_detection.model.weighted": "Weighted average_precision card_precision net_saving",
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
