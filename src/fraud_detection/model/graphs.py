"""Boosted trees and isolation forests as ONNX graphs, in double precision as in scikit-learn.

skl2onnx 1.20 writes such trees in single precision only, which sends some rows another way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

if TYPE_CHECKING:
    from onnx import NodeProto

__all__ = ["INPUT", "classifier_graph", "outlier_graph"]

Floats: TypeAlias = NDArray[np.float64]
INPUT, OUTPUT = "rows", "score"
OPSETS = {"": 17, "ai.onnx.ml": 3}
IR = 9  # what onnxruntime 1.20 reads


@dataclass(frozen=True)
class Tree:
    """A tree's nodes: those with `leaf` add `value` to the sum, at the others a row goes left if
    its `feature` is at most `threshold` or, where `missing_left`, missing."""

    leaf: NDArray[np.bool_]
    value: Floats
    feature: NDArray[np.int64]
    threshold: Floats
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing_left: NDArray[np.bool_]


def classifier_graph(model: CalibratedClassifierCV) -> bytes:
    """From rows x inputs (double) to the probability of fraud, rows x 1 (double).

    Raises:
        ValueError: the model is no boosting with a sigmoid.
    """
    [part] = model.calibrated_classifiers_
    boosting, sigmoid = part.estimator.steps[-1][1], part.calibrators[0]
    if not isinstance(boosting, HistGradientBoostingClassifier) or len(part.estimator.steps) > 1:
        raise ValueError(f"{type(boosting).__name__} has no fast form")
    return _graph(_calibrated(boosting), {
        "e": [np.e], "one": [1.0], "slope": [sigmoid.a_], "intercept": [sigmoid.b_]},
        model.n_features_in_)


def _calibrated(boosting: HistGradientBoostingClassifier) -> list[NodeProto]:
    """1 / (1 + e^(slope * raw + intercept)), by operators whose last bit does not depend on how
    many rows there are, as Sigmoid's does."""
    from onnx import helper
    return [_ensemble(_boosted_trees(boosting), float(boosting._baseline_prediction.item()), INPUT,
                      "raw"),
            helper.make_node("Cast", ["raw"], ["double"], to=_double()),
            helper.make_node("Mul", ["double", "slope"], ["risen"]),
            helper.make_node("Add", ["risen", "intercept"], ["exponent"]),
            helper.make_node("Pow", ["e", "exponent"], ["odds"]),
            helper.make_node("Add", ["odds", "one"], ["sum"]),
            helper.make_node("Div", ["one", "sum"], [OUTPUT])]


def outlier_graph(model: Pipeline) -> bytes:
    """From rows x inputs (double) to the outlier score, rows x 1 (double)."""
    from onnx import TensorProto, helper
    medians, forest = (step for _, step in model.steps)
    trees = [_isolation_tree(each.tree_, columns)
             for each, columns in zip(forest.estimators_, forest.estimators_features_, strict=True)]
    usual = len(trees) * float(_mean_path(np.array([forest.max_samples_]))[0])
    nodes = [
        helper.make_node("IsNaN", [INPUT], ["missing"]),
        helper.make_node("Where", ["missing", "medians", INPUT], ["filled"]),
        helper.make_node("Cast", ["filled"], ["single"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["single"], ["rounded"], to=_double()),  # as scikit-learn does
        _ensemble(trees, 0.0, "rounded", "depth"),
        helper.make_node("Cast", ["depth"], ["depth_double"], to=_double()),
        helper.make_node("Div", ["depth_double", "usual"], ["share"]),
        helper.make_node("Pow", ["base", "share"], [OUTPUT])]
    return _graph(nodes, {"medians": medians.statistics_.tolist(), "usual": [-usual],
                          "base": [2.0]}, model.n_features_in_)


def _boosted_trees(model: HistGradientBoostingClassifier) -> list[Tree]:
    return [Tree(nodes["is_leaf"] == 1, nodes["value"], nodes["feature_idx"].astype(np.int64),
                 nodes["num_threshold"], nodes["left"].astype(np.int64),
                 nodes["right"].astype(np.int64), nodes["missing_go_to_left"] == 1)
            for nodes in (each[0].nodes for each in model._predictors)]


def _isolation_tree(tree: Any, columns: NDArray[np.int64]) -> Tree:
    """A leaf's value is its depth and the mean depth of what was not split further."""
    leaf = tree.children_left < 0
    depth = tree.compute_node_depths() - 1 + _mean_path(tree.n_node_samples)
    return Tree(leaf, depth, columns[np.where(leaf, 0, tree.feature)], tree.threshold,
                np.where(leaf, 0, tree.children_left), np.where(leaf, 0, tree.children_right),
                np.zeros(len(leaf), np.bool_))


def _mean_path(rows: NDArray[np.int64]) -> Floats:
    """The mean depth of a random tree of so many rows; source: Liu, Ting and Zhou, equation 1."""
    some = np.maximum(rows, 3).astype(np.float64)
    deep = 2 * (np.log(some - 1) + np.euler_gamma) - 2 * (some - 1) / some
    found: Floats = np.where(rows > 2, deep, np.where(rows == 2, 1.0, 0.0))
    return found


def _ensemble(trees: Iterable[Tree], base: float, source: str, target: str) -> NodeProto:
    """The sum of the trees' values, and of `base`, as one node."""
    from onnx import helper
    numbered = list(enumerate(trees))
    sizes = [len(each.leaf) for _, each in numbered]
    leaves = [np.flatnonzero(each.leaf) for _, each in numbered]

    def joined(name: str) -> Any:
        return np.concatenate([getattr(each, name) for _, each in numbered])

    leaf = joined("leaf")
    return helper.make_node(
        "TreeEnsembleRegressor", [source], [target], domain="ai.onnx.ml", n_targets=1,
        nodes_treeids=np.repeat([at for at, _ in numbered], sizes).tolist(),
        nodes_nodeids=np.concatenate([np.arange(size) for size in sizes]).tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_featureids=np.where(leaf, 0, joined("feature")).tolist(),
        nodes_values_as_tensor=_tensor("values", np.where(leaf, 0.0, joined("threshold"))),
        nodes_truenodeids=np.where(leaf, 0, joined("left")).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, joined("right")).tolist(),
        nodes_missing_value_tracks_true=(joined("missing_left") & ~leaf).astype(int).tolist(),
        target_treeids=np.repeat([at for at, _ in numbered],
                                 [len(each) for each in leaves]).tolist(),
        target_nodeids=np.concatenate(leaves).tolist(),
        target_ids=[0] * int(leaf.sum()),
        target_weights_as_tensor=_tensor("weights", joined("value")[leaf]),
        base_values_as_tensor=_tensor("base", np.array([base])))


def _tensor(name: str, values: Floats) -> Any:
    from onnx import numpy_helper
    return numpy_helper.from_array(values.astype(np.float64), name)


def _double() -> int:
    from onnx import TensorProto
    return int(TensorProto.DOUBLE)


def _graph(nodes: list[NodeProto], constants: dict[str, list[float]], inputs: int) -> bytes:
    from onnx import checker, helper
    graph = helper.make_graph(
        nodes, "fraud_detection",
        [helper.make_tensor_value_info(INPUT, _double(), [None, inputs])],
        [helper.make_tensor_value_info(OUTPUT, _double(), [None, 1])],
        [_tensor(name, np.array(values)) for name, values in constants.items()])
    model = helper.make_model(graph, ir_version=IR, opset_imports=[
        helper.make_opsetid(domain, version) for domain, version in OPSETS.items()])
    checker.check_model(model)
    found: bytes = model.SerializeToString()
    return found
