"""The first code of a run on the platform: prepares what a project's script expects.

Uploaded beside the project, so it needs nothing but Python:
`start.py [NAME=VALUE ...] -- SCRIPT [ARGUMENT ...]`. The variables are for compute that takes none;
PYTHONPATH goes first on the module path.
"""

from __future__ import annotations

import os
import runpy
import sys

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Run the script as `python SCRIPT ARGUMENT ...` would in the script's folder."""
    end = arguments.index("--")
    for pair in arguments[:end]:
        name, _, value = pair.partition("=")
        os.environ[name] = value
        if name == "PYTHONPATH":  # for this process; Spark's Python workers read the variable
            sys.path.insert(0, value)
    script = arguments[end + 1]
    folder = os.path.dirname(script)
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = arguments[end + 1:]
    try:
        runpy.run_path(script, run_name="__main__")
    except Exception:
        # The platform catches exceptions, so the script's own excepthook would never be called.
        if sys.excepthook is not sys.__excepthook__:
            sys.excepthook(*sys.exc_info())
        raise


if __name__ == "__main__":
    main(sys.argv[1:])
