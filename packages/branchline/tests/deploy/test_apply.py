"""From a release through an approved plan to jobs and an alias, and back, in both productions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from branchline.errors import BadInput, NotApproved
from branchline.wheels.artifacts import Artifact
from support.releasing import Shop, shop_in
from workspace_server import Workspace


@pytest.fixture(params=["local", "workspace"])
def shop(request: pytest.FixtureRequest, workspace: Workspace, store: str,
         tmp_path: Path) -> Iterator[Shop]:
    with shop_in(request.param, workspace, store, tmp_path) as opened:
        yield opened


def test_an_applied_plan_pins_the_jobs_to_the_wheel_and_the_model(shop: Shop) -> None:
    first = shop.release("1.0+g1")
    checksum = shop.plan(first)
    assert shop.state() == (None, {f"{shop.name}-score": None, f"{shop.name}-monitor": None})
    deployment = shop.apply(checksum)
    assert deployment.finished and deployment.number == 1 and deployment.evidence == checksum
    champion, jobs = shop.state()
    assert champion and champion.uri == first.model
    for settings in jobs.values():
        references = [artifact.reference for artifact in first.artifacts]
        assert len(references) == 2 and str(first.model) in str(settings)
        assert all(reference in str(settings) for reference in references)
    assert "0 0 5 * * ?" in str(jobs[f"{shop.name}-score"])
    assert "friends" in str(jobs[f"{shop.name}-monitor"])


def test_the_same_evidence_applied_again_changes_nothing(shop: Shop) -> None:
    checksum = shop.plan(shop.release("1.0+g1"))
    shop.apply(checksum)
    before = shop.state()
    assert shop.apply(checksum).number == 1 and "nothing to do" in shop.said[-1]
    assert shop.state() == before


def test_a_plan_shows_what_differs_from_the_current_deployment(shop: Shop) -> None:
    shop.deploy("1.0+g1")
    shop.plan(shop.release("1.0+g2"), who="everybody")
    changes = {each["path"]: (each["was"], each["becomes"]) for each in shop.planned["changes"]}
    for name in ("branchline", "sample"):
        assert changes[f"wheel {name}"] == ("1.0+g1", "1.0+g2")
    assert changes["model"] == (f"models:/{shop.name}/1", f"models:/{shop.name}/2")
    assert any(was == "world" and becomes == "everybody" for was, becomes in changes.values())
    assert shop.planned["based_on"]["deployment"] == 1 and shop.planned["drift"] == []


def test_a_plan_says_what_was_changed_by_hand(shop: Shop) -> None:
    shop.deploy("1.0+g1")
    name = f"{shop.name}-score"
    changed = shop.platform.jobs.actual(name) or {}
    changed["schedule"] = None if "wheels" in changed else {
        "quartz_cron_expression": "0 0 9 * * ?", "timezone_id": "UTC"}
    shop.platform.jobs.put(name, {key: value for key, value in changed.items() if value})
    shop.plan(shop.release("1.0+g2"))
    assert {each["path"].partition(".")[0] for each in shop.planned["drift"]} == {name}
    assert any("0 0 5 * * ?" == each["was"] for each in shop.planned["drift"])


def test_a_job_that_is_no_longer_wanted_is_removed_and_comes_back_by_rollback(shop: Shop) -> None:
    shop.deploy("1.0+g1")
    before = shop.state()
    fewer = replace(shop.file, jobs=shop.file.jobs[:1])
    shop.apply(shop.plan(shop.release("1.0+g2"), fewer))
    assert shop.state()[1][f"{shop.name}-monitor"] is None
    shop.rollback()
    assert shop.state() == before


def test_rollback_returns_to_the_jobs_the_wheel_and_the_model_before(shop: Shop) -> None:
    shop.deploy("1.0+g1")
    before = shop.state()
    shop.deploy("1.0+g2", who="everybody")
    assert shop.state() != before
    deployment = shop.rollback()
    assert (deployment.number, deployment.restores, deployment.finished) == (3, 1, True)
    assert deployment.state.version == "1.0+g1" and shop.state() == before


def test_a_second_rollback_changes_nothing(shop: Shop) -> None:
    for version in ("1.0+g1", "1.0+g2", "1.0+g3"):
        shop.deploy(version)
    assert shop.rollback().state.version == "1.0+g2"
    assert shop.rollback().number == 4 and "nothing to do" in shop.said[-1]


def test_rollback_of_the_first_deployment_leaves_no_job_and_no_champion(shop: Shop) -> None:
    shop.deploy("1.0+g1")
    assert shop.rollback().restores == 0
    assert shop.state() == (None, {f"{shop.name}-score": None, f"{shop.name}-monitor": None})


def test_rollback_of_evidence_that_was_not_deployed_last_changes_nothing(shop: Shop) -> None:
    refused = shop.plan(shop.release("1.0+g1"))
    assert shop.rollback(refused).number == 0 and "nothing to do" in shop.said[-1]
    deployed = shop.deploy("1.0+g2")
    before = shop.state()
    assert shop.rollback(refused).number == 1 and "nothing to do" in shop.said[-1]
    assert shop.state() == before
    assert shop.rollback(deployed.evidence).restores == 0


def test_without_a_deployment_rollback_is_refused(shop: Shop) -> None:
    with pytest.raises(BadInput, match="nothing is deployed yet"):
        shop.rollback()


def test_evidence_of_a_production_that_has_moved_on_is_refused(shop: Shop) -> None:
    checksum = shop.plan(shop.release("1.0+g1"))
    bundle = {file: file.read_bytes() for file in shop.evidence.iterdir()}
    shop.deploy("1.0+g2")
    for file, content in bundle.items():
        file.write_bytes(content)
    before = shop.state()
    with pytest.raises(NotApproved, match="was made while deployment 0 was in place, now it is 1"):
        shop.apply(checksum)
    assert shop.state() == before


@pytest.mark.parametrize("number", [0, 1])
def test_a_changed_wheel_is_not_deployed(shop: Shop, number: int) -> None:
    found = shop.release("1.0+g1")
    checksum = shop.plan(found)
    shop.source.replace(str(found.artifacts[number].path), b"another wheel, bad")
    with pytest.raises(BadInput, match="was changed after it was published"):
        shop.apply(checksum)
    assert shop.journal.newest() is None and set(shop.state()[1].values()) == {None}


def test_project_files_other_than_the_approved_are_not_deployed(shop: Shop) -> None:
    checksum = shop.plan(shop.release("1.0+g1"))
    (shop.project.folder / "main.py").write_text("print('something else')\n")
    with pytest.raises(NotApproved, match="check out commit"):
        shop.apply(checksum)
    assert shop.journal.newest() is None


def test_a_release_without_a_model_of_its_own_keeps_the_champion(shop: Shop) -> None:
    shop.deploy("1.0+g1")
    shop.apply(shop.plan(shop.release("1.0+g2", with_model=False, outcome="refused")))
    champion, jobs = shop.state()
    assert champion and champion.uri == f"models:/{shop.name}/1"
    assert "1.0+g2" in str(jobs) and champion.uri in str(jobs)


def test_without_model_and_champion_nothing_can_be_planned(shop: Shop) -> None:
    with pytest.raises(BadInput, match="has no champion; expected gate.py on main to pass one"):
        shop.plan(shop.release("1.0+g1", with_model=False))


@pytest.mark.parametrize("number", [0, 1])
def test_rollback_to_a_deployment_with_a_missing_wheel_changes_nothing(
        shop: Shop, number: int) -> None:
    first = shop.deploy("1.0+g1")
    shop.deploy("1.0+g2")
    before = shop.state()
    shop.source.delete(str(first.state.artifacts[number].path))
    with pytest.raises(BadInput, match="is missing; publish it again"):
        shop.rollback()
    assert shop.state() == before


def test_a_package_of_the_index_is_deployed_in_its_version(shop: Shop) -> None:
    package = Artifact("package", "branchline", "0.2.0", "branchline==0.2.0")
    made = shop.release("1.0+g1")
    shop.apply(shop.plan(replace(made, artifacts=(package, *made.artifacts))))
    state = shop.journal.current().state
    assert state.artifacts[0] == package
    if "wheels" not in state.jobs[f"{shop.name}-score"]:  # here uv.lock tells the version
        assert {"pypi": {"package": "branchline==0.2.0"}} in state.jobs[
            f"{shop.name}-score"]["tasks"][0]["libraries"]
