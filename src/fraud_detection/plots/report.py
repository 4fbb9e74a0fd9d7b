"""The report on the data: key numbers and pictures with a few words, on one self-contained page."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from fraud_detection.plots.section import Section
from fraud_detection.plots.style import percent, whole
from fraud_detection.plots.volumes import overall_share

__all__ = ["facts", "write"]

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>
  body {{ max-width: 900px; margin: 2.5rem auto; padding: 0 1rem; color: #22262b;
         background: #fff; font: 16px/1.5 system-ui, sans-serif; }}
  h1 {{ margin: 0 0 1rem; }}  h2 {{ margin: 2.5rem 0 .25rem; }}  p {{ margin: 0 0 .75rem; }}
  dl {{ display: grid; grid-template-columns: repeat(4, 1fr); gap: 1px; background: #e3e6ea;
       border: 1px solid #e3e6ea; }}
  dl div {{ background: #fff; padding: .6rem .9rem; display: flex; flex-direction: column; }}
  dd {{ margin: 0; font-size: 1.5rem; font-weight: 600; }}
  dt {{ color: #5b6470; font-size: .85rem; }}
  table {{ border-collapse: collapse; font-size: .9rem; }}
  th, td {{ text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0;
           border-bottom: 1px solid #e3e6ea; }}
  img {{ width: 100%; border: 1px solid #e3e6ea; box-sizing: border-box; }}
</style></head><body>
<h1>{title}</h1>
<dl>{numbers}</dl>
{lead}
{sections}
</body></html>
"""


def facts(days: pd.DataFrame, terminals: pd.DataFrame, totals: Mapping[str, float], files: int,
          quarantine: int, duplicates: int) -> dict[str, str]:
    """The key numbers, each with its name, in the order that the report shows them."""
    frauds = days["frauds"].sum()
    first = f" from {days['day'].iloc[0]:%Y-%m-%d}" if len(days) else ""
    return {"transactions": whole(days["transactions"].sum()),
            f"days{first}": whole(len(days)),
            "customers": whole(totals["customers"]),
            "terminals": whole(terminals["terminals"].sum()),
            f"fraud: {whole(frauds)} of the labelled": percent(overall_share(days)),
            "median amount": f"{totals['median']:,.2f}",
            f"rejected rows, from {whole(files)} files": whole(quarantine),
            "duplicates": whole(duplicates)}


def write(facts: Mapping[str, str], sections: Sequence[Section], folder: Path, *,
          title: str = "The data", lead: str = "") -> None:
    """Write `<name>.png` for each section, and a self-contained `report.html`.

    `lead` is HTML that stands between the key numbers and the sections.
    """
    parts = []
    for section in sections:
        path = folder / f"{section.name}.png"
        section.figure.savefig(path)
        picture = base64.b64encode(path.read_bytes()).decode()
        parts.append(f'<section><h2>{html.escape(section.heading)}</h2>'
                     f'<p>{html.escape(section.words)}</p>'
                     f'<img alt="{html.escape(section.heading)}" '
                     f'src="data:image/png;base64,{picture}"></section>')
    numbers = "".join(f"<div><dd>{html.escape(value)}</dd><dt>{html.escape(name)}</dt></div>"
                      for name, value in facts.items())
    (folder / "report.html").write_text(
        PAGE.format(title=html.escape(title), numbers=numbers, lead=lead,
                    sections="\n".join(parts)), encoding="utf-8")
