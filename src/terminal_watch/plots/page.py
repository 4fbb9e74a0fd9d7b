"""The report's key numbers, and the newest list as a table that an investigator can work down."""

from __future__ import annotations

import html
from collections.abc import Mapping

import pandas as pd

from fraud_detection.plots.style import percent, whole

__all__ = ["facts", "newest"]

MOST_ROWS = 20


def facts(kpis: Mapping[str, float], by_day: pd.DataFrame) -> dict[str, str]:
    """The key numbers, each with its name, in the order that the report shows them."""
    def share(name: str) -> str:
        return percent(kpis.get(name, float("nan")))

    def number(name: str) -> str:
        return f"{kpis[name]:,.1f}" if name in kpis else "unknown"

    span = f"{by_day['day'].iloc[0]:%Y-%m-%d} to {by_day['day'].iloc[-1]:%Y-%m-%d}"
    return {"of new alerts had further fraud": share("precision"),
            "of compromised terminals found": share("found_share"),
            "days from first fraud to list": number("days_to_find"),
            "of their fraud money came while listed": share("money_share"),
            "new alerts a day": number("alerts_a_day"),
            "terminals listed a day": number("listed_a_day"),
            "compromised terminals": whole(kpis["compromised"]),
            f"days, {span}": whole(len(by_day))}


def newest(rows: pd.DataFrame) -> str:
    """The last day's list as HTML: rank, terminal, evidence, of at most MOST_ROWS terminals."""
    if rows.empty:
        return "<p>No terminal was ever listed.</p>"
    last = rows[rows["day"] == rows["day"].max()].nsmallest(MOST_ROWS, "rank")
    lines = "".join(f"<tr><td>{row.rank}</td><td>{html.escape(row.terminal_id)}</td>"
                    f"<td>{html.escape(row.evidence)}</td></tr>" for row in last.itertuples())
    count = int((rows["day"] == rows["day"].max()).sum())
    return (f"<h2>The list of {rows['day'].max():%Y-%m-%d}</h2>"
            f"<p>{len(last)} of {count} terminals, highest score first.</p>"
            f"<table><tr><th>rank</th><th>terminal</th><th>evidence</th></tr>{lines}</table>")
