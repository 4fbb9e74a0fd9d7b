"""Guardrails: rules that flag, override or refuse a score; the same in batch, stream, service."""

from branchline.guardrails.alert_rate import AlertRate
from branchline.guardrails.judge import Judge, Judged
from branchline.guardrails.rules import ACTIONS, KINDS, Guardrails, Rule

__all__ = ["ACTIONS", "KINDS", "AlertRate", "Guardrails", "Judge", "Judged", "Rule"]
