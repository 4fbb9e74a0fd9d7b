"""The fast form of the models, ONNX, and its admission: only if it scores as scikit-learn does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["ONNX", "SKLEARN", "Fast", "Graph", "admission", "converted", "proof_rows"]

Floats: TypeAlias = NDArray[np.float64]
Scores: TypeAlias = Callable[[Floats], tuple[Floats, Floats]]  # rows to score, outlier score
ONNX, SKLEARN = "onnx", "scikit-learn"
LEAST_ROWS = 50_000
ALONE = 200  # rows that are also scored one by one
FURTHEST = 1e-5


class Graph:
    """An ONNX graph from rows x inputs to one number a row, run by one thread.

    Its session is made in each process at the first call: a session cannot be pickled.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._session: InferenceSession | None = None

    def __call__(self, rows: Floats) -> Floats:
        if self._session is None:
            self._session = _session(self.content)
        found: Floats = self._session.run(None, {"rows": np.ascontiguousarray(rows)})[0][:, 0]
        return found

    def __reduce__(self) -> tuple[type[Graph], tuple[bytes]]:
        return Graph, (self.content,)


def _session(content: bytes) -> InferenceSession:
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@dataclass(frozen=True)
class Fast:
    """The two graphs of a model version."""

    classifier: Graph
    outliers: Graph

    def __call__(self, rows: Floats) -> tuple[Floats, Floats]:
        return self.classifier(rows), self.outliers(rows)


def converted(classifier: CalibratedClassifierCV, outliers: Pipeline) -> Fast | str:
    """The fast form; else why there is none."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401

        from fraud_detection.model.graphs import classifier_graph, outlier_graph
        return Fast(Graph(classifier_graph(classifier)), Graph(outlier_graph(outliers)))
    except ImportError as problem:
        return f"{problem.name} is not installed (extra `onnx`)"
    except ValueError as problem:
        return str(problem)


def proof_rows(rows: Floats, seed: int) -> Floats:
    """LEAST_ROWS of the rows or, if there are fewer, all and mixtures of their values."""
    rng = np.random.default_rng(seed)
    if len(rows) >= LEAST_ROWS:
        chosen: Floats = rows[rng.choice(len(rows), LEAST_ROWS, replace=False)]
        return chosen
    mixed = [rng.choice(column, LEAST_ROWS - len(rows)) for column in rows.T]
    return np.vstack([rows, np.column_stack(mixed)])


def admission(fast: Fast | str, slow: Scores, thresholds: tuple[float, float],
              rows: Floats) -> dict[str, Any]:
    """Which form the version scores with, everywhere, and why: a record for its notes.

    ONNX is admitted if scores differ from scikit-learn's by less than FURTHEST, neither an alert
    nor an outlier flips, and a row has the same score alone as among others, to the bit.
    """
    if isinstance(fast, str):
        return {"form": SKLEARN, "reason": fast}
    found, expected = fast(rows), slow(rows)
    furthest = max(float(np.abs(one - other).max()) for one, other in zip(found, expected,
                                                                          strict=True))
    flips = sum(int(((one >= threshold) != (other >= threshold)).sum()) for one, other, threshold
                in zip(found, expected, thresholds, strict=True))
    alone = [fast(row[None]) for row in rows[:ALONE]]
    same = all((np.concatenate([each[at] for each in alone]) == found[at][:ALONE]).all()
               for at in range(len(found)))
    admitted = furthest < FURTHEST and not flips and same
    reason = (f"{len(rows):,} rows, largest difference {furthest:.1e}, {flips:,} flags flipped"
              + ("" if same else "; a row alone scores otherwise than among many"))
    return {"form": ONNX if admitted else SKLEARN, "reason": reason, "rows": len(rows),
            "largest_difference": furthest, "flips": flips}
