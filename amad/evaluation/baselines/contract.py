"""The one contract of every baseline: learn on training values alone, then give each row a score, higher = worse."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.detection.recipe import Recipe, compression_of, smooth, widths_of
from amad.errors import CheckpointError, InputError
from amad.series.scaling import REACH, Scaler

CLIP = 10.0  # scaled values are limited to so many training deviations
SMOOTHING = 61  # rows of the moving average over a score
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Measured:
    """What a baseline sees in T rows. score (T,): its own, finite, not negative, not smoothed.

    errors (T, C): what each channel adds to it, where the method can tell; expected (T, C) in scaled units, where it
    expects anything; views: scores (T,) of its parts on the scale of evidence, by name.
    """

    score: NDArray[np.float64]
    errors: NDArray[np.floating] | None = None
    expected: NDArray[np.floating] | None = None
    views: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def part(self, rows: slice) -> Measured:
        """The same of some of the rows."""
        return Measured(
            self.score[rows],
            None if self.errors is None else self.errors[rows],
            None if self.expected is None else self.expected[rows],
            {name: view[rows] for name, view in self.views.items()},
        )


class Baseline(ABC):
    """Base of all. `recipe` puts errors (or the score) through AMAD's score recipe instead of one moving average.

    After `fit`: `training_` what it sees in its training rows, compared as any other row would be (never with
    themselves), `scaler_`. Values are (T, C), NaN = missing; a missing cell adds nothing. Same seed, same scores.
    """

    window: ClassVar[int] = 1  # rows that one judgement looks at: the least a series needs
    smooths: ClassVar[bool] = True  # whether its score is smoothed, or is taken as it is
    has_recipe: ClassVar[bool] = True  # whether the recipe makes sense of it
    cross_fitted: ClassVar[bool] = False  # whether rows of its own training part must be told to it to be judged fairly

    def __init__(self, *, recipe: bool = False, smoothing: int = SMOOTHING, seed: int = 0):
        self.recipe, self.smoothing, self.seed = recipe, smoothing, seed
        self.recipe_: Recipe | None = None

    @property
    def margin(self) -> int:
        """Rows on each side of a row that its score depends on."""
        return 2 * self.window + 2 * self.smoothing + REACH

    @property
    def least_rows(self) -> int:
        """Training rows below which `fit` refuses."""
        return self.window

    def fit(self, values: NDArray[np.float32]) -> Self:
        """Learns on training values (T, C). Errors: InputError for another shape, or too few rows."""
        values = checked(values)
        if len(values) < self.least_rows:
            raise InputError(
                f"The training part has {len(values):,} rows; {self.words()} needs at least {self.least_rows:,}. "
                "Train on a longer part, or choose another detector."
            )
        self.scaler_ = Scaler.fit(values, CLIP)
        self.rows_ = len(values)
        scaled = self.scaler_.bridged(values)
        self._learn(values, scaled)
        self.training_ = self._present(self._training(values, scaled), values)
        if self.recipe:
            self.recipe_ = Recipe.fit(_table(self.training_), self.smoothing)
        return self

    def score(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score (T,) of each row of values (T, C). Errors: InputError for other channels, or fewer rows than a window."""
        return self.level(self.measure(values))

    def decision_function(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """The same as `score`, by its name in scikit-learn and PyOD."""
        return self.score(values)

    def shares(self, values: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Part (T, C) of each channel in the score, rows add up to 1; None where the method cannot tell."""
        return self.shares_of(self.measure(values))

    def measure(self, values: NDArray[np.float32], first: int = 0, own: tuple[int, int] | None = None) -> Measured:
        """What it sees in values (T, C), which begin at row `first` of their series.

        own: the rows, counted from the first of `values`, at which its training part lies, where the series holds it.
        """
        values = checked(values)
        if values.shape[1] != len(self.scaler_.centre):
            raise InputError(
                f"{self.words(True)} was fitted on {len(self.scaler_.centre)} channels; these values have {values.shape[1]}."
            )
        if len(values) < self.window:
            raise InputError(
                f"The series has {len(values):,} rows; {self.words()} needs at least {self.window:,}. Give a longer series."
            )
        return self._present(self._measure(values, self.scaler_.bridged(values), first, own), values)

    def level(self, found: Measured) -> NDArray[np.float64]:
        """The score (T,) of what was measured: smoothed, or through the recipe."""
        if self.recipe_ is not None:
            return self.recipe_.level(_table(found))
        return smooth(found.score, self.smoothing) if self.smooths else found.score

    def shares_of(self, found: Measured) -> NDArray[np.float32] | None:
        """Channel shares (T, C) of what was measured, as `shares`."""
        if found.errors is None:
            return None
        errors = found.errors if self.recipe_ is None else self.recipe_.compress(found.errors)
        near = smooth(errors, self.smoothing)
        total = near.sum(axis=1, keepdims=True)
        equal = np.full_like(near, 1.0 / near.shape[1])
        return np.divide(near, total, out=equal, where=total > TINY).astype(np.float32)

    @classmethod
    def words(cls, start: bool = False) -> str:
        """The method in the middle of a sentence, or at its start."""
        text = (cls.__doc__ or cls.__name__).split(":")[0].split(".")[0]
        return text if start else text[0].lower() + text[1:] if not text[:2].isupper() else text

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What was learned, as named arrays; with `facts` all that `restore` needs."""
        found = {f"own.{name}": array for name, array in self._arrays().items()}
        if self.recipe_ is not None:
            found |= {"recipe.quantile": self.recipe_.quantile, "recipe.means": self.recipe_.means}
        return found

    def facts(self) -> dict[str, Any]:
        """What was learned that is no array, as plain JSON."""
        found = {"rows": self.rows_, **self._facts()}
        return found if self.recipe_ is None else found | {"compression": self.recipe_.compression}

    def restore(self, scaler: Scaler, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> Self:
        """Takes back what `arrays` and `facts` gave. Errors: CheckpointError where they do not fit."""
        try:
            self.scaler_, self.rows_ = scaler, int(facts["rows"])
            self._restore({name[4:]: array for name, array in arrays.items() if name.startswith("own.")}, facts)
            if self.recipe:
                quantile, means = arrays["recipe.quantile"], arrays["recipe.means"]
                if quantile.ndim != 1 or means.shape != (2,):
                    raise ValueError("the recipe's arrays have another shape")
                self.recipe_ = self._recipe(quantile, means, facts)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise CheckpointError(f"What {self.words()} had learned does not fit ({error}). Fit it again.") from error
        return self

    def _recipe(self, quantile: NDArray[Any], means: NDArray[Any], facts: Mapping[str, Any]) -> Recipe:
        """The recipe that was stored; one that does not say its compression is older than there was a choice."""
        compression = compression_of(facts.get("compression", "log1p"))
        return Recipe(quantile, widths_of(self.smoothing), means, compression)

    def _present(self, found: Measured, values: NDArray[np.float32]) -> Measured:
        """Errors of missing cells set to 0, and the score of rows without any value."""
        if not self.smooths:
            return found
        present = np.isfinite(values)
        if present.all():
            return found
        if found.errors is None:
            return Measured(np.where(present.any(axis=1), found.score, 0.0), None, found.expected, found.views)
        errors = found.errors * present
        return Measured(self._joined(errors, found.score, present), errors, found.expected, found.views)

    def _joined(
        self, errors: NDArray[np.floating], score: NDArray[np.float64], present: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """The score of rows with missing cells, from the errors that are left."""
        return errors.mean(axis=1, dtype=np.float64)

    def _training(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> Measured:
        """What it sees in its own training rows."""
        return self._measure(values, scaled, 0, (0, len(values)) if self.cross_fitted else None)

    @abstractmethod
    def _learn(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        """Learns on training values (T, C), NaN = missing, and the same scaled, finite."""

    @abstractmethod
    def _measure(
        self, values: NDArray[np.float32], scaled: NDArray[np.float32], first: int, own: tuple[int, int] | None
    ) -> Measured:
        """As `measure`, on values (T, C) and the same scaled, finite."""

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {}

    def _facts(self) -> dict[str, Any]:
        return {}

    def _restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        """Takes back the own arrays and facts; nothing where there are none."""
        del arrays, facts


def with_recipe(
    training: ArrayLike, errors: ArrayLike, smoothing: int = SMOOTHING
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores (n,) and (T,) that AMAD's score recipe makes of any method's training and test errors (n, C) and (T, C).

    A method that only has one score a row, (n,) and (T,), is taken as one channel. Learned on the training errors
    alone, which must not be those of rows compared with themselves. Errors: InputError for errors that are negative,
    not finite, or of other shapes.
    """
    learn, test = (np.asarray(part, dtype=np.float64) for part in (training, errors))
    if learn.ndim != test.ndim or learn.ndim not in (1, 2) or learn.shape[1:] != test.shape[1:]:
        raise InputError(
            f"Errors have shapes {learn.shape} and {test.shape}. Give (n, C) and (T, C), or (n,) and (T,)."
        )
    for part in (learn, test):
        if not np.isfinite(part).all() or (part < 0).any():
            raise InputError("The recipe takes errors that are finite and not negative. Square them first.")
    if learn.ndim == 1:
        learn, test = learn[:, None], test[:, None]
    recipe = Recipe.fit(learn, smoothing)
    return recipe.level(learn), recipe.level(test)


def checked(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values as (T, C) float32. Errors: InputError for anything else."""
    values = np.asarray(values, dtype=np.float32)
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(f"Values have shape {values.shape}. Give (rows, channels), both at least 1.")
    return values


def cover_mean(found: NDArray[np.floating], starts: NDArray[np.int64], length: int, rows: int) -> NDArray[np.float64]:
    """Mean over the windows that cover each of `rows` rows: found (n,) or (n, C), one value a window; (rows,) or (rows, C).

    Windows of `length` rows begin at `starts`, which leave no row uncovered.
    """
    total = np.zeros((rows + 1, *found.shape[1:]))
    covers = np.zeros(rows + 1)
    np.add.at(total, starts, found)
    np.subtract.at(total, starts + length, found)
    np.add.at(covers, starts, 1.0)
    np.subtract.at(covers, starts + length, 1.0)
    count = np.cumsum(covers)[:-1].reshape(-1, *[1] * (found.ndim - 1))
    return np.maximum(np.cumsum(total, axis=0)[:-1] / np.maximum(count, 1.0), 0.0)


def _table(found: Measured) -> NDArray[np.floating]:
    """Errors (T, C), or the score as one channel (T, 1)."""
    return found.score[:, None] if found.errors is None else found.errors
