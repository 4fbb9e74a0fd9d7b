"""Tiny wheels for tests: one module with one constant."""

from __future__ import annotations

import zipfile
from pathlib import Path


def make_wheel(folder: Path, version: str, says: str, requires: str = "") -> Path:
    """`greeting-<version>-py3-none-any.whl`, whose module has `SAYS`."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"greeting-{version}-py3-none-any.whl"
    info = f"greeting-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    contents = {
        "greeting.py": f"SAYS = {says!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: greeting\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
                         "Tag: py3-none-any\n"}
    record = "".join(f"{name},,\n" for name in [*contents, f"{info}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**contents, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return wheel
