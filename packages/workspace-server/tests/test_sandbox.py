from __future__ import annotations

from pathlib import Path

import pytest

from workspace_server.sandbox import replaced

MOUNTS = {"/Workspace": Path("/here/workspace"), "/Volumes": Path("/here/volumes")}


@pytest.mark.parametrize(("word", "becomes"), [
    ("/Workspace/Users/a.py", "/here/workspace/Users/a.py"),
    ("/Volumes/dev/s/v", "/here/volumes/dev/s/v"),
    ("--data=/Volumes/dev/s/v", "--data=/here/volumes/dev/s/v"),
    ("no/Workspace/at/the/start", "no/Workspace/at/the/start"),
    ("/Workspaces/a", "/Workspaces/a")])
def test_without_mounts_a_word_names_the_real_folder(word: str, becomes: str) -> None:
    assert replaced(word, MOUNTS) == becomes
