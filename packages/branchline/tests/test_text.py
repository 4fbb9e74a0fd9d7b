"""Text from outside: what a terminal, a CI's log, a page and a store get of it."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, strategies as st

from branchline.text import (code, html, markdown, one_line, printable, protected_output, safe,
                             unprotected, without_credentials)

COMMANDS = [
    "##vso[task.setvariable variable=x]y", "name ##vso[task.complete result=Failed;]",
    "###vso[a]", "##VSO[a]", "##[error]x", "a ##[set-env name=x]y", "##teamcity[x]", "##[[group]]",
    "::error::x", "  ::set-output name=a::b", "\t::stop-commands::t", "a\n::warning::b",
    "a\n  ::add-mask::b", "a\r\n::error::b", "\u00a0::error::b", "::::error::", "a\n\n::debug::b"]
PIECES = st.lists(st.sampled_from(
    ["#", "##", "vso[", "[", "::", ":", "error::", "\n", "\r", " ", "\t", "\u2028", "\x1b[31m",
     "\u202e", "\ufeff", "a", "é", "|", "`"]), max_size=8).map("".join)


def is_command(text: str) -> bool:
    """What Azure Pipelines' agent or GitHub's runner would act on, in any line."""
    return any(re.search(r"##\w*\[", line) or line.strip().startswith("::")
               for line in re.split(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text))


@pytest.mark.parametrize("text", COMMANDS)
def test_no_line_is_a_ci_command(text: str) -> None:
    assert is_command(text) and not is_command(safe(text)) and not is_command(one_line(text))


@given(PIECES | st.text())
def test_any_text_becomes_free_of_ci_commands_and_control_characters(text: str) -> None:
    for shown in (safe(text), one_line(text)):
        assert not is_command(shown)
        assert {unicodedata.category(each) for each in shown if each not in "\n\t"}.isdisjoint(
            {"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert "\n" not in one_line(text)
    shown.encode()


@pytest.mark.parametrize(("text", "shown"), [
    ("a\x1b[31mred\x1b[0m", "a\\x1b[31mred\\x1b[0m"), ("a\rb", "a\\x0db"),
    ("a\x00\x07", "a\\x00\\x07"),
    ("\u202eevil", "\\u202eevil"), ("\u2066x\u2069", "\\u2066x\\u2069"), ("a\u200bb", "a\\u200bb"),
    ("\ufeffa", "\\ufeffa"), ("\x9b31m", "\\x9b31m"), ("a\u2028b", "a\\u2028b"),
    ("caf\udce9", "caf\\udce9"), ("\U000e0041", "\\U000e0041"),
    ("a\nb\tc", "a\nb\tc"), ("Zürich, 東京 🎉", "Zürich, 東京 🎉")])
def test_control_and_format_characters_are_escaped_and_others_stay(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_are_joined_for_a_message_of_one_line() -> None:
    assert one_line(" two\n   lines\r\nthree ") == "two lines three"


@pytest.mark.parametrize(("text", "shown"), [
    ("https://ann:secret@ml.example/x", "https://ml.example/x"),
    ("https://ann:se@cret@ml.example", "https://ml.example"),
    ("https://ann:se/cr#et@ml.example/x", "https://ml.example/x"),
    ("https://secret@github.com/a/b", "https://github.com/a/b"),
    ("at 'https://x:secret@index.example/simple'.", "at 'https://index.example/simple'."),
    ("postgresql://u:secret@db:5432/mlflow", "postgresql://db:5432/mlflow"),
    ("https://a:secret@h/x: no, https://b:secret@i/y", "https://h/x: no, https://i/y"),
    ("https://h/x?sv=1&sig=secret&se=2", "https://h/x?sv=1&sig=***&se=2"),
    ("https://h/x?access_token=secret", "https://h/x?access_token=***"),
    ("token dapi" + "0" * 32 + ".", "token dapi***."),
    ("Authorization: Bearer secret-and-long", "Authorization: Bearer ***")])
def test_credentials_are_removed(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
    assert "secret" not in safe(text) + one_line(text) + markdown(text) + html(text)


@pytest.mark.parametrize("text", [
    "https://host:8080/x@y", "https://github.com/a/b@v1.2", "sqlite:////tmp/a@b/mlflow.db",
    "git@github.com:a/b.git", "ann@example.com", "databricks://profile", "/Volumes/a/b",
    "https://h/x?page=2&keep=1", "models:/fraud/3"])
def test_an_address_without_credentials_stays(text: str) -> None:
    assert without_credentials(text) == text


@pytest.mark.parametrize(("text", "shown"), [
    ("<script>a</script> & b", "&lt;script&gt;a&lt;/script&gt; &amp; b"),
    ("a|b", "a\\|b"), ("a\nb", "a b"),
    ("![x](http://e/x.png)", "!\\[x\\](http\\://e/x.png)"),
    ("[x](y)", "\\[x\\](y)"), ("`x`", "\\`x\\`"),
    ("*a* _b_ ~~c~~", "\\*a\\* \\_b\\_ \\~\\~c\\~\\~"),
    ("https://evil.example", "https\\://evil.example"), ("www.evil.example", "www\\.evil.example"),
    ("@team #12", "\\@team \\#12"), ("a\\", "a\\\\"), ("$x$", "\\$x\\$"),
    ("average_precision 0.5", "average_precision 0.5")])
def test_markdown_shows_text_as_it_is(text: str, shown: str) -> None:
    assert markdown(text) == shown


@pytest.mark.parametrize(("text", "shown"), [
    ("feature/a", "`feature/a`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("", "`none`"),
    ("a\n\n# b", "`a # b`")])
def test_a_code_span_ends_where_its_text_ends(text: str, shown: str) -> None:
    assert code(text) == shown


def test_html_is_escaped_and_its_lines_stay() -> None:
    assert html("<a href='x'>\n\u202e") == "&lt;a href=&#x27;x&#x27;&gt;\n\\u202e"


def test_everything_printed_is_safe_except_commands_for_the_ci(
        capsys: pytest.CaptureFixture[str]) -> None:
    with protected_output():
        print("##vso[a]b", "::x")
        print("::error::\x1b[1m", file=sys.stderr)
        print("##vso[ours]", file=unprotected(sys.stdout))
    assert capsys.readouterr() == ("# #vso[a]b : :x\n##vso[ours]\n", ": :error::\\x1b[1m\n")


def test_a_project_s_process_is_protected_for_its_life() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys\nfrom branchline.text import protect_output\n"
         "protect_output()\nprotect_output()\nprint('##vso[x]')\n"
         "raise ValueError('\\n::error::\\x1b[1m')"], capture_output=True, text=True)
    assert done.stdout == "# #vso[x]\n" and "\n: :error::" in done.stderr
    assert "\x1b" not in done.stderr


def test_a_protected_stream_is_otherwise_the_one_that_it_writes_to() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys\nfrom branchline.text import protected_output\n"
         "with protected_output():\n"
         "    print(sys.stdout.isatty(), sys.stdout.fileno(), sys.stdout.encoding)\n"
         "    sys.stdout.flush()\n"
         "    sys.stdout.buffer.write(b'x')\n"], capture_output=True, text=True)
    assert done.stdout == "False 1 utf-8\nx"
