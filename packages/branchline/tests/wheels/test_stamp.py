from __future__ import annotations

import tomllib

import pytest

from branchline.errors import BadInput
from branchline.wheels.stamp import stamped


@pytest.mark.parametrize("text", [
    '[project]\nname = "a"\nversion = "0.1.0"\n',
    '[project]\nname = "a"\nversion = "0.1.0"  # note\n',
    "[project]\nversion='0.1.0'\nname = 'a'",
    '[project]\n  "version"   =   "0.1.0"\nname = "a"\n',
    'project = { name = "a", version = "0.1.0" }\n',
    'project.version = "0.1.0"\nproject.name = "a"\n',
    '[tool.other]\nversion = "0.1.0"\n[project]\nname = "a"\nversion = "0.1.0"\n',
    '# version = "0.1.0"\n[project]\nname = "a"\ndescription = """\nversion = "0.1.0"\n"""\n'
    'version = "0.1.0"\n'])
def test_the_version_is_replaced_and_nothing_else(text: str) -> None:
    wanted = tomllib.loads(text)
    wanted["project"]["version"] = "0.1.0+gabc"
    made = stamped(text, "0.1.0+gabc")
    assert tomllib.loads(made) == wanted and len(made) == len(text) + len("+gabc")


def test_a_version_that_cannot_be_replaced_is_an_error_of_one_line() -> None:
    with pytest.raises(BadInput, match="expected version = .* on a line of its own"):
        stamped('[project]\nversion = """0.1.0"""\n', "0.1.0+gabc")
