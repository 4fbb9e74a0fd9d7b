"""What the gate compares a pipeline with: the newest finished deployment, in both productions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from branchline.deploy.champion import deployed
from branchline.gate.replay import Deployed
from branchline.platforms.project_files import download
from branchline.wheels.published import verified
from support.releasing import Shop, shop_in
from workspace_server import Workspace


@pytest.fixture(params=["local", "workspace"])
def shop(request: pytest.FixtureRequest, workspace: Workspace, store: str,
         tmp_path: Path) -> Iterator[Shop]:
    with shop_in(request.param, workspace, store, tmp_path) as opened:
        yield opened


def champion(shop: Shop, project: str = "greeting") -> Deployed | None:
    return deployed(shop.root, shop.platform, project, shop.platform.target)


def test_the_champion_is_what_is_deployed_with_its_wheels_and_its_projects_files(
        shop: Shop, tmp_path: Path) -> None:
    assert champion(shop) is None
    shop.deploy("1.0+g1")
    found = champion(shop)
    assert found is not None and found.name == "deployment 1, version 1.0+g1"
    assert [verified(each, found.wheels) for each in found.artifacts] == [
        f"the wheel {name}-1.0+g1-py3-none-any.whl".encode() for name in ("branchline", "sample")]
    folder = download(found.project, tmp_path / "project")
    for name in ("main.py", "MLproject"):
        assert (folder / name).read_bytes() == (shop.project.folder / name).read_bytes()
    assert champion(shop, "another-project") is None


def test_the_champion_follows_a_rollback(shop: Shop) -> None:
    shop.deploy("1.0+g1")
    shop.deploy("1.0+g2")
    shop.rollback()
    found = champion(shop)
    assert found is not None and found.name == "deployment 3, version 1.0+g1"
