from __future__ import annotations

import pytest

from branchline.ci.identify import started_by


@pytest.mark.parametrize(("variables", "name"), [
    ({"BUILD_BUILDID": "12"}, "build 12"),
    ({"BUILD_BUILDID": "12", "SYSTEM_COLLECTIONURI": "https://ci/", "SYSTEM_TEAMPROJECT": "p"},
     "https://ci/p/_build/results?buildId=12"),
    ({"GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "o/r", "GITHUB_SERVER_URL": "https://g"},
     "https://g/o/r/actions/runs/7/attempts/1"),
    ({"CI_JOB_URL": "https://gl/1"}, "https://gl/1"),
])
def test_a_build_is_named_by_its_address(variables: dict[str, str], name: str) -> None:
    assert started_by(variables) == name


def test_without_a_build_the_user_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "someone")
    assert started_by({}) == "someone"
