"""guardrails.yml: what it may say, and one line for what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from branchline.config.guardrails_file import read_guardrails
from branchline.errors import BadInput
from support.clone import ROOT

GOOD = """
far: {when: outside_range, inputs: [amount], action: override, score: 0.9}
gone: {when: missing, action: refuse}
odd: {when: unknown_category, inputs: [night], known: [0, 1]}
strange: {when: outlier}
band: {when: uncertain, between: [0.4, 0.6]}
many: {when: alert_rate, above: 0.1, over: 500}
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "guardrails.yml"
    file.write_text(text)
    return file


def test_every_kind_of_rule_is_read_in_order(tmp_path: Path) -> None:
    far, gone, odd, strange, band, many = read_guardrails(write(tmp_path, GOOD)).rules
    assert (far.name, far.action, far.score, far.inputs) == ("far", "override", 0.9, ("amount",))
    assert (gone.action, gone.inputs, gone.line) == ("refuse", (), 3)
    assert odd.known == (0.0, 1.0) and strange.action == "flag"
    assert band.between == (0.4, 0.6) and (many.above, many.over) == (0.1, 500)


def test_an_empty_file_has_no_rules(tmp_path: Path) -> None:
    assert read_guardrails(write(tmp_path, "")).rules == ()


def test_the_example_s_file_is_good() -> None:
    assert read_guardrails(ROOT / "mlflow-notebooks" / "fraud-training" / "guardrails.yml").rules


@pytest.mark.parametrize(("text", "said"), [
    ("far: 3", "line 1: far is 3; expected lines such as"), ("- far", "line 1: the file is"),
    ("far: {}", "line 1: when is missing; expected one of outside_range"),
    ("far: {when: always}", "when is 'always'; expected one of"),
    ("a b: {when: outlier}", "rule 'a b': expected a name"),
    ("far: {when: outlier, action: shout}", "action is 'shout'; expected one of flag, override"),
    ("far: {when: outlier, colour: red}", "rule far has an unknown key colour; expected some of"),
    ("far: {when: outlier, inputs: [a]}", "unknown key inputs"),
    ("far: {when: outlier, score: 0.5}", "unknown key score"),
    ("far: {when: outlier, action: override}", "rule far lacks score"),
    ("far: {when: outlier, action: override, score: 2}", "score is 2; expected a number from 0 to"),
    ("far: {when: outside_range, inputs: amount}", "inputs is 'amount'; expected a list"),
    ("far: {when: outside_range, inputs: []}", "expected a list of the model's inputs"),
    ("far: {when: outside_range, inputs: [1]}", "expected a list of the model's inputs"),
    ("far: {when: unknown_category, inputs: [a]}", "lacks known"),
    ("far: {when: unknown_category, inputs: [a], known: [x]}", "known is ['x']; expected a list"),
    ("far: {when: uncertain}", "lacks between"),
    ("far: {when: uncertain, between: [0.6, 0.4]}", "expected [LOWEST, HIGHEST] score"),
    ("far: {when: uncertain, between: 0.5}", "expected [LOWEST, HIGHEST] score"),
    ("far: {when: alert_rate}", "lacks above"),
    ("far: {when: alert_rate, above: 20%}", "above is '20%'; expected a number from 0 to 1"),
    ("far: {when: alert_rate, above: 0.1, over: 3}", "over is 3; expected a whole number"),
    ("far: {when: alert_rate, above: 0.1, action: refuse}", "refusing them would hide an attack"),
    ("far: {when: outlier}\nfar: {when: outlier}", "line 2: key far occurs twice"),
])
def test_a_bad_rule_is_one_line_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput) as problem:
        read_guardrails(write(tmp_path, text))
    told = str(problem.value)
    assert told.startswith("guardrails.yml, line ") and said in told and "\n" not in told
