"""Two deployments with table sets at once: one wins, and readers see one whole set or the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest

from branchline.deploy import apply as applying, evidence, plan as planning
from branchline.deploy.deployment import Deployment
from branchline.errors import NotApproved
from branchline.platforms.local.jobs import LocalJobs
from branchline.runs.registry import Registry
from branchline.table_sets import readable
from support.releasing import PNG, SCORES, WITH_TABLES, Shop, shop_in
from workspace_server import Workspace

KPIS = {**SCORES, "name": "gold.kpis"}
TABLES = (SCORES, KPIS)
Begin = Callable[[], Deployment]


@pytest.fixture
def shop(workspace: Workspace, store: str, tmp_path: Path) -> Iterator[Shop]:
    """Two deployments, each with tables that a run has filled."""
    with shop_in("local", workspace, store, tmp_path) as opened:
        (opened.project.folder / "MLproject").write_text(WITH_TABLES)
        for number in (1, 2):
            opened.deploy(f"1.0+g{number}", TABLES)
            filled(opened, number)
        yield opened


def filled(shop: Shop, number: int) -> None:
    shop.production("a run").table_sets.mark_ready(f"greeting_{number}", "production")


def applied(shop: Shop, version: str) -> Begin:
    """A deployment of a new release: planned and approved, not yet begun."""
    chosen, folder = shop.release(version, tables=TABLES), shop.root / ".local" / version
    found = planning.plan(shop.production("a developer"), chosen, shop.name, {})
    checksum = evidence.write_bundle(found, PNG, folder)
    approved = evidence.read_bundle(folder, checksum, shop.platform.target.name)
    return lambda: applying.apply(shop.production("ci"), approved, checksum, lambda line: None)


def rolled_back(shop: Shop) -> Begin:
    return lambda: applying.rollback(shop.production("somebody"), lambda line: None)


def at_once(shop: Shop, *begins: Begin) -> tuple[list[Deployment], list[NotApproved], set[str]]:
    """What won, what was refused, and all that a reader saw meanwhile, table by table."""
    start, ended = Barrier(len(begins) + 1), Event()

    def begin(one: Begin) -> Deployment | NotApproved:
        start.wait()
        try:
            return one()
        except NotApproved as refused:
            return refused

    def read() -> set[str]:
        start.wait()
        seen = set()
        while not ended.is_set():
            seen.add(str(sorted(readable(shop.platform.table_sets, "production").items())))
        return seen

    with ThreadPoolExecutor(len(begins) + 1) as pool:
        reader = pool.submit(read)
        try:
            found = [future.result() for future in [pool.submit(begin, one) for one in begins]]
        finally:
            ended.set()
        return ([each for each in found if isinstance(each, Deployment)],
                [each for each in found if isinstance(each, NotApproved)], reader.result())


def whole(number: int) -> str:
    """What a reader sees of a set: all of its tables in it."""
    return str([("gold.kpis", f"greeting_{number}"), ("gold.scores", f"greeting_{number}")])


def versions(shop: Shop) -> set[str]:
    """The releases that the deployed jobs are pinned to."""
    settings = [str(shop.platform.jobs.actual(job.name)) for job in shop.file.jobs]
    return {version for text in settings for version in ("g1", "g2", "g3", "g4")
            if f"1.0+{version}" in text}


def test_of_two_deployments_at_once_one_is_in_place_with_its_jobs_set_and_manifest(
        shop: Shop) -> None:
    [won], [_], seen = at_once(shop, applied(shop, "1.0+g3"), applied(shop, "1.0+g4"))
    assert (won.number, won.finished) == (3, True)
    assert shop.journal.current() == shop.journal.newest() == won
    assert versions(shop) == {str(won.state.version).removeprefix("1.0+")}
    assert seen == {whole(2)}  # until a run has filled the new set
    filled(shop, 3)
    assert readable(shop.platform.table_sets, "production") == {
        "gold.kpis": "greeting_3", "gold.scores": "greeting_3"}


@pytest.mark.parametrize("write", ["job", "champion"])
def test_a_deployment_that_writes_after_a_later_one_has_ended_leaves_what_that_one_said(
        shop: Shop, monkeypatch: pytest.MonkeyPatch, write: str) -> None:
    before = shop.state()
    late, overtake = applied(shop, "1.0+g3"), rolled_back(shop)
    owner, name = (LocalJobs, "put") if write == "job" else (Registry, "promote")
    original = getattr(owner, name)

    def overtaken(*given: Any) -> None:
        monkeypatch.undo()
        assert overtake().restores == 2
        original(*given)

    monkeypatch.setattr(owner, name, overtaken)
    with pytest.raises(NotApproved, match="deployment 4 has started meanwhile"):
        late()
    assert shop.state() == before and versions(shop) == {"g2"}


def test_of_a_deployment_and_a_rollback_at_once_readers_see_the_winner_s_tables(
        shop: Shop) -> None:
    won, refused, seen = at_once(shop, applied(shop, "1.0+g3"), rolled_back(shop))
    newest = shop.journal.newest()
    assert newest and newest.finished and len(won) + len(refused) == 2 and newest in won
    after = 2 if newest.restores is None else newest.restores
    assert str(sorted(readable(shop.platform.table_sets, "production").items())) == whole(after)
    assert versions(shop) == {str(newest.state.version).removeprefix("1.0+")}
    assert seen <= {whole(2), whole(after)}
