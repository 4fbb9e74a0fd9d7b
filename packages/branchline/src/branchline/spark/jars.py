"""Delta Lake's jars for local Spark: resolved once with Ivy, then kept in the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeAlias

from branchline.errors import NotInstalled
from branchline.spark.maven import proxy_options, settings_options

__all__ = ["SHIPPED", "cache", "delta_jars", "fetched", "java", "jars_of", "spark_jars"]

# pyspark ships all of these; a second copy would cost 50 MB and shadow the first.
SHIPPED = ("org.apache.hadoop", "org.apache.parquet", "org.apache.logging.log4j", "org.slf4j",
           "org.scala-lang", "org.roaringbitmap", "com.github.luben", "com.fasterxml.jackson.core",
           "commons-pool", "io.airlift", "javax.annotation", "com.google.code.findbugs")

Module: TypeAlias = tuple[str, str, str]  # organisation, name, revision


def java() -> Path:
    """The `java` program of JAVA_HOME or PATH.

    Raises:
        NotInstalled: there is none.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None) or shutil.which("java")
    if found is None:
        raise NotInstalled("Java: not found in JAVA_HOME or PATH; Spark needs Java 17 or 21. "
                           "Run `make setup`, or install a JRE and try again.")
    return Path(found)


def delta_jars() -> list[Path]:
    """Delta's jars for the installed pyspark and delta-spark, downloaded on first use (10 MB).

    Raises:
        NotInstalled: pyspark, delta-spark or Java is missing, or the download failed.
    """
    try:
        spark, delta = version("pyspark"), version("delta-spark")
    except PackageNotFoundError as missing:
        raise NotInstalled(f"{missing.name}: not installed in this environment; local runs need "
                           "the extra `local`. Run `make setup`.") from None
    return jars_of(spark, delta)


def jars_of(spark: str, delta: str) -> list[Path]:
    """Delta's jars for these versions of pyspark and delta-spark, downloaded on first use.

    Raises:
        NotInstalled: Java is missing, or the download failed.
    """
    artifact = _artifact(spark, delta)
    return fetched("Delta's jars", [("io.delta", artifact, delta)], SHIPPED)


def _artifact(spark: str, delta: str) -> str:
    """Delta 4.0 supports one Spark only and does not name it."""
    named = "" if delta.startswith("4.0.") else f"_{'.'.join(spark.split('.')[:2])}"
    return f"delta-spark{named}_2.13"


def cache() -> Path:
    """The folder that all of this user's checkouts share."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "branchline"


def fetched(what: str, modules: Sequence[Module], excluded: Sequence[str] = (),
            types: Sequence[str] = ("jar",)) -> list[Path]:
    """The jars of these modules and their dependencies, downloaded on first use.

    Args:
        what: their name in messages.
        modules: organisation, name and revision of each; the first names the folder.
        excluded: organisations that are left out.
        types: Maven's packagings that are jars.

    Raises:
        NotInstalled: Java is missing, or the download failed.
    """
    _, name, revision = modules[0]
    folder = cache() / f"{name}-{revision}"
    if not folder.is_dir():
        _download(what, modules, excluded, types, folder)
    return sorted(folder.glob("*.jar"))


def _download(what: str, modules: Sequence[Module], excluded: Sequence[str],
              types: Sequence[str], folder: Path) -> None:
    """Download to a scratch folder and rename, so that an incomplete download is never used."""
    _, name, revision = modules[0]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".resolving-") as scratch:
        work = Path(scratch)
        (work / "ivy.xml").write_text(_module(modules, excluded))
        (work / "jars").mkdir()
        # Ivy by itself, not Spark's --packages: that one also looks into the Maven local
        # repository and always fails if that has a POM without its jar.
        done = subprocess.run(
            [java(), *proxy_options(), "-cp", f"{_pyspark_jars()}/*", "org.apache.ivy.Main",
             "-warn", *settings_options(work), "-ivy", work / "ivy.xml",
             "-cache", work / "cache", "-types", *types,
             "-retrieve", f"{work}/jars/[artifact]-[revision].[ext]"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode or not any((work / "jars").glob(f"{name}*.jar")):
            raise NotInstalled(f"{what} ({name} {revision}) could not be downloaded: "
                               f"{_reason(done.stdout)}. Check the connection to the Maven "
                               "repository (a mirror or proxy: docs/setup.md) and run the "
                               "command again.")
        try:
            (work / "jars").rename(folder)
        except OSError:
            if not folder.is_dir():  # another process was first: its copy is as good
                raise


def spark_jars() -> list[Path]:
    """The jars that pyspark ships."""
    return sorted(_pyspark_jars().glob("*.jar"))


def _pyspark_jars() -> Path:
    import pyspark
    return Path(pyspark.__file__).parent / "jars"


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    problems = [line for line in lines
                if any(word in line for word in ("ERROR", "FAILED", "not found"))]
    return (problems or lines or ["no output"])[0]


def _module(modules: Sequence[Module], excluded: Sequence[str]) -> str:
    excludes = "".join(f'<exclude org="{organisation}"/>' for organisation in excluded)
    dependencies = "".join(
        f'<dependency org="{organisation}" name="{name}" rev="{revision}" conf="default"/>'
        for organisation, name, revision in modules)
    return (
        '<ivy-module version="2.0">'
        '<info organisation="branchline" module="local-spark"/>'
        f'<dependencies>{dependencies}{excludes}</dependencies></ivy-module>'
    )
