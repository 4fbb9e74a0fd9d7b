"""Which version of the feature definitions a model was trained with, and rows were computed by.

`python -m fraud_detection.feature_versions` prints the features with version and meaning.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from branchline import BadInput
from branchline.features.versions import version_of, versions
from fraud_detection.features import definitions, meanings

__all__ = ["DEFINITIONS", "listing", "noted", "require_same", "version_now"]

DEFINITIONS = "definitions"  # the column of gold.features, and the key of a model's notes
KIND = "full"


def version_now(label_delay: int) -> str:
    """The version of this code's definitions."""
    return version_of(definitions(KIND, label_delay))


def noted(found: Collection[str | None], inputs: Sequence[str], label_delay: int,
          where: str) -> dict[str, Any]:
    """What a model notes of its features: the version of all, and that of each of its inputs.

    Args:
        found: the versions that the training rows have; None, of older rows, is not known.
        where: the rows, for a message, as in "gold.features on ...".

    Raises:
        BadInput: other definitions than this code's computed some of the rows.
    """
    known, now = {each for each in found if each}, version_now(label_delay)
    if others := sorted(known - {now}):
        raise BadInput(f"{where}: found rows of feature definitions {', '.join(others)}, expected "
                       f"{now}, this code's with label_delay_days={label_delay}; run featurize for "
                       "these days.")
    each = versions(definitions(KIND, label_delay))
    return {DEFINITIONS: {"version": now, "inputs": {
        name: each[name] for name in inputs if name in each}}} if known else {}


def require_same(model: str, notes: Mapping[str, Any], found: Collection[str | None],
                 label_delay: int, where: str) -> None:
    """Check that the model's inputs in rows of these versions are what it was trained with.

    Models and rows from before versions were recorded are not checked. Other arguments and errors
    are those of `noted`.
    """
    trained = notes.get(DEFINITIONS)
    others = {each for each in found if each} - {trained["version"] if trained else None}
    if not trained or not others:
        return
    now = noted(others, list(trained["inputs"]), label_delay, where)[DEFINITIONS]
    changed = [name for name, version in trained["inputs"].items()
               if now["inputs"].get(name) != version]
    if changed:
        raise BadInput(
            f"model {model}: was trained with another definition of {', '.join(changed)} "
            f"(definitions {trained['version']}) than {where} has (definitions {now['version']}); "
            "train a new model, or use the code and label_delay_days of this one.")


def listing(label_delay: int = 7) -> str:
    """The features as a Markdown table: name, version, meaning."""
    known = versions(definitions(KIND, label_delay))
    rows = [f"| `{name}` | {known.get(name, '')} | {meaning} |"
            for name, meaning in meanings(label_delay).items()]
    return "\n".join(["| feature | version | meaning |", "|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    print(listing(), end="")
