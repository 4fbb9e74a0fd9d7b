"""Production's readers after apply and rollback, and after deployments that break off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from branchline.config.deploy_file import Job
from branchline.deploy import readers
from branchline.deploy.deployment import Deployment, State
from branchline.errors import BadInput, NotApproved, Unreachable
from branchline.table_sets import TableSets
from support.releasing import SCORES, SILVER, WITH_TABLES, Shop, shop_in
from workspace_server import Workspace

TABLES = (SCORES, SILVER)


def with_tables(shop: Shop) -> Shop:
    (shop.project.folder / "MLproject").write_text(WITH_TABLES)
    return shop


@pytest.fixture(params=["local", "workspace"])
def shop(request: pytest.FixtureRequest, workspace: Workspace, store: str,
         tmp_path: Path) -> Iterator[Shop]:
    with shop_in(request.param, workspace, store, tmp_path) as opened:
        yield with_tables(opened)
        _forget(opened)


@pytest.fixture
def there(workspace: Workspace, store: str, tmp_path: Path) -> Iterator[Shop]:
    with shop_in("workspace", workspace, store, tmp_path) as opened:
        yield with_tables(opened)
        _forget(opened)


@pytest.fixture
def here(workspace: Workspace, store: str, tmp_path: Path) -> Iterator[Shop]:
    with shop_in("local", workspace, store, tmp_path) as opened:
        yield with_tables(opened)


def _forget(shop: Shop) -> None:
    """All shops of the workspace have one production, with one folder of manifests."""
    files = shop.platform.table_sets
    for file in files.listing("greeting"):
        files.delete(f"greeting/{file.name}")
    for job in (f"{shop.name}-score", f"{shop.name}-monitor", "greeting-readers"):
        shop.platform.jobs.remove(job)


def sets(shop: Shop) -> TableSets:
    return shop.production("ci").table_sets


def filled(shop: Shop, number: int) -> None:
    """What a run of the deployment's job tells at its end."""
    sets(shop).mark_ready(f"greeting_{number}", "production")


def seen(shop: Shop) -> str | None:
    found = sets(shop).readable("production")
    return found.table_set if found else None


def test_each_deployment_has_a_table_set_of_its_own_which_its_jobs_write(shop: Shop) -> None:
    state = shop.deploy("1.0+g1", TABLES).state
    assert (state.table_set, state.tables) == ("greeting_1", ("gold.scores",))
    settings = {name: str(shop.platform.jobs.actual(name)) for name in state.jobs}
    assert len(settings) >= 2 and all("greeting_1" in text for text in settings.values())
    assert ("greeting-readers" in settings) is not shop.platform.target.is_here
    assert shop.deploy("1.0+g1", TABLES, who="again").state.table_set == "greeting_2"


def test_readers_move_to_the_new_set_once_it_is_filled_and_back_by_rollback(here: Shop) -> None:
    here.deploy("1.0+g1", TABLES)
    filled(here, 1)
    here.deploy("1.0+g2", TABLES)
    assert seen(here) == "greeting_1"
    assert "readers  table set greeting_1 until a job has run in greeting_2" in here.said
    filled(here, 2)
    assert seen(here) == "greeting_2"
    here.rollback()
    assert seen(here) == "greeting_1" and "readers  table set greeting_1" in here.said
    filled(here, 2)
    assert seen(here) == "greeting_1"


def test_rollback_of_a_deployment_that_never_ran_leaves_readers_where_they_are(here: Shop) -> None:
    for version in ("1.0+g1", "1.0+g2"):
        here.deploy(version, TABLES)
    filled(here, 1)
    here.rollback()
    assert seen(here) == "greeting_1"
    here.deploy("1.0+g3", TABLES)
    assert seen(here) == "greeting_1"
    filled(here, 4)
    assert seen(here) == "greeting_4"


def test_rollback_of_the_first_deployment_leaves_the_schemas_own_tables(here: Shop) -> None:
    here.deploy("1.0+g1", TABLES)
    filled(here, 1)
    here.rollback()
    assert seen(here) is None


def test_a_release_without_versioned_tables_has_no_set_and_no_manifest(shop: Shop) -> None:
    state = shop.deploy("1.0+g1", (SILVER,)).state
    assert state.table_set is None and sets(shop).newest() is None
    assert not any("readers" in name for name in state.jobs)


def test_a_job_with_the_name_of_the_one_that_moves_views_is_refused(there: Shop) -> None:
    file = replace(there.file, jobs=(Job("greeting-readers"),))
    with pytest.raises(BadInput, match="deploy.yml: job greeting-readers: this name is that of"):
        there.plan(there.release("1.0+g1", tables=TABLES), file)


@pytest.mark.parametrize("name", ["lakehouse", "schema", "files"])
def test_jobs_that_would_write_where_no_reader_looks_are_refused(here: Shop, name: str) -> None:
    with pytest.raises(BadInput, match=f"job .*-score: parameter {name} is elsewhere; expected no"):
        here.plan(here.release("1.0+g1", tables=TABLES), None, **{name: "elsewhere"})


@pytest.mark.parametrize("killed", ["before", "after"])
def test_a_deployment_killed_around_the_move_and_run_again_is_as_if_it_had_run_once(
        here: Shop, monkeypatch: pytest.MonkeyPatch, killed: str) -> None:
    here.deploy("1.0+g1", TABLES)
    filled(here, 1)
    checksum = here.plan(here.release("1.0+g2", tables=TABLES))
    broken = _killing(killed)
    monkeypatch.setattr("branchline.deploy.carry_out.move_readers", broken)
    with pytest.raises(KeyboardInterrupt):
        here.apply(checksum)
    monkeypatch.undo()
    assert seen(here) == "greeting_1"
    assert here.apply(checksum).finished
    filled(here, 2)
    assert seen(here) == "greeting_2" and len(sets(here).files.listing("greeting")) == 4


def _killing(when: str) -> Any:
    def move(production: Any, deployment: Deployment, say: Any) -> None:
        if when == "after":
            readers.move_readers(production, deployment, say)
        raise KeyboardInterrupt

    return move


@pytest.mark.parametrize("reached", [False, True])
def test_a_rollback_undoes_a_half_done_deployment_whether_or_not_it_had_moved_readers(
        here: Shop, monkeypatch: pytest.MonkeyPatch, reached: bool) -> None:
    here.deploy("1.0+g1", TABLES)
    filled(here, 1)
    checksum = here.plan(here.release("1.0+g2", tables=TABLES))
    monkeypatch.setattr("branchline.deploy.carry_out.move_readers",
                        _killing("after" if reached else "before"))
    with pytest.raises(KeyboardInterrupt):
        here.apply(checksum)
    monkeypatch.undo()
    filled(here, 2)  # its job may have run already
    here.rollback()
    assert seen(here) == "greeting_1"
    with pytest.raises(NotApproved):
        here.apply(checksum)
    assert seen(here) == "greeting_1"


def test_a_deployment_that_moves_readers_late_does_not_undo_a_later_one(here: Shop) -> None:
    here.deploy("1.0+g1", TABLES)
    here.deploy("1.0+g2", TABLES)
    filled(here, 1)
    filled(here, 2)
    here.rollback()
    late = Deployment(2, State("1.0+g2", table_set="greeting_2", tables=("gold.scores",)), "e",
                      None, "late")
    readers.move_readers(here.production("late"), late, here.said.append)
    assert seen(here) == "greeting_1"


def test_a_manifest_that_the_workspace_does_not_take_is_written_by_the_same_command(
        there: Shop, workspace: Workspace) -> None:
    checksum = there.plan(there.release("1.0+g1", tables=TABLES))
    workspace.fault("500", path="/api/2.0/fs/files/Volumes/dev/branchline/files/production",
                    method="PUT")
    with pytest.raises(Unreachable, match="1 is half done"):
        there.apply(checksum)
    assert sets(there).newest() is None
    assert there.apply(checksum).finished and sets(there).newest()


def test_a_breaking_change_is_planned_and_applied_only_when_it_is_wanted(here: Shop) -> None:
    here.deploy("1.0+g1", TABLES)
    fewer = {**SCORES, "columns": {"id": "STRING"}}
    checksum = here.plan(here.release("1.0+g2", tables=(fewer, SILVER)))
    line = "gold.scores: column score dropped (was double)"
    assert here.planned["breaking"] == [line]
    assert "Breaking changes of tables" in (here.evidence / "evidence.html").read_text()
    with pytest.raises(BadInput, match="1.0.g2: breaking: gold.scores: column score dropped .*; "
                                       "tell .* apply it with --breaking"):
        here.apply(checksum)
    assert here.journal.current().number == 1
    assert here.apply(checksum, breaking=True).finished


def test_tables_that_an_older_release_does_not_record_are_said_to_be_unknown(here: Shop) -> None:
    here.deploy("1.0+g1")
    checksum = here.plan(here.release("1.0+g2", tables=TABLES))
    assert here.planned["tables_unknown"] == "release 1.0+g1 does not record its tables"
    assert "were not compared" in (here.evidence / "evidence.html").read_text()
    assert here.apply(checksum).state.table_set == "greeting_2"


def test_a_first_deployment_breaks_nothing(here: Shop) -> None:
    here.plan(here.release("1.0+g1", tables=TABLES))
    assert (here.planned["breaking"], here.planned["tables_unknown"]) == ([], None)
