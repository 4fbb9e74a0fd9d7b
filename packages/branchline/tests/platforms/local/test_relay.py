"""What a project's processes print, as the terminal or the CI's log gets it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, strategies as st

from branchline.platforms.local.relay import SafeLines
from branchline.text import safe

PIECES = st.lists(st.sampled_from(
    [b"#", b"##", b"##vso[", b"::", b":", b"error::", b"\n", b" ", b"\t", b"\x1b[31m", b"a",
     b"\xc3", b"\xa9", b"\xff", b"\r", b"\r\n"]), max_size=12)


def shown(pieces: list[bytes], idle: bool) -> str:
    lines, text = SafeLines(), ""
    for piece in pieces:
        text += lines.complete(piece)
        text += lines.begun() if idle else ""
    return text + lines.complete(b"", last=True)


@given(PIECES, st.booleans())
def test_output_is_safe_however_it_is_split(pieces: list[bytes], idle: bool) -> None:
    text = shown(pieces, idle)
    assert safe(text) == text


@given(st.lists(st.text("ab #:é\n[", max_size=5), max_size=8), st.booleans())
def test_no_line_is_lost_or_doubled(texts: list[str], idle: bool) -> None:
    whole = "".join(texts)
    plain = "".join(shown([text.encode() for text in texts], idle).split())
    assert plain.replace(" ", "") == "".join(whole.split())


def test_a_line_that_has_not_ended_is_shown_unless_it_may_become_a_command() -> None:
    lines = SafeLines()
    assert lines.complete(b"  ingest   ") == "" and lines.begun() == "  ingest   "
    assert lines.complete(b" 7 rows\n  ") == " 7 rows\n"
    assert lines.begun() == ""
    assert lines.complete(b"::error::x\nname #") == "  : :error::x\n" and lines.begun() == ""
    assert lines.complete(b"#vso[a]\n") == "name # #vso[a]\n"


def test_only_the_last_state_of_a_progress_bar_is_shown() -> None:
    assert shown([b"\r 1%", b"\r50%", b"\r100%\r\nnext\n"], idle=True) == "100%\nnext\n"


CODE = """
import subprocess, sys
from branchline.platforms.local.relay import relayed
print("before", flush=True)
with relayed():
    subprocess.run([sys.executable, "-c", {printing!r}])
    print("own")
print("##vso[after]", flush=True)
"""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_child_process_prints_nothing_that_a_ci_would_act_on(stream: str) -> None:
    printing = (f"import sys; print('##vso[task.complete]x\\x1b[2J', file=sys.{stream}); "
                f"sys.{stream}.buffer.write(b'::error::\\xff'); sys.exit(3)")
    done = subprocess.run([sys.executable, "-c", CODE.format(printing=printing)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = "# #vso[task.complete]x\\x1b[2J\n: :error::\\xff"
    own = {"stdout": "before\nown\n##vso[after]\n", "stderr": ""}
    assert getattr(done, stream).replace(told, "") == own.pop(stream)
    assert all(getattr(done, name) == text for name, text in own.items())


def test_a_process_that_outlives_its_parent_holds_nothing_up() -> None:
    printing = "import subprocess; subprocess.Popen(['sleep', '8']); print('gone')"
    done = subprocess.Popen([sys.executable, "-c", CODE.format(printing=printing)],
                            stdout=subprocess.PIPE, text=True)
    assert done.stdout is not None
    assert "gone\n" in [done.stdout.readline() for _ in range(3)]
    assert done.wait(20) == 0
