"""What steps and projects may use of branchline: a change here is a change for every project."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module

import pytest

from support.clone import ROOT

# Beside `branchline` itself: what features are made of, what the gate reads of a comparison, how a
# file of settings is read.
SURFACE = {
    "branchline": "BadInput BranchlineError Column Format Job Lakehouse Migration Pipeline "
                  "RowsLost Settings Step Table parameter start training_set",
    "branchline.config.guardrails_file": "read_guardrails",
    "branchline.config.kafka_file": "KafkaFile block secret_variables",
    "branchline.config.yaml_file": "YamlMapping read_yaml",
    "branchline.features.kernel": "Complement DAY Definition Floats Ints Product Ratio Window "
                                  "compute look_back_days time_order",
    "branchline.features.versions": "version_of versions",
    "branchline.features.arrow": "EventColumns FromTime with_features",
    "branchline.features.online": "Event HeldFeatures OnlineFeatures SqliteStore Store open_store",
    "branchline.features.online.backfill": "backfill",
    "branchline.streaming": "Answer Message Scorer",
    "branchline.streaming.on_spark": "Live Progress Topics score_live",
    "branchline.guardrails": "ACTIONS AlertRate Guardrails Judge Judged KINDS Rule",
    "branchline.inference_log": "Entry HashKey InferenceLog LogSettings Origin",
    "branchline.inference_log.of_batch": "log_batch",
    "branchline.inference_log.shipping": "ship",
    "branchline.inference_log.tables": "BRONZE_INFERENCE_LOG INFERENCE_LOG LOG_FILES "
                                       "LOG_QUARANTINE LOG_TABLES",
    "branchline.monitoring.distances": "kolmogorov_smirnov psi wasserstein",
    "branchline.monitoring.drift": "Compared Drift Policy compare drift",
    "branchline.monitoring.family": "Unjudged holm judged",
    "branchline.monitoring.judged": "column_measures row_measures with_levels",
    "branchline.monitoring.measures": "CHANGED MEASURES Measure OK TOO_FEW UNTESTED",
    "branchline.monitoring.profile_tables":
        "DRIFT_METRICS PROFILE_METRICS drift_row profile_row",
    "branchline.monitoring.reference": "Column column from_record to_record",
    "branchline.monitoring.summary": "Summary summary",
    "branchline.monitoring.window_rows": "Rows outcomes",
    "branchline.monitoring.windows": "Edges KEY Key in_windows summaries",
    "branchline.parity": "ColumnParity Example Logged PARITY Parity Recomputed compare log_parity "
                         "of_lines read_log",
    "branchline.lakehouse.appends": "Append append_once appends count_rows log own_append",
    "branchline.lakehouse.clones": "Base base_of clone_missing explained",
    "branchline.lakehouse.conditions": "chosen told_in_one_line",
    "branchline.lakehouse.repeats": "id_hash repeated_hashes",
    "branchline.lakehouse.sources":
        "FILES FileSource KAFKA KafkaSource Layout Piece Source Taken shortened",
    "branchline.lakehouse.sources.json_lines": "columns_of read rows_of",
    "branchline.lakehouse.stream": "checkpoint checkpoints follow forget",
    "branchline.serving": "Answered Asked Golden Limits Records ServerSettings Service number "
                          "shown span",
    "branchline.serving.logged": "Logged NEWEST fetched read_logged version_of",
    "branchline.lakehouse.difference.output": "print_parts to_markdown",
    "branchline.runs.registry": "CHALLENGER CHAMPION Registered Registry",
    "branchline.runs.tracking": "Tracking connect quiet remove_variables shown",
    "branchline.runs.shown_parity": "parity_of parts",
    "branchline.spark.kafka_broker": "Broker kafka_jars",
    "branchline.show": "SHOW as_lines command_for find_table show_step",
    "branchline.text": "code collapsed html markdown one_line printable protect_output "
                       "protected_output safe unprotected without_credentials",
    "branchline.gate.comparison": "ARTIFACT Comparison Data FEWEST_UNITS GUARDRAILS Measured "
                                  "Model OTHER_LIBRARIES Slice",
    "branchline.gate.outcomes": "ARTIFACT Kpi Outcomes",
    "branchline.runs.requirements": "model_requirements unmet",
    "branchline.gate.resampling": "Floats Measure standard_errors variance",
}


@pytest.mark.parametrize("module", SURFACE)
def test_a_public_module_exports_exactly_these_names(module: str) -> None:
    found = import_module(module)
    assert sorted(found.__all__) == SURFACE[module].split()
    assert all(hasattr(found, name) for name in found.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    import branchline
    with pytest.raises(AttributeError, match="'branchline' has no attribute 'nothing'"):
        branchline.nothing


@pytest.mark.parametrize("folder", ["src", "mlflow-notebooks"])
def test_a_team_s_code_imports_public_names_alone(folder: str) -> None:
    used = [(str(file.relative_to(ROOT)), node.module, alias.name)
            for file in (ROOT / folder).rglob("*.py")
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("branchline")
            for alias in node.names]
    assert used
    assert [each for each in used if each[2] not in SURFACE.get(each[1] or "", "").split()] == []


@pytest.mark.parametrize(("script", "heavy"), [
    ("import branchline", {"yaml", "click", "numpy"}),
    ("import branchline; branchline.Pipeline, branchline.Settings, branchline.Lakehouse", set())])
def test_importing_public_names_loads_nothing_heavy(script: str, heavy: set[str]) -> None:
    names = "print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", f"import sys; {script}; {names}"],
                            capture_output=True, text=True, check=True).stdout.split()
    assert "branchline" in loaded
    assert not (heavy | {"pyspark", "mlflow", "pandas", "numpy", "sklearn", "databricks"}) & set(
        loaded)
