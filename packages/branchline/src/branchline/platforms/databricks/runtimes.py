"""What the supported Databricks runtimes contain, and which requirements of a wheel they meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from branchline.errors import BadInput

__all__ = ["Runtime", "added", "for_spark_version", "runtimes", "unmet"]

DATA = files("branchline.platforms.databricks") / "runtimes"


@dataclass(frozen=True)
class Runtime:
    """A Databricks runtime, such as `18-lts`, or a serverless environment, such as `serverless-5`.

    `spark_versions` are the keys by which a cluster asks for it (none: serverless). `libraries` are
    what all of them have, name to version; `ml_libraries` what the keys with `-ml-` add. `python`
    is 3.12 or the like; `java`, and the day on which support ends, None where unknown.
    """

    name: str
    spark_versions: tuple[str, ...]
    python: str
    java: str | None
    spark: str
    delta: str
    support_ends: date | None
    libraries: Mapping[str, str]
    ml_libraries: Mapping[str, str]

    @classmethod
    def read(cls, name: str) -> Runtime:
        """The runtime called `name`.

        Raises:
            BadInput: no such runtime; the text lists the known ones.
        """
        if name not in _names():
            raise BadInput(f"runtime {name!r} is unknown; expected one of {', '.join(_names())}.")
        data = yaml.safe_load((DATA / f"{name}.yml").read_text(encoding="utf-8"))
        return cls(name, tuple(data.pop("spark_versions")), **data)


def _names() -> list[str]:
    return sorted(file.name.removesuffix(".yml") for file in DATA.iterdir()
                  if file.name.endswith(".yml"))


def runtimes() -> list[Runtime]:
    """All supported runtimes, by name."""
    return [Runtime.read(name) for name in _names()]


def for_spark_version(key: str) -> Runtime | None:
    """The runtime that a cluster's `spark_version` asks for, with that key's libraries.

    None if it is not supported. With `18.x-cpu-ml-scala2.13`, `libraries` include the ML libraries,
    with `18.x-scala2.13` not.
    """
    for runtime in runtimes():
        if key in runtime.spark_versions:
            more = runtime.ml_libraries if "-ml-" in key else {}
            return replace(runtime, libraries={**runtime.libraries, **more})
    return None


def unmet(requirements: Iterable[str], runtime: Runtime, requires_python: str = "") -> list[str]:
    """The runtime's libraries whose versions the requirements exclude: pip would replace them.

    Args:
        requirements: as in a wheel's metadata; those of extras are left out.
        requires_python: the wheel's Requires-Python; empty: any.

    Returns:
        A line for each, such as `pandas>=3 (18-lts has 2.2.3)`; empty: it installs as it is.
    """
    python = [] if SpecifierSet(requires_python).contains(runtime.python) else [
        f"python{requires_python} ({runtime.name} has {runtime.python})"]
    return python + [
        f"{needed.name}{needed.specifier} ({runtime.name} has {found})"
        for needed in _needed(requirements, runtime)
        if (found := runtime.libraries.get(canonicalize_name(needed.name)))
        and not needed.specifier.contains(found, prereleases=True)]


def added(requirements: Iterable[str], runtime: Runtime) -> list[str]:
    """The requirements that a runtime does not have at all: pip would add them."""
    return [f"{needed.name}{needed.specifier}" for needed in _needed(requirements, runtime)
            if canonicalize_name(needed.name) not in runtime.libraries]


def _needed(requirements: Iterable[str], runtime: Runtime) -> list[Requirement]:
    there = {"python_version": runtime.python, "python_full_version": f"{runtime.python}.0",
             "sys_platform": "linux", "platform_system": "Linux", "extra": ""}
    parsed = [Requirement(text) for text in requirements]
    return [needed for needed in parsed if needed.marker is None or needed.marker.evaluate(there)]
