"""Every exception that a person is meant to read, each with the exit code a trigger ends with.

    BranchlineError
    ├── BadInput            2   a parameter, file, column or name that cannot be used as given
    │   ├── UnknownBranch       neither the arguments, the CI nor git name a branch
    │   ├── NotInstalled        this machine lacks Java, a jar or a package
    │   ├── NotSet              an environment variable that a file names has no value here
    │   └── AlreadyPublished    a wheel's version is taken by other bytes
    ├── RunFailed           3   the run started and did not succeed
    │   ├── RunCancelled        somebody or its time limit stopped it
    │   ├── TablesBusy          another run is writing the same branch's tables
    │   └── RowsLost            some input rows are not accounted for
    ├── GateRefused         4   the gate judged a candidate, and said no
    ├── TablesDiffer        4   two branches' tables differ in what should be equal
    ├── ScoresDiffer        4   a stream's features or scores are not those of batch
    ├── AlertsOpen          4   alerts are open that a policy wants to end a command with
    ├── NotApproved         4   what would be deployed is not what was approved
    └── PlatformError       5   the platform did not do what it was asked
        ├── Unreachable         it does not answer, or fails itself
        └── NotAllowed          it does not know this user, or the user may not do this
            └── NotSignedIn         no credential is found, or it cannot be renewed
"""

from __future__ import annotations

__all__ = ["AlertsOpen", "AlreadyPublished", "BadInput", "BranchlineError", "GateRefused",
           "NotAllowed", "NotApproved", "NotInstalled", "NotSet", "NotSignedIn", "PlatformError",
           "RowsLost", "RunCancelled", "RunFailed", "ScoresDiffer", "TablesBusy", "TablesDiffer",
           "UnknownBranch", "Unreachable"]


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


class NotSet(BadInput):
    """An environment variable that a file names, such as a password's, has no value here."""


class AlreadyPublished(BadInput):
    """A version is published with other bytes; nothing was changed."""


class RunFailed(BranchlineError):
    """A started run ended without success; `run_id` is MLflow's, if known.

    `run.py` exits with BadInput's code if the run itself says that its input is invalid.
    """

    exit_code = 3
    run_id: str | None = None


class RunCancelled(RunFailed):
    """A run was stopped from outside before its end."""


class TablesBusy(RunFailed):
    """Another run holds the lock on the tables that this one would write."""


class RowsLost(RunFailed):
    """A step's counts do not add up: some input rows are neither kept nor rejected."""


class GateRefused(BranchlineError):
    """The gate's verdict on a candidate is no; the verdict, with its reasons, is in its run."""

    exit_code = 4


class NotApproved(BranchlineError):
    """The evidence, or what it was based on, has changed since it was approved; plan again."""

    exit_code = 4


class AlertsOpen(BranchlineError):
    """Alerts are open whose policy says `to: [exit_code]`."""

    exit_code = 4


class TablesDiffer(BranchlineError):
    """Tables of two branches differ in what `diff --fail-on` names."""

    exit_code = 4


class ScoresDiffer(BranchlineError):
    """More of a stream's values differ from batch than `parity` was told to accept."""

    exit_code = 4


class PlatformError(BranchlineError):
    """The platform did not do what it was asked."""

    exit_code = 5


class Unreachable(PlatformError):
    """The platform does not answer, or not in the time that it was given."""


class NotAllowed(PlatformError):
    """The platform does not know this user, or the user lacks a permission."""


class NotSignedIn(NotAllowed):
    """The user has no credential, or it has expired and cannot be renewed."""
