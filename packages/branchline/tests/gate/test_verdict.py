from __future__ import annotations

import json
from pathlib import Path

import pytest

from branchline.gate.picture import picture
from branchline.gate.verdict import Interval, Reason, Verdict, number, show

INTERVAL = Interval(-0.1, -0.15, -0.05, -0.02, True, -0.2)
REFUSED = Verdict(False, "models:/m-1", "models:/fraud/3", (
    Reason("rows", "pass", "5,000", "at least 1,000"),
    Reason("a | b", "undecided", "-1", "at least 0"),
    Reason("ap difference", "fail", "-0.1000", "down by at most 0.0200", INTERVAL)))
FIRST = Verdict(True, "models:/m-1", None, (Reason("ap", "pass", "0.5000", "at least 0.3000"),))


def test_a_line_says_what_failed() -> None:
    assert REFUSED.line == ("refused (fail: ap difference -0.1000, expected down by at most "
                            "0.0200)")
    assert FIRST.line == "passed"


def test_the_reasons_against_it_start_with_what_failed() -> None:
    assert [reason.outcome for reason in REFUSED.against] == ["fail", "undecided"]


def test_markdown_is_a_table_with_one_row_per_reason() -> None:
    page = REFUSED.to_markdown().splitlines()
    assert page[0] == "## Gate: refused ❌"
    assert "| ➖ undecided | a \\| b | -1 | at least 0 |" in page
    assert len([line for line in page if line.startswith("|")]) == 2 + len(REFUSED.reasons)
    assert "no champion yet" in FIRST.to_markdown()


def test_markdown_and_terminal_show_hostile_names_as_text(
        capsys: pytest.CaptureFixture[str]) -> None:
    name = "a|b`<img src=x>\n## [x](y) ##vso[z]\x1b[1m"
    hostile = Verdict(False, name, name, (Reason(name, "fail", name, name),))
    page = hostile.to_markdown()
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(rows) == 3 and rows[2].count("|") - rows[2].count("\\|") == 5
    assert "<img" not in rows[2] and "[x](y)" not in rows[2]
    assert "Candidate `` a|b`<img src=x> ## [x](y) # #vso[z]\\x1b[1m ``, champion ``" in page
    show(hostile)
    said = capsys.readouterr().out
    assert "##vso[" not in said + page and "\x1b" not in said + page


def test_json_has_the_whole_verdict() -> None:
    found = json.loads(REFUSED.to_json())
    assert found["passed"] is False and found["reasons"][2]["interval"]["worst"] == -0.02


def test_the_terminal_shows_reasons_and_line(capsys: pytest.CaptureFixture[str]) -> None:
    show(REFUSED)
    said = capsys.readouterr().out
    assert "a | b" in said and said.endswith(f"verdict    {REFUSED.line}\n")


def test_the_picture_has_one_panel_per_difference_and_counts_the_worse_ones(tmp_path: Path) -> None:
    drawn = picture(REFUSED)
    assert drawn is not None
    drawn.savefig(tmp_path / "verdict.png")
    assert len(drawn.axes) == 1 and (tmp_path / "verdict.png").stat().st_size > 5000
    assert drawn.get_suptitle() == ("Gate: refused; clearly worse than the champion in 1 of 1 "
                                    "comparisons")


def test_without_differences_there_is_no_picture() -> None:
    assert picture(FIRST) is None


@pytest.mark.parametrize(("value", "text"), [
    (0.49789, "0.4979"), (9080.4, "9,080"), (-0.00001, "0.0000"), (-264.25, "-264")])
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text
