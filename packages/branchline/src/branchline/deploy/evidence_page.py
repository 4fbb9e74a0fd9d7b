"""The page for the approver: the evidence as one self-contained HTML file."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from branchline.text import html as escape

__all__ = ["page"]

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22262b; background: #fff; margin: 2rem auto;
       max-width: 66rem; padding: 0 1.5rem }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; width: 100%; font-size: .92em }
th { text-align: left; color: #5b626c; font-weight: 600 }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e3e6ea; vertical-align: top;
         overflow-wrap: anywhere }
th:first-child, td:first-child { width: 34% }
code, pre { font: .88em/1.45 ui-monospace, monospace } pre { overflow-x: auto }
img { max-width: 100%; border: 1px solid #e3e6ea }
.lead { color: #5b626c; margin-top: 0 } .was { color: #a33a00 } .becomes { color: #00694c }
.good, .bad { display: inline-block; padding: 0 .6rem; border-radius: 1rem; font-weight: 600 }
.good { background: #d9f2e8; color: #00513b } .bad { background: #fbe3d6; color: #8a3200 }
.note { border-left: 4px solid #e69f00; background: #fdf5e2; padding: .5rem .9rem }
"""


class _Html(str):
    """Text that is HTML already."""


def page(evidence: Mapping[str, Any], picture: bytes | None) -> str:
    """The evidence as HTML, with the gate's picture (PNG) in it.

    The same evidence gives the same bytes.
    """
    state, release = evidence["state"], evidence["release"]
    title = f"{state['version']} to {evidence['target']}"
    return "\n".join([
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>Deploy {escape(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>Deploy {escape(title)}</h1>", _lead(evidence), *_notes(evidence),
        "<h2>What would change</h2>", _changes(evidence["changes"]),
        f"<h2>Gate {_badge(release['gate']['outcome'], release['gate']['outcome'] == 'passed')}"
        "</h2>", _gate(release["gate"], picture),
        "<h2>Tests</h2>", _tests(evidence["tests"]),
        "<h2>Code and data</h2>", _origin(release),
        _commits(evidence["commits"], evidence["commits_missing"]),
        "<h2>Production after the deployment</h2>",
        *(_settings(f"Job {name}", settings) for name, settings in state["jobs"].items()),
        *(_settings(f"Cluster {cluster}, {name}", objects)
          for cluster, services in state["services"].items()
          for name, objects in services.items()),
        "</body></html>", ""])


def _lead(evidence: Mapping[str, Any]) -> str:
    number = evidence["based_on"]["deployment"]
    present = f"deployment {number} is in place" if number else "nothing is deployed yet"
    return (f"<p class=lead>Requested by {escape(evidence['asked_by'])}, "
            f"{escape(evidence['at'])}; {present}.</p>")


def _notes(evidence: Mapping[str, Any]) -> Iterable[str]:
    override, drift = evidence["release"]["override"], evidence["drift"]
    if override:
        yield (f"<p class=note><b>Published without a passed gate.</b> Reason given: "
               f"{escape(override)}</p>")
    if evidence["breaking"]:
        yield ("<p class=note><b>Breaking changes of tables.</b> Those who read them will notice; "
               "<code>apply</code> needs <code>--breaking</code>:</p>")
        yield _table(("table", "change"),
                     [tuple(line.split(": ", 1)) for line in evidence["breaking"]])
    if evidence["tables_unknown"]:
        yield (f"<p class=note>Tables were not compared with those of the deployed release: "
               f"{escape(evidence['tables_unknown'])}.</p>")
    if drift:
        yield ("<p class=note><b>Production was changed by hand.</b> These settings differ from "
               "the last deployment, and would be overwritten:</p>")
        yield _table(("setting", "deployed", "found"),
                     [(each["path"], each["was"], each["becomes"]) for each in drift])


def _changes(changes: list[Mapping[str, Any]]) -> str:
    if not changes:
        return "<p>Nothing: production is already in this state.</p>"
    rows = [f"<tr><td><code>{escape(each['path'])}</code></td>"
            f"<td class=was>{_value(each['was'])}</td>"
            f"<td class=becomes>{_value(each['becomes'])}</td></tr>" for each in changes]
    return ("<table><tr><th>setting</th><th>is</th><th>would be</th></tr>" + "".join(rows)
            + "</table>")


def _gate(gate: Mapping[str, Any], picture: bytes | None) -> str:
    parts = [f"<p>{escape(gate['line'])}</p>"]
    verdict = gate["verdict"]
    if verdict:
        champion = escape(verdict["champion"] or "none yet")
        parts.append(f"<p>Candidate <code>{escape(verdict['candidate'])}</code>, champion "
                     f"<code>{champion}</code></p>")
        parts.append(_table(("what", "found", "wanted", "verdict"), [
            (each["name"], each["found"], each["wanted"], _outcome(each["outcome"]))
            for each in verdict["reasons"]]))
    if picture:
        data = base64.b64encode(picture).decode()
        parts.append(f'<p><img alt="The gate\'s comparison of candidate and champion" '
                     f'src="data:image/png;base64,{data}"></p>')
    return "\n".join(parts)


def _outcome(text: str) -> _Html:
    return _Html(_badge(text, text == "pass") if text in ("pass", "fail") else escape(text))


def _tests(tests: Mapping[str, Any] | None) -> str:
    if tests is None:
        return "<p class=note>No results were given (<code>--junit FILE</code>).</p>"
    failed = tests["failed"]
    counts = (f"{tests['tests']:,} tests, {tests['skipped']:,} skipped, "
              f"{tests['seconds']:,.1f} seconds")
    listed = "".join(f"<li><code>{escape(name)}</code></li>" for name in failed)
    return (f"<p>{_badge(f'{len(failed)} failed', not failed)} {counts}</p>"
            + (f"<ul>{listed}</ul>" if listed else ""))


def _origin(release: Mapping[str, Any]) -> str:
    gate = release["gate"]
    artifacts = [line for each in release["artifacts"] for line in _artifact(each)]
    tables = [(f"table {name}", f"version {text}") for name, text in gate["tables"].items()]
    return _table(("", ""), [
        ("commit", release["commit"]), ("branch", release["branch"]), ("run", gate["run"]),
        ("model", gate["model"]), *artifacts,
        ("published", f"by {release['by']}, {release['at']}"), *tables])


def _artifact(artifact: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    yield f"{artifact['kind']} {artifact['name']}", artifact["reference"]
    if artifact["sha256"]:
        yield "its sha256", artifact["sha256"]


def _commits(commits: list[str], missing: str | None) -> str:
    note = f"<p class=note>Commits may be missing: {escape(missing)}.</p>" if missing else ""
    if not commits:
        return note or "<p class=lead>It adds no commits.</p>"
    listed = "\n".join(map(escape, commits))
    return note + (f"<details><summary>Commits: {len(commits)}</summary><pre>{listed}</pre>"
                   "</details>")


def _settings(title: str, settings: Mapping[str, Any]) -> str:
    text = escape(json.dumps(settings, indent=2, sort_keys=True))
    return f"<details><summary>{escape(title)}</summary><pre>{text}</pre></details>"


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    cells = ["".join(f"<td>{_value(value)}</td>" for value in row) for row in rows]
    first = "".join(f"<th>{escape(name)}</th>" for name in head)
    return (f"<table><tr>{first}</tr>" if any(head) else "<table>") + "".join(
        f"<tr>{row}</tr>" for row in cells) + "</table>"


def _badge(text: str, good: bool) -> str:
    return f"<span class={'good' if good else 'bad'}>{escape(text)}</span>"


def _value(value: Any) -> str:
    if isinstance(value, _Html):
        return value
    return "–" if value is None or value == "" else escape(str(value))
