from __future__ import annotations

from pathlib import Path

import pytest

from branchline.ci.output import set_output, show_page


def test_azure_gets_outputs_through_lines_in_the_log(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "gate.md"
    page.write_text("# Gate")
    show_page(page, {"TF_BUILD": "True"})
    set_output("evidence", "ab12", {"TF_BUILD": "True"})
    assert capsys.readouterr().out == (
        f"##vso[task.uploadsummary]{page}\n"
        "##vso[task.setvariable variable=evidence;isOutput=true]ab12\n")


def test_a_value_cannot_become_another_command_of_azure(
        capsys: pytest.CaptureFixture[str]) -> None:
    set_output("a;b]c", "x\n##vso[task.complete]\r%", {"TF_BUILD": "True"})
    assert capsys.readouterr().out == (
        "##vso[task.setvariable variable=a%3Bb%5Dc;isOutput=true]"
        "x%0A##vso[task.complete]%0D%AZP25\n")


def test_a_value_cannot_become_another_output_of_github(tmp_path: Path) -> None:
    set_output("run", "a\nevidence=forged", {"GITHUB_OUTPUT": str(tmp_path / "outputs")})
    assert (tmp_path / "outputs").read_text() == "run=a evidence=forged\n"


def test_github_gets_outputs_through_files(tmp_path: Path) -> None:
    page, summary, outputs = (tmp_path / name for name in ("gate.md", "summary", "outputs"))
    page.write_text("# Gate\n")
    summary.write_text("# Run\n")
    variables = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)}
    show_page(page, variables)
    set_output("evidence", "ab12", variables)
    assert summary.read_text() == "# Run\n# Gate\n" and outputs.read_text() == "evidence=ab12\n"


def test_nothing_happens_on_a_laptop(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_page(tmp_path / "none.md", {})
    set_output("evidence", "ab12", {})
    assert capsys.readouterr().out == ""
