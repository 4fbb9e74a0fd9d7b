from __future__ import annotations

from pathlib import Path

import pytest

from branchline.config.deploy_file import read_deploy_file
from branchline.config.service_file import Canary, Service
from branchline.errors import BadInput

GOOD = """jobs:
  score: {}
services:
  scoring-service:
    image: registry.example.com:5000/team/scoring
    latency_ms: 80
    canary: {weight: 20, minutes: 0.5}
  other: {image: registry.example.com/other}
targets:
  production: {clusters: [staging, production]}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "deploy.yml").write_text(text)
    return folder / "deploy.yml"


def test_services_and_the_clusters_of_a_target_are_read(tmp_path: Path) -> None:
    found = read_deploy_file(written(tmp_path, GOOD))
    assert found.services == (
        Service("scoring-service", "registry.example.com:5000/team/scoring", 80,
                Canary(weight=20, minutes=0.5)),
        Service("other", "registry.example.com/other"))
    assert found.where("production").clusters == ("staging", "production")
    assert found.where("local").clusters == ()


@pytest.mark.parametrize(("old", "new", "line", "said"), [
    ("  scoring-service:", "  Scoring_Service:", 4, "expected a name of a-z, 0-9 and -"),
    ("team/scoring", "team/scoring:latest", 5, "expected a repository without a tag"),
    ("    image: registry.example.com:5000/team/scoring\n", "", 4, "lacks image"),
    ("latency_ms: 80", "latency_ms: fast", 6, "expected a number from 1 to 60000"),
    ("weight: 20", "weight: 80", 7, "expected a number from 1 to 50"),
    ("minutes: 0.5", "hours: 1", 7, "canary has an unknown key hours"),
    ("[staging, production]", "[staging, staging]", 10, "expected a list of contexts"),
    ("[staging, production]", "staging", 10, "expected a list of contexts")])
def test_an_invalid_value_is_reported_with_its_line(tmp_path: Path, old: str, new: str, line: int,
                                                    said: str) -> None:
    assert old in GOOD
    with pytest.raises(BadInput) as refused:
        read_deploy_file(written(tmp_path, GOOD.replace(old, new)))
    assert f"deploy.yml, line {line}: " in str(refused.value) and said in str(refused.value)
