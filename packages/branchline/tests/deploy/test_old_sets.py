"""Which table sets are removed, and that none goes which readers or a rollback need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from branchline.config.targets import Compute, WorkspaceTarget
from branchline.deploy import apply as applying
from branchline.deploy.deployment import Deployment
from branchline.deploy.old_sets import sets_by_need
from branchline.platforms.databricks.leftovers import kept_tables
from branchline.platforms.local import table_sets as local
from support.destinations import VOLUME
from support.releasing import SCORES, WITH_TABLES, Shop, shop_in
from workspace_server import Workspace

DATA = "production__landed_abc123"


@pytest.fixture
def shop(workspace: Workspace, store: str, tmp_path: Path) -> Iterator[Shop]:
    with shop_in("local", workspace, store, tmp_path) as opened:
        (opened.project.folder / "MLproject").write_text(WITH_TABLES)
        yield opened


def deployed(shop: Shop, *numbers: int, schema: str = "production") -> None:
    """Deployments by number, with tables, which a run has filled."""
    for number in numbers:
        assert shop.deploy(f"1.0+g{number}", (SCORES,)).number == number
        table(shop, number, schema)


def table(shop: Shop, number: int, schema: str = "production") -> Path:
    sets = shop.production("ci").table_sets
    sets.mark_ready(f"greeting_{number}", schema)
    file = lakehouse(shop) / schema / "_sets" / f"greeting_{number}" / "gold" / "scores" / "a"
    file.parent.mkdir(parents=True)
    file.touch()
    return file


def lakehouse(shop: Shop) -> Path:
    return shop.root / ".local" / "lakehouse"


def old(shop: Shop, keep: int = 1) -> list[int]:
    kept, found = sets_by_need(shop.production("ci"), keep)
    assert not set(kept) & set(found)
    return [int(name.removeprefix("greeting_")) for name in found]


def there(shop: Shop) -> list[str]:
    return sorted(str(folder.relative_to(lakehouse(shop)))
                  for folder in lakehouse(shop).glob("*/_sets/*"))


def removed(shop: Shop, keep: int = 1) -> int:
    found = list(shop.platform.kept_tables(sets_by_need(shop.production("ci"), keep)[1]))
    for leftover in found:
        leftover.remove()
    return len(found)


def test_the_set_in_place_the_one_before_and_the_newest_ones_asked_for_are_kept(shop: Shop) -> None:
    assert old(shop) == []
    deployed(shop, 1, 2, 3, 4, 5)
    assert (old(shop, 1), old(shop, 3), old(shop, 9)) == ([3, 2, 1], [2, 1], [])
    assert removed(shop) == 3
    assert there(shop) == ["production/_sets/greeting_4", "production/_sets/greeting_5"]
    assert removed(shop) == 0
    shop.rollback()
    assert shop.production("ci").table_sets.readable("production").table_set == "greeting_4"


def test_a_set_that_readers_of_any_data_still_see_is_kept(shop: Shop) -> None:
    deployed(shop, 1)
    table(shop, 1, DATA)
    for number in (2, 3):
        shop.deploy(f"1.0+g{number}", (SCORES,))
        table(shop, number)
    assert old(shop) == []  # of other data, readers wait for a run in set 3, and see set 1
    table(shop, 3, DATA)
    assert old(shop) == []  # which they would see again after a rollback to set 2
    deployed(shop, 4)
    assert old(shop) == [2, 1] and removed(shop) == 3
    assert there(shop) == ["production/_sets/greeting_3", "production/_sets/greeting_4",
                           f"{DATA}/_sets/greeting_3"]


def test_after_a_rollback_the_set_that_was_left_goes_and_the_one_in_place_stays(shop: Shop) -> None:
    deployed(shop, 1, 2, 3)
    shop.rollback()
    assert old(shop, keep=1) == [3, 1] and old(shop, keep=3) == []
    deployed(shop, 5)
    assert old(shop) == [3, 1]


def test_the_sets_around_an_unfinished_deployment_are_kept(
        shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(shop, 1, 2, 3)

    def killed(*given: object) -> Deployment:
        raise KeyboardInterrupt

    checksum = shop.plan(shop.release("1.0+g4", tables=(SCORES,)))
    with monkeypatch.context() as patched:
        patched.setattr(applying, "carry_out", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.apply(checksum)
    table(shop, 4)
    assert old(shop) == [2, 1]
    assert shop.rollback().restores == 3 and old(shop) == [4, 2, 1]
    assert removed(shop) == 3 and there(shop) == ["production/_sets/greeting_3"]


def test_a_removal_that_was_killed_leaves_no_half_set_and_is_finished_by_the_next(
        shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(shop, 1, 2, 3)

    def killed(folder: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(local, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            removed(shop)
    assert there(shop) == [f"production/_sets/{name}" for name in (
        ".removed-greeting_1", "greeting_2", "greeting_3")]
    assert removed(shop) == 1 and len(there(shop)) == 2


def test_another_project_s_sets_and_schemas_of_other_names_are_left_alone(shop: Shop) -> None:
    deployed(shop, 1, 2, 3)
    others = [lakehouse(shop) / name for name in (
        "production/_sets/watch_1", "production_copy/_sets/greeting_1", "main/_sets/greeting_1")]
    for folder in others:
        folder.mkdir(parents=True)
    assert removed(shop) == 1 and all(folder.is_dir() for folder in others)


def test_in_a_catalog_the_schemas_of_the_sets_go_but_for_those_that_a_view_shows(
        workspace: Workspace) -> None:
    client, sets = workspace.client(), {"greeting_1", "greeting_2"}
    target = WorkspaceTarget("production", "/Shared/old", "spark_catalog", VOLUME,
                             "dbfs:/Volumes/dev/branchline/wheels", Compute(serverless="5"),
                             schema_prefix="old_")
    old = [f"old_production__{name}" for name in ("data_1__greeting_1", "greeting_1")]
    for name in ("old_production", "old_production__greeting_2", "old_production__greeting_3",
                 "old_production_x__greeting_1", *old):
        client.schemas.create(name, "spark_catalog")
    folder = workspace.folder / "catalogs" / "spark_catalog" / "old_production.db"
    (folder / "gold_scores.view").write_text(
        "CREATE OR REPLACE VIEW `spark_catalog`.`old_production`.`gold_scores` AS "
        "SELECT * FROM `spark_catalog`.`old_production__greeting_2`.`gold_scores`")
    found = list(kept_tables(target, client, sets))
    assert [each.what for each in found] == [f"schema spark_catalog.{name}" for name in old]
    for each in found:
        each.remove()
    left = [schema.name for schema in client.schemas.list("spark_catalog")]
    assert len([name for name in left if str(name).startswith("old_")]) == 4
    assert list(kept_tables(target, client, sets)) == []
