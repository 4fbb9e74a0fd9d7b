"""Every exception that a person is meant to read, each with the exit code a trigger ends with.

    BranchlineError
    ├── BadInput            2   a parameter, file, column or name that cannot be used as given
    │   ├── UnknownBranch       no branch can be told from the arguments, the CI or git
    │   └── NotInstalled        this machine lacks Java, a jar or a package
    └── RunFailed           3   the run started and did not end well
        ├── TablesBusy          another run is writing the same branch's tables
        └── RowsLost            rows that came in are not all accounted for
"""

from __future__ import annotations

__all__ = ["BadInput", "BranchlineError", "NotInstalled", "RowsLost", "RunFailed", "TablesBusy",
           "UnknownBranch"]


class BranchlineError(Exception):
    """Base of all of them; its text is one line: what, found, expected, what to do next."""

    exit_code = 1


class BadInput(BranchlineError):
    """Something given from outside cannot be used; nothing was changed."""

    exit_code = 2


class UnknownBranch(BadInput):
    """Neither `--branch`, nor the CI's variables, nor git tell which branch this is."""


class NotInstalled(BadInput):
    """A program or package that the run needs is not on this machine."""


class RunFailed(BranchlineError):
    """A run that was started ended without success."""

    exit_code = 3


class TablesBusy(RunFailed):
    """Another run holds the lock on the tables that this one would write."""


class RowsLost(RunFailed):
    """A step's own count does not add up: input rows are neither kept nor rejected."""
