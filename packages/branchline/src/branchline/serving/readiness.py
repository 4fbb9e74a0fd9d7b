"""Whether the model scores as it did when it was built, and what it needs answers."""

from __future__ import annotations

import numpy as np

from branchline.errors import BranchlineError
from branchline.serving.service import Service
from branchline.text import one_line

__all__ = ["Readiness"]


class Readiness:
    """Scores the golden rows once, as it is made; asks the records' check each time.

    `golden` says how far the scores were checked: a model with which no row was kept can only be
    seen to score.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self.golden, self.golden_problem = _scored(service)

    def problem(self) -> str | None:
        """Why the service is not ready; None where it is."""
        if self.golden_problem is None and self._service.records:
            try:
                self._service.records.check()
            except BranchlineError as problem:
                return one_line(str(problem))
        return self.golden_problem


def _scored(service: Service) -> tuple[str, str | None]:
    if service.golden is None:
        predicted = service.predict(np.array([service.example]))
        fine = bool(np.isfinite(predicted).all())
        return "none was kept with the model; it scores", (
            None if fine else f"model {service.version}: its score is not a finite number.")
    predicted = service.predict(service.golden.rows)
    if np.array_equal(predicted, service.golden.predicted):
        return "as when the model was built", None
    return "not as when the model was built", (
        f"model {service.version}: the golden row is scored {predicted.tolist()}, expected "
        f"{service.golden.predicted.tolist()}; check that the packages are those of training.")
