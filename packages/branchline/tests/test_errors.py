from __future__ import annotations

import inspect

from branchline import errors
from branchline.errors import BranchlineError

CLASSES = {name: kind for name, kind in vars(errors).items()
           if inspect.isclass(kind) and issubclass(kind, BranchlineError)}


def test_every_exception_is_in_the_drawn_tree_under_its_base() -> None:
    assert errors.__doc__ is not None
    drawn = [line for line in errors.__doc__.splitlines() if "──" in line]
    depth_of = {line.split("── ")[1].split()[0]: line.index("──") for line in drawn}
    assert set(depth_of) == set(CLASSES) - {"BranchlineError"}
    for name, kind in CLASSES.items():
        base = kind.__bases__[0].__name__
        if base in depth_of:
            assert depth_of[name] > depth_of[base]


def test_exit_codes_distinguish_bad_input_a_failed_run_and_a_refusal() -> None:
    assert errors.BadInput.exit_code == 2
    assert errors.RunFailed.exit_code == 3
    assert errors.GateRefused.exit_code == 4
    assert {kind.exit_code for kind in CLASSES.values()} == {1, 2, 3, 4, 5}


def test_all_lists_every_exception() -> None:
    assert sorted(errors.__all__) == sorted(CLASSES)
