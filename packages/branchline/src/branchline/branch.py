"""A branch's identity: its slug, its schema, its experiment; two branches never share one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from branchline.errors import BadInput, UnknownBranch

__all__ = ["Branch", "Kind", "MAIN", "PRODUCTION", "expanded", "from_ref", "named", "pull_number",
           "pull_request"]

Kind = Literal["branch", "pull-request", "tag", "production"]

_LONGEST = 40
_PREFIXES: dict[Kind, str] = {"branch": "", "pull-request": "pull-", "tag": "tag-",
                              "production": ""}
_RESERVED_SCHEMAS = {"default", "global-temp", "hive-metastore", "information-schema", "samples",
                     "system", "production"}
_PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NOT_A_BRANCH = re.compile(r"tag-|pull-[0-9]")
_ENDS_LIKE_A_HASH = re.compile(r"-[0-9a-f]{8}\Z")
_PULL_REF = re.compile(r"refs/pull/([0-9]+)/(?:merge|head)")
_REFUSED_BY_GIT = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|\A-|\AHEAD\Z")


@dataclass(frozen=True)
class Branch:
    """What a run is named after; two different ones share neither slug nor schema.

    `kind` is "pull-request" for a fork's pull request, or one with only its number known; `name` is
    then the number. "production" is for deployed jobs; no git branch can have it. Otherwise `name`
    is git's name without refs/heads/ or refs/tags/.
    """

    kind: Kind
    name: str

    @property
    def slug(self) -> str:
        """At most 40 of a-z, 0-9 and single inner `-`; with a hash unless the name is a slug."""
        prefixed = _PREFIXES[self.kind] + self.name
        if self.kind == "production":
            return prefixed
        return prefixed if self._is_slug(prefixed) else self._hashed(prefixed)

    @property
    def schema(self) -> str:
        """The slug as a schema name, legal in Unity Catalog and hive_metastore."""
        return self.slug.replace("-", "_")

    @property
    def hashed_schema(self) -> str:
        """Another schema of this branch, for cases where `schema` is taken by something else."""
        return self._hashed(_PREFIXES[self.kind] + self.name).replace("-", "_")

    def experiment(self, root: str, project: str) -> str:
        """The absolute experiment name `<root>/<project>/<slug>`."""
        folders = [part for part in root.split("/") if part]
        # MLflow on Databricks creates /Workspace/... once and then cannot find it (mlflow #11077).
        if folders[:1] == ["Workspace"]:
            del folders[0]
        return "/" + "/".join([*folders, project.strip("/"), self.slug])

    def _is_slug(self, text: str) -> bool:
        return (
            _PLAIN.fullmatch(text) is not None
            and len(text) <= _LONGEST
            and text not in _RESERVED_SCHEMAS
            and bool(_NOT_A_BRANCH.match(text)) == (self.kind != "branch")
            # Otherwise a branch could have the name of another branch's hashed slug.
            and not _ENDS_LIKE_A_HASH.search(text)
        )

    def _hashed(self, text: str) -> str:
        # Names that are not UTF-8 reach Python as lone surrogates.
        raw = f"{self.kind}:{self.name}".encode("utf-8", "surrogatepass")
        suffix = "-" + hashlib.sha256(raw).hexdigest()[:8]
        words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        stem = words[:_LONGEST - len(suffix)].rstrip("-")
        return (stem or "branch") + suffix


MAIN = Branch("branch", "main")
PRODUCTION = Branch("production", "production")


def named(text: str, option: str = "--branch") -> Branch:
    """The branch that `--branch`, or another option, names.

    Raises:
        BadInput: the text cannot be a git branch.
    """
    if not text.strip() or _REFUSED_BY_GIT.search(text):
        raise BadInput(f"{option}: {text!r} cannot be a git branch; pass its name as in"
                       " `git branch`, for example feature/x")
    return from_ref(option, text)


def pull_request(source: str, number: str, *, fork: bool) -> Branch:
    """A pull request: its source branch, or its number where it comes from a fork.

    Raises:
        UnknownBranch: a fork's pull request without a number.
    """
    if source and not fork:
        return Branch("branch", source)
    if number:
        return Branch("pull-request", number)
    raise UnknownBranch("branch unknown: this is a pull request that may come from a fork, and "
                        "the CI gives no number for it; pass --branch NAME")


def from_ref(origin: str, ref: str) -> Branch:
    """The branch, tag or pull request of a git ref; errors name `origin`.

    Raises:
        UnknownBranch: the ref is none of them.
    """
    if number := pull_number(expanded(origin, ref)):
        return Branch("pull-request", number)
    # One prefix, at the start: a branch may itself be called refs/heads/main.
    name = ref.removeprefix("refs/heads/")
    kind: Kind = "branch"
    if ref.startswith("refs/tags/"):
        name, kind = ref.removeprefix("refs/tags/"), "tag"
    if not name or (name == ref and ref.startswith("refs/")):
        raise UnknownBranch(f"{origin}: {ref!r} is neither branch, tag nor pull request;"
                            " pass --branch NAME")
    return Branch(kind, name)


def pull_number(ref: str) -> str:
    """The number in refs/pull/NUMBER/merge, else empty."""
    found = _PULL_REF.fullmatch(ref)
    return found[1] if found else ""


def expanded(origin: str, text: str) -> str:
    """The text, if it has no unexpanded macro of Azure Pipelines.

    Raises:
        BadInput: it does.
    """
    if "$(" in text:
        raise BadInput(f"{origin}: {text!r} contains `$(`, a macro that the CI did not expand;"
                       " leave the variable out or pass --branch NAME")
    return text
