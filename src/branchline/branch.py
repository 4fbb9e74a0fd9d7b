"""Tell which branch this run belongs to, and which experiment and schema are therefore its own."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from branchline.errors import BadInput, UnknownBranch

__all__ = ["Branch", "Kind", "current", "identify"]

Kind = Literal["branch", "pull-request", "tag"]

_LONGEST = 40
_PREFIXES: dict[Kind, str] = {"branch": "", "pull-request": "pull-", "tag": "tag-"}
_RESERVED_SCHEMAS = {"default", "global-temp", "hive-metastore", "information-schema", "samples",
                     "system"}
_PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NOT_A_BRANCH = re.compile(r"tag-|pull-[0-9]")
_ENDS_LIKE_A_HASH = re.compile(r"-[0-9a-f]{8}\Z")
_PULL_REF = re.compile(r"refs/pull/([0-9]+)/(?:merge|head)")
_REFUSED_BY_GIT = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|\A-|\AHEAD\Z")


@dataclass(frozen=True)
class Branch:
    """What a run is named after; two different ones share neither slug nor schema.

    `kind` is "pull-request" for a fork's, or for one of which only the number is known; `name` is
    then that number. Otherwise `name` is git's name without refs/heads/ or refs/tags/.
    """

    kind: Kind
    name: str

    @property
    def slug(self) -> str:
        """At most 40 of a-z, 0-9 and single inner `-`; hashed where the name alone is no slug."""
        prefixed = _PREFIXES[self.kind] + self.name
        return prefixed if self._is_slug(prefixed) else self._hashed(prefixed)

    @property
    def schema(self) -> str:
        """The slug as a schema name, legal in Unity Catalog and hive_metastore."""
        return self.slug.replace("-", "_")

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
            # Else a branch could be called what another branch's hashed slug is.
            and not _ENDS_LIKE_A_HASH.search(text)
        )

    def _hashed(self, text: str) -> str:
        # Names that are not UTF-8 reach Python as lone surrogates.
        raw = f"{self.kind}:{self.name}".encode("utf-8", "surrogatepass")
        suffix = "-" + hashlib.sha256(raw).hexdigest()[:8]
        words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        stem = words[:_LONGEST - len(suffix)].rstrip("-")
        return (stem or "branch") + suffix


def identify(
    environment: Mapping[str, str], *, named: str | None = None, head: str | None = None,
    event: Mapping[str, Any] | None = None,
) -> Branch:
    """Return the branch that `--branch`, else the CI's own variables, else git's HEAD tell.

    `named` is the value of `--branch`, `head` git's symbolic ref (None when detached), `event` the
    payload of GitHub's event. Reads Azure Pipelines, GitHub Actions and GitLab. Raises BadInput
    for a name that cannot be one and UnknownBranch when nothing tells the branch.
    """
    if named is not None:
        return _named(named)
    in_ci = _azure(environment) or _github(environment, event or {}) or _gitlab(environment)
    if in_ci:
        return in_ci
    if head:
        return _from_ref("git's HEAD", head)
    raise UnknownBranch("branch unknown: git's HEAD names no branch (detached, or no git checkout)"
                        " and no variable of a known CI is set; pass --branch NAME")


def current(directory: Path, named: str | None, environment: Mapping[str, str]) -> Branch:
    """Return `identify` for the checkout at `directory`; needs neither git nor a checkout in CI."""
    return identify(environment, named=named, head=_symbolic_head(directory),
                    event=_github_event(environment))


def _named(text: str) -> Branch:
    if not text.strip() or _REFUSED_BY_GIT.search(text):
        raise BadInput(f"--branch: {text!r} cannot be a git branch; pass its name as in"
                       " `git branch`, for example feature/x")
    return _from_ref("--branch", text)


def _azure(environment: Mapping[str, str]) -> Branch | None:
    # Not BUILD_SOURCEBRANCHNAME: it is `merge` for every pull request and `x` for feature/a/x.
    ref = _value(environment, "BUILD_SOURCEBRANCH")
    source = _value(environment, "SYSTEM_PULLREQUEST_SOURCEBRANCH")
    if source or _value(environment, "BUILD_REASON") == "PullRequest":
        # GitHub's pull requests have an unrelated internal id besides their number.
        number = (_value(environment, "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")
                  or _value(environment, "SYSTEM_PULLREQUEST_PULLREQUESTID") or _pull_number(ref))
        fork = _value(environment, "SYSTEM_PULLREQUEST_ISFORK").lower() != "false"
        # The prefix is there for Azure Repos and missing for GitHub.
        return _pull_request(source.removeprefix("refs/heads/"), number, fork=fork)
    return _from_ref("BUILD_SOURCEBRANCH", ref) if ref else None


def _github(environment: Mapping[str, str], event: Mapping[str, Any]) -> Branch | None:
    ref = _value(environment, "GITHUB_REF")
    source = _value(environment, "GITHUB_HEAD_REF")
    # pull_request_target has the base branch in GITHUB_REF: alone it would name a fork's run main.
    if source or _value(environment, "GITHUB_EVENT_NAME").startswith("pull_request"):
        pull = event.get("pull_request") or {}
        number = _pull_number(ref) or str(pull.get("number") or "")
        return _pull_request(source, number, fork=_from_fork(pull))
    return _from_ref("GITHUB_REF", ref) if ref else None


def _gitlab(environment: Mapping[str, str]) -> Branch | None:
    if number := _value(environment, "CI_MERGE_REQUEST_IID"):
        source = _value(environment, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
        ours = _value(environment, "CI_MERGE_REQUEST_PROJECT_ID")
        theirs = _value(environment, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID")
        return _pull_request(source, number, fork=not ours or theirs != ours)
    if tag := _value(environment, "CI_COMMIT_TAG"):
        return Branch("tag", tag)
    branch = _value(environment, "CI_COMMIT_BRANCH")
    return Branch("branch", branch) if branch else None


def _from_fork(pull: Mapping[str, Any]) -> bool:
    # A deleted fork is null, and without a payload a fork cannot be ruled out: both count as one.
    # The payload's `fork` flag would be true for every branch of a repository that is a fork.
    try:
        return bool(pull["head"]["repo"]["full_name"] != pull["base"]["repo"]["full_name"])
    except (KeyError, TypeError):
        return True


def _pull_request(source: str, number: str, *, fork: bool) -> Branch:
    if source and not fork:
        return Branch("branch", source)
    if number:
        return Branch("pull-request", number)
    raise UnknownBranch("branch unknown: this is a pull request that may come from a fork, and the"
                        " CI tells no number for it; pass --branch NAME")


def _from_ref(origin: str, ref: str) -> Branch:
    if number := _pull_number(_expanded(origin, ref)):
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


def _pull_number(ref: str) -> str:
    found = _PULL_REF.fullmatch(ref)
    return found[1] if found else ""


def _value(environment: Mapping[str, str], variable: str) -> str:
    text = environment.get(variable, "")
    return _expanded(variable, text) if text.strip() else ""


def _expanded(origin: str, text: str) -> str:
    # Azure Pipelines leaves the macro of an unset variable as literal text.
    if "$(" in text:
        raise BadInput(f"{origin}: {text!r} holds `$(`, a macro that the CI did not replace;"
                       " leave the variable out or pass --branch NAME")
    return text


def _symbolic_head(directory: Path) -> str | None:
    try:
        git = subprocess.run(["git", "symbolic-ref", "-q", "HEAD"], cwd=directory,
                             capture_output=True, check=False)
    except OSError:
        return None
    return git.stdout.decode("utf-8", "surrogateescape").removesuffix("\n") or None


def _github_event(environment: Mapping[str, str]) -> Mapping[str, Any] | None:
    try:
        event = json.loads(Path(environment.get("GITHUB_EVENT_PATH", "")).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return event if isinstance(event, dict) else None
