"""A run's parameter: type, default, bounds and help, and the check of a given text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from branchline.errors import BadInput

__all__ = ["TYPES", "Parameter"]

TYPES = ("string", "integer", "float", "date", "location", "list")
EARLIEST, LATEST = date(1900, 1, 1), date(2261, 12, 31)  # the range of nanoseconds since 1970
SHOWN = 80
# A CI or shell variable without a value.
UNSET = re.compile(r"\$\([\w.-]+\)|\$\{\{.*\}\}|\$\{?[A-Z_]+\}?")


@dataclass(frozen=True)
class Parameter:
    """A parameter, as the code declares it and as an MLproject file has it.

    MLflow passes every value on as text. `default` is the text for the default, None if a value is
    required; it is not checked. `type` is one of TYPES: a `location` is a file or folder, or an
    address with a scheme; a `list` is separated by commas, and `choices` are for its elements; a
    date lies in the years 1900 to 2261. `read` turns the text into a value if the type alone is not
    enough.
    """

    name: str
    type: str
    default: str | None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    help: str = ""
    read: Callable[[str], object] | None = field(default=None, compare=False, repr=False)

    def check(self, text: str, locate: Callable[[str], str] = str) -> str:
        """The text to pass on; a location goes through `locate`.

        `locate` raises ValueError, with what was expected, for a location the run cannot reach.

        Raises:
            BadInput: the text is empty, not of the parameter's type, or out of bounds.
        """
        if text == self.default:
            return text
        if not text.strip():  # a CI's variable that is not set
            raise self._not(text, "something; leave it out for the default" if self.default
                            else "something, or leave it out")
        if UNSET.fullmatch(text):
            raise self._not(text, "the value of that CI variable, which is not set")
        if self.type == "location":
            try:
                return locate(text)
            except ValueError as expected:
                raise self._not(text, str(expected)) from None
        self.value(text)
        return text

    def value(self, text: str) -> object:
        """The text's value: a str, int, float, date, a tuple of str, or what `read` returns.

        Raises:
            BadInput: as for `check`.
        """
        if self.read is not None:
            return self.read(text)
        if self.type == "list":
            return self._list(text)
        if self.choices and text not in self.choices:
            raise self._not(text, "one of " + ", ".join(self.choices))
        if self.type in ("integer", "float"):
            return self._number(text)
        return self._date(text) if self.type == "date" else text

    def _list(self, text: str) -> tuple[str, ...]:
        named = tuple(name.strip() for name in text.split(","))
        if not self.choices:
            return named
        if any(name not in self.choices for name in named):
            raise self._not(text, f"some of {', '.join(self.choices)}, separated by commas")
        return tuple(name for name in self.choices if name in named)

    def _number(self, text: str) -> float:
        least = -math.inf if self.minimum is None else self.minimum
        most = math.inf if self.maximum is None else self.maximum
        try:
            number = int(text) if self.type == "integer" else float(text)
        except ValueError:
            number = math.nan
        if "_" in text or not text.isascii():  # Python accepts it, but nobody means it
            number = math.nan
        if not least <= number <= most or math.isinf(number):
            raise self._not(text, ("a whole number" if self.type == "integer" else "a number")
                            + self._bounds())
        return number

    def _bounds(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f" from {self.minimum:,.12g} to {self.maximum:,.12g}"
        if self.maximum is not None:
            return f" of at most {self.maximum:,.12g}"
        return "" if self.minimum is None else f" of at least {self.minimum:,.12g}"

    def _date(self, text: str) -> date:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise self._not(text, "a date (YYYY-MM-DD)") from None
        if not EARLIEST <= day <= LATEST:
            raise self._not(text, f"a date from {EARLIEST} to {LATEST}")
        return day

    def _not(self, text: str, expected: str) -> BadInput:
        shown = repr(text if len(text) <= SHOWN else text[:SHOWN] + "...")
        return BadInput(f"parameter {self.name} is {shown}; expected {expected}.")

    def __str__(self) -> str:
        """One line of help."""
        kind = self.type if self.type == "list" else "|".join(self.choices) or self.type
        default = f" (default {self.default})" if self.default not in (None, "") else ""
        return f"{self.name}: {kind}{self._bounds()}{default}  {self.help}".rstrip()
