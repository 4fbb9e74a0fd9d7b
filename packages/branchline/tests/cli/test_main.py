"""The command as a whole: where it runs, and where it says that it does not."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("call", ["main.main()", "main.trigger('run', Path())"])
def test_on_windows_one_line_says_what_is_supported(call: str) -> None:
    script = ("import sys\nfrom pathlib import Path\nsys.modules['fcntl'] = None\n"
              f"from branchline.cli import main\nsys.platform = 'win32'\n{call}")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("branchline: runs on Linux, macOS and, on Windows, in WSL 2; found "
                           "Windows itself. Run it in WSL 2.\n")
