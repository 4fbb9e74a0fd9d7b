"""The examples of docs/serving.md and docs/guardrails.md, run as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from branchline.config.guardrails_file import read_guardrails
from fraud_detection.model.estimators import inputs
from support.clone import ROOT
from support.web_service import WebService
from tests.served import SERVICE, batch_features, save_model, silver


def blocks(document: str, language: str) -> list[str]:
    text = (ROOT / "docs" / document).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> WebService:
    folder = tmp_path_factory.mktemp("served")
    model = save_model(folder / "model", batch_features(silver()))
    return WebService(SERVICE, "--model", str(model), "--store", str(folder / "events.db"))


def test_the_clients_in_curl_and_python_get_a_score(served: WebService) -> None:
    [curl] = [block for block in blocks("serving.md", "sh") if "curl" in block]
    [python] = blocks("serving.md", "python")
    with served as started:
        said = [subprocess.run([*command, script.replace(":8080", f":{started.port}")], check=True,
                               capture_output=True, text=True).stdout
                for command, script in ((["bash", "-c"], curl), ([sys.executable, "-c"], python))]
    [found] = json.loads(said[0])["transactions"]
    assert 0 <= found["score"] <= 1 and found["features"]["amount"] == 57.16
    assert isinstance(found["reasons"], list)
    assert said[1].split()[0] == str(found["score"])


def test_the_rules_in_the_documentation_fit_the_example_s_model(tmp_path: Path) -> None:
    [text] = blocks("guardrails.md", "yaml")
    (tmp_path / "guardrails.yml").write_text(text)
    rules = read_guardrails(tmp_path / "guardrails.yml")
    assert len(rules.rules) == 6
    rules.check(inputs("hist_gradient_boosting", "full"))
