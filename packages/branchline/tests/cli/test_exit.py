from __future__ import annotations

import click
import pytest

from branchline.cli.exit import INTERRUPTED, run_command
from branchline.errors import BadInput, RunFailed


def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
          problem: BaseException | None, *arguments: str) -> tuple[object, str, str]:
    """Exit code, stdout and stderr of a command that prints `at work` and then has a problem."""
    @click.command()
    @click.option("--debug", is_flag=True)
    def command(debug: bool) -> None:
        click.echo("at work")
        if problem is not None:
            raise problem

    monkeypatch.setattr("sys.argv", ["some/where/tool.py", *arguments])
    with pytest.raises(SystemExit) as left:
        run_command(command)
    out, err = capsys.readouterr()
    return left.value.code, out, err


@pytest.mark.parametrize(("problem", "code", "line"), [
    (BadInput("seed is x; expected a number."), 2, "tool.py: seed is x; expected a number."),
    (RunFailed("the run failed: no rows"), 3, "tool.py: the run failed: no rows"),
    (click.exceptions.Abort(), INTERRUPTED, "tool.py: interrupted"),
    (ValueError("two\n  lines"), 1, "tool.py: ValueError: two lines (--debug shows where)"),
    (BadInput("a\n##vso[x]\n::error::\x1b[1m\rb"), 2,
     "tool.py: a # #vso[x] ::error::\\x1b[1m b"),
    (BadInput("https://ann:secret@host/x: no"), 2, "tool.py: https://host/x: no"),
    (ValueError(), 1, "tool.py: ValueError: no text (--debug shows where)"),
])
def test_every_problem_is_one_line_and_an_exit_code_of_its_kind(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        problem: BaseException, code: int, line: str) -> None:
    assert ended(monkeypatch, capsys, problem) == (code, "at work\n", line + "\n")


def test_ctrl_c_is_reported_on_a_line_of_its_own(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(monkeypatch, capsys, KeyboardInterrupt()) == (
        130, "at work\n", "\ntool.py: interrupted\n")  # first ends the line of the terminal's ^C


def test_a_command_that_succeeds_exits_with_0(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(monkeypatch, capsys, None) == (0, "at work\n", "")


def test_a_commands_output_cannot_be_a_ci_command(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def command() -> None:
        print("::set-output name=a::b")
        click.echo("file ##vso[task.complete]")

    monkeypatch.setattr("sys.argv", ["tool.py"])
    with pytest.raises(SystemExit):
        run_command(command)
    assert capsys.readouterr().out == ": :set-output name=a::b\nfile # #vso[task.complete]\n"


def test_an_unknown_option_points_to_help(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ended(monkeypatch, capsys, None, "--fast")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--fast" in err and err.endswith(" See tool.py --help.\n")


@pytest.mark.parametrize("problem", [BadInput("no"), ValueError("no")])
def test_debug_lets_the_traceback_through(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        problem: Exception) -> None:
    with pytest.raises(type(problem), match="no"):
        ended(monkeypatch, capsys, problem, "--debug")
