"""Isolation Forest on rows: how few random cuts it takes to set a row apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest as Trees

from amad.evaluation.baselines.contract import Baseline, Measured

TREES = 100
SAMPLE = 256
BLOCK = 1 << 16  # rows that go down a tree at once


class IsolationForest(Baseline):
    """The Isolation Forest: 100 trees of 256 rows each (Liu et al. 2008), on rows; it names no channels.

    The trees are grown by scikit-learn and kept as arrays, so that a stored one needs no pickle.
    """

    def _learn(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        forest = Trees(n_estimators=TREES, max_samples=min(SAMPLE, len(scaled)), random_state=self.seed).fit(scaled)
        nodes = max(tree.tree_.node_count for tree in forest.estimators_)
        shape = (TREES, nodes)
        self.left_, self.right_ = np.full(shape, -1, np.int32), np.full(shape, -1, np.int32)
        self.feature_, self.cut_ = np.zeros(shape, np.int32), np.zeros(shape, np.float64)
        self.depth_ = np.zeros(shape, np.float32)  # of a leaf, with what its rows would still need to be set apart
        for place, (tree, features) in enumerate(zip(forest.estimators_, forest.estimators_features_, strict=True)):
            found = tree.tree_
            inner = found.children_left >= 0
            row = slice(0, found.node_count)
            self.left_[place, row], self.right_[place, row] = found.children_left, found.children_right
            self.feature_[place, row] = np.where(inner, features[np.maximum(found.feature, 0)], 0)
            self.cut_[place, row] = np.where(inner, found.threshold, 0.0)
            self.depth_[place, row] = _depths(found.children_left, found.children_right) + _usual(found.n_node_samples)
        self.usual_ = float(_usual(np.array([forest.max_samples_]))[0])

    def _measure(
        self, values: NDArray[np.float32], scaled: NDArray[np.float32], first: int, own: tuple[int, int] | None
    ) -> Measured:
        total = np.zeros(len(scaled))
        for begin in range(0, len(scaled), BLOCK):
            rows = scaled[begin : begin + BLOCK]
            place = np.arange(len(rows))
            for tree in range(len(self.left_)):
                node = np.zeros(len(rows), np.int32)
                while True:
                    left = self.left_[tree, node]
                    inner = left >= 0
                    if not inner.any():
                        break
                    lower = rows[place, self.feature_[tree, node]] <= self.cut_[tree, node]
                    node = np.where(inner, np.where(lower, left, self.right_[tree, node]), node)
                total[begin : begin + BLOCK] += self.depth_[tree, node]
        return Measured(np.exp2(-total / (len(self.left_) * max(self.usual_, 1e-9))))

    def _arrays(self) -> dict[str, NDArray[Any]]:
        names = ("left", "right", "feature", "cut", "depth")
        return {name: getattr(self, f"{name}_") for name in names}

    def _facts(self) -> dict[str, Any]:
        return {"usual": self.usual_}

    def _restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        self.left_, self.right_, self.feature_, self.cut_, self.depth_ = (
            arrays[name] for name in ("left", "right", "feature", "cut", "depth")
        )
        self.usual_ = float(facts["usual"])
        shape, nodes = self.left_.shape, np.arange(self.left_.shape[-1])
        if len(shape) != 2 or any(
            array.shape != shape for array in (self.right_, self.feature_, self.cut_, self.depth_)
        ):
            raise ValueError("trees of different sizes")
        for child in (self.left_, self.right_):
            # A child always comes after its parent, so that no walk down a tree is endless.
            if ((child >= shape[1]) | ((child >= 0) & (child <= nodes))).any():
                raise ValueError("a tree that is none")
        if ((self.left_ >= 0) != (self.right_ >= 0)).any():
            raise ValueError("a tree that is none")
        if (self.feature_ < 0).any() or (self.feature_ >= len(self.scaler_.centre)).any():
            raise ValueError("cuts of channels that are not there")


def _depths(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cuts from the root to each node (n,)."""
    depth = np.zeros(len(left))
    for node in range(len(left)):  # parents stand before their children
        if left[node] >= 0:
            depth[left[node]] = depth[right[node]] = depth[node] + 1
    return depth


def _usual(rows: NDArray[np.integer]) -> NDArray[np.float64]:
    """Mean cuts that set one of so many rows apart: c(n) of the paper."""
    count = np.asarray(rows, dtype=np.float64)
    found = np.where(count == 2, 1.0, 0.0)
    many = count > 2
    some = np.where(many, count, 3.0)
    return np.where(many, 2 * (np.log(some - 1) + np.euler_gamma) - 2 * (some - 1) / some, found)
