from __future__ import annotations

from pathlib import Path

import pytest

from branchline.errors import BadInput
from branchline.targets import read_target
from tests.conftest import ROOT

LOCAL = "local: {tracking_uri: a, lakehouse: c, experiment_root: d}\n"


def test_the_repository_has_a_local_target() -> None:
    target = read_target(ROOT / "mlflow-triggers" / "targets.yml", "local")
    assert target.tracking_uri.startswith("sqlite:///")


@pytest.mark.parametrize(("content", "name", "line"), [
    (LOCAL, "dev", "target dev is not in targets.yml; found local."),
    ("", "local", "found none."),
    ("local: {tracking_uri: a, lakehouse: c}", "local", "lacks experiment_root"),
    (LOCAL.replace("d}", "d, experiment: e}"), "local", "unknown key experiment; expected"),
    ("local: [", "local", "cannot be read"),
])
def test_what_is_wrong_with_the_file_is_told_in_one_line(
        tmp_path: Path, content: str, name: str, line: str) -> None:
    (tmp_path / "targets.yml").write_text(content)
    with pytest.raises(BadInput) as refused:
        read_target(tmp_path / "targets.yml", name)
    assert line in str(refused.value) and "\n" not in str(refused.value)
