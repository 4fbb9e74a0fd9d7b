from __future__ import annotations

from dataclasses import replace

import pytest

from branchline.features.kernel import Complement, Definition, Product, Ratio, Window
from branchline.features.versions import version_of, versions

MEAN = Window("mean", "card", "mean", "amount", 7)
USUAL = Ratio("usual", "card", "amount", ("mean",))
SQUARED = Product("squared", "card", "usual", "usual")
RATE = Window("rate", "card", "mean", "is_fraud", 7, delay=7)
GENUINE = Complement("genuine", "card", "rate")
LISTED: tuple[Definition, ...] = (MEAN, USUAL, SQUARED, RATE, GENUINE)


def changed(old: Definition, new: Definition) -> set[str]:
    """The features whose version changes with this definition."""
    before = versions(LISTED)
    after = versions([new if each is old else each for each in LISTED])
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(("old", "new", "expected"), [
    (MEAN, replace(MEAN, days=8), {"mean", "usual", "squared"}),
    (USUAL, replace(USUAL, over="mean"), {"usual", "squared"}),
    (SQUARED, replace(SQUARED, entity="terminal"), {"squared"}),
    (RATE, replace(RATE, delay=6), {"rate", "genuine"}),
    (GENUINE, replace(GENUINE, of="usual"), {"genuine"})])
def test_a_changed_definition_changes_its_version_and_those_made_of_it(
        old: Definition, new: Definition, expected: set[str]) -> None:
    assert changed(old, new) == expected
    listed = tuple(new if each is old else each for each in LISTED)
    assert version_of(listed) != version_of(LISTED)


def test_a_reworded_meaning_and_a_further_feature_change_no_version() -> None:
    assert changed(MEAN, replace(MEAN, meaning="The mean.")) == set()
    assert versions([*LISTED, replace(MEAN, name="other")]).items() > versions(LISTED).items()
    assert version_of((replace(MEAN, meaning="The mean."),)) == version_of((MEAN,))
