"""Builds a checkout's wheels under immutable versions: the same files give the same bytes."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from branchline.errors import BadInput
from branchline.wheels.distributions import distributions
from branchline.wheels.pyproject import Distribution
from branchline.wheels.source import Snapshot, snapshot
from branchline.wheels.stamp import stamped
from branchline.wheels.uv import uv

__all__ = ["build", "build_alone", "install_order", "name_of", "version_of"]


def version_of(wheel: Path) -> str:
    """The version in a wheel's file name.

    Raises:
        BadInput: no such file, or not a wheel's name.
    """
    parts = wheel.name.split("-")
    if not wheel.is_file() or wheel.suffix != ".whl" or len(parts) < 5:
        raise BadInput(f"wheel {wheel}: no such wheel file; build one with `make wheel`.")
    return parts[1]


def name_of(wheel: Path) -> str:
    """The distribution's name in a wheel's file name."""
    return wheel.name.split("-")[0]


def install_order(wheels: Sequence[Path], root: Path) -> tuple[Path, ...]:
    """Put the wheels of the checkout's distributions in order, each after those it requires.

    Raises:
        BadInput: one is not a wheel, or a distribution has none, two or an unknown one.
    """
    by_name = {name_of(wheel): wheel for wheel in wheels if version_of(wheel)}
    expected = [one.name for one in distributions(root)]
    if sorted(by_name) != sorted(expected) or len(by_name) != len(wheels):
        raise BadInput(f"--wheel: found wheels of {', '.join(map(name_of, wheels))}; expected one "
                       f"of each of {', '.join(expected)}: build them with `make wheel`.")
    return tuple(by_name[name] for name in expected)


def build(root: Path, out: Path) -> tuple[Path, ...]:
    """Build the wheels of the checkout at `root` into `out`; their versions name the commit.

    They are in installation order: each after those it requires, the root's own last. The same
    files give the same bytes, no matter where, when and by whom they are built.

    Raises:
        BadInput: the checkout does not build; the text has the builder's last line.
    """
    found = snapshot(root)
    out.mkdir(parents=True, exist_ok=True)
    return tuple(_build(root, found, one, out) for one in found.distributions)


def build_alone(root: Path, out: Path) -> tuple[Path, ...]:
    """Build the wheels, and leave no others in `out`."""
    wheels = build(root, out)
    for other in out.glob("*.whl"):
        if other not in wheels:
            other.unlink()
    return wheels


def _build(root: Path, found: Snapshot, one: Distribution, out: Path) -> Path:
    with tempfile.TemporaryDirectory(prefix="branchline-wheel-") as scratch:
        copy = Path(scratch, "source")
        # Hatchling looks for a .gitignore in all folders above, up to one with a .git.
        (copy / ".git").mkdir(parents=True)
        for name, content in found.files_of(one).items():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes(content)
        project = copy / "pyproject.toml"
        project.write_text(stamped(project.read_text(encoding="utf-8"),
                                   found.source.stamped(one.version)), encoding="utf-8")
        uv(root, "build", "--quiet", "--wheel", "--no-sources", "--python", sys.executable,
           "--out-dir", f"{scratch}/wheel", str(copy))
        built = next(Path(scratch, "wheel").glob("*.whl"))
        _repack(built, out / f".{built.name}")
        return (out / f".{built.name}").rename(out / built.name)


def _repack(built: Path, wheel: Path) -> None:
    """Rewrite the archive without dates and compression, since zlib differs between machines."""
    with zipfile.ZipFile(built) as source, zipfile.ZipFile(wheel, "w") as target:
        for name in source.namelist():
            member = zipfile.ZipInfo(name)
            member.create_system, member.external_attr = 3, 0o100644 << 16
            target.writestr(member, source.read(name))
