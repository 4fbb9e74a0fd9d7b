from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from branchline.reuse import code as reuse_code
from branchline.reuse.code import Code, code_of

TEAM = {
    "team/__init__.py": "",
    "team/step.py": """
import numpy
from typing import TYPE_CHECKING
from branchline import Lakehouse, Step
from team.tables import RAW
from . import parts
if TYPE_CHECKING:
    from team.typing_only import Kind
raise RuntimeError("imported")

def run(lakehouse, settings):
    from team.later import work
    return work(settings.days, getattr(settings, "kind"))
""",
    "team/tables/__init__.py": "from team.tables.raw import RAW\nfrom team.tables.gold import GOLD",
    "team/tables/raw.py": "RAW = 1",
    "team/tables/gold.py": "from team.far import FAR\nGOLD = FAR",
    "team/far.py": "FAR = 1",
    "team/parts.py": "import yaml",
    "team/later.py": "def work(days, kind): ...",
    "team/typing_only.py": "",
}
Write = Callable[[Mapping[str, str]], Code | None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write these files, and look at the code of the step among them."""
    def written(files: Mapping[str, str]) -> Code | None:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        forget()
        return code_of("team.step")

    def forget() -> None:
        code_of.cache_clear()
        reuse_code._folder.cache_clear()

    monkeypatch.syspath_prepend(tmp_path)
    yield written
    forget()


def test_the_files_reached_by_imports_count_and_nothing_is_imported(write: Write) -> None:
    found = write(TEAM)
    assert found
    assert [name for name in found.files if name.startswith("team/")] == [
        "team/__init__.py", "team/later.py", "team/parts.py", "team/step.py",
        "team/tables/__init__.py", "team/tables/raw.py"]


def test_of_branchline_what_the_names_come_from_counts_but_not_what_runs_steps(
        write: Write) -> None:
    found = write(TEAM)
    assert found
    ours = {name for name in found.files if name.startswith("branchline/")}
    assert {"branchline/lakehouse/table.py", "branchline/lakehouse/lakehouse.py"} <= ours
    assert not {"branchline/steps.py", "branchline/features/kernel.py"} & ours


def test_the_version_of_the_team_s_own_wheel_does_not_count(
        write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {**packages_distributions(), "team": ["click"]}  # as a wheel called click
    monkeypatch.setattr(reuse_code, "_distributions", lambda: installed)
    found = write(TEAM)
    assert found and "numpy" in found.libraries and "click" not in found.libraries


def test_only_the_changed_file_has_another_hash(write: Write) -> None:
    before, after = write(TEAM), write({"team/later.py": "def work(days, kind): return days"})
    assert before and after
    assert [name for name in before.files if before.files[name] != after.files[name]] == [
        "team/later.py"]
    assert write({"team/far.py": "FAR = 2"}) == after


def test_libraries_have_the_version_that_is_installed(write: Write) -> None:
    import numpy
    import yaml
    found = write(TEAM)
    assert found
    assert (found.libraries["numpy"], found.libraries["PyYAML"]) == (
        numpy.__version__, yaml.__version__)


def test_attributes_and_texts_are_among_the_words(write: Write) -> None:
    found = write(TEAM)
    assert found and {"days", "kind"} <= found.words and "seed" not in found.words


def test_a_module_that_is_not_there_or_cannot_be_parsed_has_no_code(write: Write) -> None:
    write(TEAM)
    assert code_of("team.nothing") is None
    assert write({"team/later.py": "def work("}) is None
