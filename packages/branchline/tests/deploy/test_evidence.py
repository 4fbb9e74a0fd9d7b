from __future__ import annotations

import base64
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from branchline.deploy.evidence import junit, read_bundle, write_bundle
from branchline.deploy.evidence_page import page
from branchline.errors import BadInput, NotApproved
from branchline.records import sha256

PNG = b"\x89PNG a picture"
REASONS = [{"name": "average_precision", "outcome": "fail", "found": "0.41", "wanted": ">= 0.45"}]
EVIDENCE: dict[str, Any] = {
    "asked_by": "dev@example.com", "at": "2026-01-02T03:04:05+00:00", "name": "sample",
    "target": "production", "tests": None, "based_on": {"deployment": 3, "release": "0" * 64},
    "release": {
        "commit": "c" * 40, "branch": "main", "override": None, "by": "ci", "at": "yesterday",
        "artifacts": [{"kind": "package", "name": "p", "reference": "p==1", "sha256": None},
                      {"kind": "wheel", "name": "sample", "reference": "/Volumes/w.whl",
                       "sha256": "a" * 64}],
        "gate": {"outcome": "refused", "line": "refused (fail)", "run": "r1",
                 "model": "models:/m/2", "tables": {"silver": "7"},
                 "verdict": {"candidate": "m2", "champion": None, "reasons": REASONS}}},
    "state": {"version": "1.0+g2", "jobs": {"score": {"wheels": ["/Volumes/w.whl"]}},
              "services": {}},
    "changes": [{"path": "wheel sample", "was": "1.0+g1", "becomes": "1.0+g2"}],
    "drift": [], "breaking": [], "tables_unknown": None,
    "commits": ["abc a <b>bold</b> change"], "commits_missing": None}


def test_a_bundle_is_read_by_its_checksum(tmp_path: Path) -> None:
    checksum = write_bundle(EVIDENCE, PNG, tmp_path)
    assert checksum == sha256((tmp_path / "evidence.json").read_bytes())
    found = read_bundle(tmp_path, checksum, "production")
    assert {key: found[key] for key in EVIDENCE} == EVIDENCE


def test_the_order_of_keys_does_not_change_the_checksum(tmp_path: Path) -> None:
    turned = dict(reversed(EVIDENCE.items()))
    assert write_bundle(EVIDENCE, PNG, tmp_path) == write_bundle(turned, PNG, tmp_path)


@pytest.mark.parametrize(("file", "said"), [
    ("evidence.json", "it was changed or written again"), ("evidence.html", "does not match")])
def test_a_bundle_that_was_changed_after_its_approval_is_refused(
        tmp_path: Path, file: str, said: str) -> None:
    checksum = write_bundle(EVIDENCE, PNG, tmp_path)
    content = (tmp_path / file).read_text()
    (tmp_path / file).write_text(content.replace("1.0+g2", "1.0+g3"))
    with pytest.raises(NotApproved, match=said):
        read_bundle(tmp_path, checksum, "production")


def test_a_bundle_for_another_target_is_refused(tmp_path: Path) -> None:
    checksum = write_bundle(EVIDENCE, None, tmp_path)
    with pytest.raises(NotApproved, match="is for target production, not staging"):
        read_bundle(tmp_path, checksum, "staging")


def test_the_error_for_a_missing_bundle_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected what `deploy.py plan --out` wrote"):
        read_bundle(tmp_path, "0" * 64, "production")


class Page(HTMLParser):
    """What a page shows, and what it asks others for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        self.open += [] if tag in ("meta", "img") else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_complete_and_self_contained() -> None:
    shown = Page(page(EVIDENCE, PNG))
    assert shown.open == []
    assert shown.sources == ["data:image/png;base64," + base64.b64encode(PNG).decode()]


def test_the_page_shows_change_verdict_origin_and_who_asked() -> None:
    shown = Page(page(EVIDENCE, None)).text
    for expected in ("1.0+g1", "1.0+g2", "refused (fail)", "average_precision", ">= 0.45",
                     "c" * 40, "table silver", "version 7", "dev@example.com", "deployment 3",
                     "a <b>bold</b> change", "p==1", "/Volumes/w.whl", "a" * 64,
                     "No results were given"):
        assert expected in shown


def test_the_page_shows_hostile_text_as_text() -> None:
    name = "<script>x</script>\u202e\x1b[1m https://ann:secret@host/x"
    shown = page({**EVIDENCE, "asked_by": name, "commits": [name]}, None)
    assert "<script>" not in shown and "\u202e" not in shown and "\x1b" not in shown
    assert "&lt;script&gt;x&lt;/script&gt;\\u202e\\x1b[1m https://host/x" in shown


def test_the_page_warns_of_an_override_and_of_changes_by_hand() -> None:
    release = {**EVIDENCE["release"], "override": "agreed with <the business>"}
    drift = [{"path": "score.schedule", "was": "daily", "becomes": None}]
    shown = Page(page({**EVIDENCE, "release": release, "drift": drift}, None)).text
    assert "Published without a passed gate" in shown and "agreed with <the business>" in shown
    assert "changed by hand" in shown and "score.schedule" in shown
    assert "changed by hand" not in Page(page(EVIDENCE, None)).text


def test_the_tests_results_are_counted_and_failures_named(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(
        '<testsuites><testsuite><testcase classname="a" name="b" time="1.25"/>'
        '<testcase classname="a" name="c" time="2"><failure/></testcase>'
        '<testcase classname="a" name="d"><skipped/></testcase></testsuite></testsuites>')
    found = junit(tmp_path / "junit.xml")
    assert found == {"tests": 3, "failed": ["a::c"], "skipped": 1, "seconds": 3.2}
    shown = Page(page({**EVIDENCE, "tests": found}, None)).text
    assert "1 failed" in shown and "3 tests, 1 skipped" in shown and "a::c" in shown


@pytest.mark.parametrize("text", ["", "<testsuites/>", "no xml"])
def test_results_without_a_test_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "junit.xml").write_text(text)
    with pytest.raises(BadInput, match="JUnit XML|has no test"):
        junit(tmp_path / "junit.xml")


def test_the_page_says_why_commits_are_missing() -> None:
    shown = Page(page({**EVIDENCE, "commits": [], "commits_missing": "a shallow <clone>"}, None))
    assert "Commits may be missing: a shallow <clone>." in shown.text
    assert "may be missing" not in Page(page(EVIDENCE, None)).text
