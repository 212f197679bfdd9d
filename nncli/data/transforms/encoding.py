"""Encodings: categories as inputs of a network, fitted on the counts of the training rows."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np

from nncli.data.transforms.column_error import ColumnError
from nncli.data.transforms.moments import Array
from nncli.data.transforms.state import Fitted, State, require, validated_state
from nncli.registry import Bounds, Count, Model, kind, register

UNSEEN = -1  # the position of a category without an input of its own


@kind("encoding")
class Encoding(Fitted):
    """Encodes categories: ``position`` maps each to an index, ``apply`` maps the indices to inputs."""

    is_constant = False  # after fit: whether all training rows have the same inputs

    @property
    def refuses_unseen(self) -> bool:
        """Whether an unknown category is an error."""
        raise NotImplementedError(f"{type(self).__name__} has no refuses_unseen")

    def fit(self, counts: Mapping[str, int]) -> None:
        """Fit to the categories of the training rows and their numbers of rows, at least 1 each."""
        raise NotImplementedError(f"{type(self).__name__} has no fit")

    def is_known(self, category: str) -> bool:
        """Whether the category can occur: it is in the training rows, or in the order that is given."""
        raise NotImplementedError(f"{type(self).__name__} has no is_known")

    def position(self, category: str) -> int:
        """The index of a category; ``UNSEEN`` for one without its own input."""
        raise NotImplementedError(f"{type(self).__name__} has no position")

    def names(self, column: str) -> list[str]:
        """The names of the inputs."""
        raise NotImplementedError(f"{type(self).__name__} has no names")

    def apply(self, positions: Array, out: Array) -> None:
        """Write the inputs (N, k) of positions (N,) to ``out``."""
        raise NotImplementedError(f"{type(self).__name__} has no apply")

    def fix(self, category: str) -> str:
        """Why a category is refused, with what to write."""
        raise NotImplementedError(f"{type(self).__name__} has no fix")


class OneHotState(Model):
    """The state of a one-hot encoding.

    Args:
        categories: those with an input of their own, sorted.
        rare: those that share one, sorted.
    """

    categories: list[str]
    rare: list[str]


@register("one_hot")
class OneHot(Encoding):
    """One-hot encoding: one input per category of the training rows, in alphabetical order.

        y_k = 1 if x is the category k, else 0
        y_K = 1 if x is a category of fewer than r training rows, else 0       with rare, if there are any

    Two categories have two inputs, so that an unseen one differs from both; a column of true and false has one.

    Args:
        rare (r): the number of training rows below which categories share one input; none do by default.
        unseen: what a category that is in no training row is. zeros: 0 in all inputs. error: an error. rare: like a
            rare category, zeros if there is none. Default: rare if ``rare`` is given, else zeros.

    Source: scikit-learn's OneHotEncoder, with min_frequency and handle_unknown.
    """

    def __init__(
        self,
        rare: Count | None = None,
        unseen: Annotated[Literal["zeros", "error", "rare"], Bounds("zeros")] | None = None,
    ) -> None:
        if unseen == "rare" and not rare:
            raise ColumnError("unseen: rare needs categories that are rare; write {type: one_hot, rare: 10}", "unseen")
        self.limit = rare or 1
        self.unseen = unseen or ("rare" if rare else "zeros")
        self.take([], [])

    @property
    def refuses_unseen(self) -> bool:
        """True with ``unseen: error``, after ``fit``."""
        return self.unseen == "error" and bool(self.positions)

    def take(self, categories: list[str], rare: list[str]) -> None:
        """Number the categories; the rare ones are all K, the last."""
        self.categories, self.rare = categories, rare
        self.positions = {category: index for index, category in enumerate(categories)}
        self.positions |= dict.fromkeys(rare, len(categories))

    def fit(self, counts: Mapping[str, int]) -> None:
        """Sort the categories; those of fewer than r rows are rare."""
        self.take(
            sorted(category for category, count in counts.items() if count >= self.limit),
            sorted(category for category, count in counts.items() if count < self.limit),
        )
        self.is_constant = len(self.names("")) <= 1

    def is_known(self, category: str) -> bool:
        """Whether it is in the training rows."""
        return category in self.positions

    def position(self, category: str) -> int:
        """The input that is 1, by the alphabet."""
        as_rare = len(self.categories) if self.unseen == "rare" and self.rare else UNSEEN
        return self.positions.get(category, as_rare)

    def names(self, column: str) -> list[str]:
        """``color=red``, ``color=blue``, ... and ``color_rare``."""
        return [*(f"{column}={category}" for category in self.categories), *([f"{column}_rare"] if self.rare else [])]

    def apply(self, positions: Array, out: Array) -> None:
        """y_k = 1."""
        out[:] = 0
        rows = np.flatnonzero(positions != UNSEEN)
        out[rows, positions[rows]] = 1

    def fix(self, category: str) -> str:
        """The categories of the training rows are all that there may be."""
        return "is in no training row; correct it, or train with unseen: zeros, or with rows that have it"

    def state(self) -> State:
        """The categories, and the rare ones."""
        return {"categories": self.categories, "rare": self.rare}

    def restore(self, state: State) -> None:
        """Restore the categories, and the rare ones."""
        restored = validated_state(state, OneHotState)
        for key, names in (("categories", restored.categories), ("rare", restored.rare)):
            require(all(a < b for a, b in pairwise(names)), key, "not sorted, or a category occurs twice")
        require(not {*restored.categories} & {*restored.rare}, "rare", "has a category that is in categories")
        self.take(restored.categories, restored.rare)


@register("ordinal")
class Ordinal(Encoding):
    """Ordinal encoding: categories at equal distances from 0 to 1, for those that have an order.

        y = k / (K − 1)                           x is the category k = 0, 1, … K − 1 of the order

    Any other category is an error.

    Args:
        order: all K categories, from the lowest to the highest.

    Source: scikit-learn's OrdinalEncoder, whose numbers are not scaled.
    """

    def __init__(self, order: Annotated[list[str], Bounds(["low", "high"], min_length=2)]) -> None:
        self.order = order
        self.positions = {category: index for index, category in enumerate(order)}
        if len(self.positions) < len(order):
            twice = next(each for each in order if order.count(each) > 1)
            raise ColumnError(f"order has {twice!r} twice; write each category once", "order")

    @property
    def refuses_unseen(self) -> bool:
        """Always."""
        return True

    def fit(self, counts: Mapping[str, int]) -> None:
        """Check whether the training rows have more than one category; the order is given."""
        self.is_constant = len(counts) <= 1

    def is_known(self, category: str) -> bool:
        """Whether it is in the order."""
        return category in self.positions

    def position(self, category: str) -> int:
        """k."""
        return self.positions.get(category, UNSEEN)

    def names(self, column: str) -> list[str]:
        """The column alone."""
        return [column]

    def apply(self, positions: Array, out: Array) -> None:
        """y = k / (K − 1)."""
        out[:, 0] = positions / (len(self.order) - 1)

    def fix(self, category: str) -> str:
        """The order lists all that there may be."""
        return f"is not in order: [{', '.join(self.order)}]; correct it, or train with it there"
