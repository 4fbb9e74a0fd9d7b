"""Replaces the version in pyproject.toml, however it is written there."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress

from branchline.errors import BadInput

__all__ = ["stamped"]

VERSION = re.compile(r"""\bversion["']?\s*=\s*("[^"\n]*"|'[^'\n]*')""")


def stamped(text: str, version: str) -> str:
    """pyproject.toml with [project] version replaced, and nothing else changed.

    Raises:
        BadInput: the version is written in an unknown way.
    """
    wanted = tomllib.loads(text)
    wanted["project"]["version"] = version
    for found in VERSION.finditer(text):
        made = f'{text[:found.start(1)]}"{version}"{text[found.end(1):]}'
        with suppress(tomllib.TOMLDecodeError):  # the match was part of something else
            if tomllib.loads(made) == wanted:
                return made
    raise BadInput('pyproject.toml: [project] version is written in an unusual way; expected '
                   'version = "1.2.0" on a line of its own.')
