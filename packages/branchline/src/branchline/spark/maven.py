"""Where Ivy downloads from: a company's Maven mirror, through its proxies."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies_environment
from xml.sax.saxutils import quoteattr

__all__ = ["MIRROR", "proxy_options", "settings_options"]

MIRROR = "BRANCHLINE_MAVEN_MIRROR"


def proxy_options() -> list[str]:
    """Java's options for HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, which Java does not read.

    A proxy's user and password are left out: Java takes them for plain HTTP only.
    """
    proxies = getproxies_environment()
    options = []
    for scheme in ("http", "https"):
        found = proxies.get(scheme) or proxies.get("all") or ""
        address = urlsplit(found if "://" in found else f"//{found}")
        if address.hostname:
            options += [f"-D{scheme}.proxyHost={address.hostname}",
                        f"-D{scheme}.proxyPort={address.port or 80}"]
    excepted = [host.strip() for host in proxies.get("no", "").split(",") if host.strip()]
    return [*options, f"-Dhttp.nonProxyHosts={_patterns(excepted)}"] if excepted else options


def _patterns(hosts: list[str]) -> str:
    """Java's patterns for NO_PROXY's hosts; each also covers its subdomains."""
    named = [host.removeprefix(".") for host in hosts]
    return "|".join(pattern for host in named
                    for pattern in ([host] if host == "*" else [host, f"*.{host}"]))


def settings_options(folder: Path) -> list[str]:
    """Ivy's options for the mirror that BRANCHLINE_MAVEN_MIRROR names; none: Maven Central.

    The settings are written into `folder`.
    """
    mirror = os.environ.get(MIRROR)
    if not mirror:
        return []
    file = folder / "ivysettings.xml"
    file.write_text(
        '<ivysettings><settings defaultResolver="mirror"/><resolvers>'
        f'<ibiblio name="mirror" m2compatible="true" root={quoteattr(mirror)}/>'
        "</resolvers></ivysettings>", encoding="utf-8")
    return ["-settings", str(file)]
