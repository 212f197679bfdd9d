"""Category columns."""

from typing import Any

import numpy as np

from nncli.config.diagnostics import shown
from nncli.data.columns.column import MISSING, CellProblem, Column
from nncli.data.columns.summary import Summary, summary_of_categories
from nncli.data.transforms.column_error import ColumnError
from nncli.data.transforms.encoding import UNSEEN, Encoding, OneHot, Ordinal
from nncli.data.transforms.imputation import Imputation
from nncli.data.transforms.moments import Array
from nncli.data.transforms.state import State, nested, validated_state
from nncli.registry import Model, register

MAX_CATEGORIES = 100_000


class Vocabulary(dict[str, int]):
    """Integer codes 0, 1, ... of texts, in the order of first appearance; ``MISSING`` for new texts beyond ``limit``.

    A block is encoded by one C function call per text.
    """

    def __init__(self, limit: int = MAX_CATEGORIES) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.limit = limit

    def __missing__(self, text: str) -> int:
        if len(self.texts) >= self.limit:
            return MISSING
        code = self[text] = len(self.texts)
        self.texts.append(text)
        return code

    def codes(self, texts: list[str], missing: frozenset[str]) -> Array:
        """The codes (N,) of texts, ``MISSING`` for those in ``missing``."""
        for text in missing:
            self.setdefault(text, MISSING)
        return np.fromiter(map(self.__getitem__, texts), np.int32, len(texts))


class CategoryState(Model):
    """The state of a category column.

    Args:
        encoding: the state of the encoding.
        fill: the category for missing values; None if there is none.
        constant: whether the inputs of all training rows are equal.
    """

    encoding: dict[str, Any]
    fill: str | None
    constant: bool


@register("category")
class Category(Column):
    """Categories: each different text is one category; numbers are texts too, so that 1 and 1.0 are two categories.

        y = encoding(x)

    Upper and lower case differ. Values are int32 codes (N,), indices of the column's vocabulary in the order of first
    appearance, −1 where missing; inputs do not depend on that order.

    Args:
        encoding: how categories become inputs; default: one_hot.

    Source: Kinsley and Kukieła 2020, chapter 5, on one-hot vectors.
    """

    has_order = False

    def __init__(self, encoding: Encoding | None = None, missing: Imputation | None = None) -> None:
        super().__init__(missing)
        self.encoding = encoding or OneHot()
        value = getattr(missing, "value", None)
        if isinstance(self.encoding, Ordinal) and value is not None and not self.encoding.is_known(value):
            raise ColumnError(f"{shown(value)} {self.encoding.fix(value)}", "missing")
        self.clear_vocabulary()

    @property
    def texts(self) -> list[str]:
        """The texts of the codes 0, 1, ..."""
        return self.vocabulary.texts

    def clear_vocabulary(self) -> None:
        """Start a new vocabulary, so that a stream of chunks needs constant memory; earlier codes become invalid."""
        self.vocabulary, self._positions = Vocabulary(), np.zeros(0)

    def read(self, texts: list[str], missing: frozenset[str]) -> Array:
        """The codes; new texts are added to the vocabulary."""
        return self.vocabulary.codes(texts, missing)

    def explain(self, text: str) -> str:
        """Why a text has no code: there are too many categories."""
        fix = "if the column is a text or an identifier, write ignore with its name"
        return f"{shown(text)} is one category too many, after {MAX_CATEGORIES:,} others; {fix}"

    def constant(self, value: float | str | bool) -> str:
        """The category."""
        if not isinstance(value, str):
            raise ColumnError(f"the column holds categories; write value: '{value}' in quotes", "missing")
        return value

    def is_missing(self, values: Array) -> Array:
        """Where the code is −1."""
        missing: Array = values < 0
        return missing

    def fitted_fill(self, known: Array) -> Any:
        """The category that replaces missing values; of equally frequent ones the first in alphabetical order."""
        names = sorted(self.texts)
        ranks = np.empty(len(names))
        ranks[np.array([self.vocabulary[name] for name in names], np.int64)] = np.arange(len(names))
        fill = super().fitted_fill(ranks[known])
        return fill if fill is None or isinstance(fill, str) else names[int(fill)]

    def replaced(self, values: Array, missing: Array) -> Array:
        """The codes, unchanged: ``encode`` replaces −1 by the category for missing values, which may have no code."""
        return values

    def measure(self, values: Array) -> bool:
        """Count the categories, and fit the encoding."""
        missing, *counts = np.bincount(values + 1, minlength=len(self.texts) + 1).tolist()
        found = {text: count for text, count in zip(self.texts, counts, strict=True) if count}
        if missing:
            found[self.fill] = found.get(self.fill, 0) + missing
        self._positions = np.zeros(0)
        self.encoding.fit(found)
        return self.encoding.is_constant

    def encode(self, values: Array, out: Array) -> None:
        """y = encoding(x)."""
        positions = self._positions_of_codes()[values]
        if self.encoding.refuses_unseen and (refused := np.count_nonzero(positions == UNSEEN)):
            raise ValueError(f"{refused} rows have categories without inputs")
        self.encoding.apply(positions, out)

    def _positions_of_codes(self) -> Array:
        """The position of each code (V + 1,); the last one is that of code −1, the category for missing values."""
        if len(self._positions) != len(self.texts) + 1:
            fill = UNSEEN if self.fill is None else self.encoding.position(self.fill)
            self._positions = np.array([*map(self.encoding.position, self.texts), fill], np.int64)
        return self._positions

    def value_names(self, column: str) -> list[str]:
        """The names of the encoding."""
        return self.encoding.names(column)

    def check(self, values: Array) -> list[CellProblem]:
        """The rows with a missing value, and the first row of each category that the encoding rejects."""
        problems = super().check(values)
        if self.encoding.refuses_unseen:
            refused = self.unseen(values)
            problems += [CellProblem(int(rows[0]), text, self._refusal(len(rows))) for text, rows in refused.items()]
            filled = np.flatnonzero(self.is_missing(values))
            if len(filled) and self.fill is not None and not self.encoding.is_known(self.fill):
                problems.append(CellProblem(int(filled[0]), self.fill, self._refusal(len(filled))))
        return sorted(problems, key=lambda problem: problem.row)

    def _refusal(self, rows: int) -> Any:
        in_rows = f" in {rows:,} rows" if rows > 1 else ""
        return lambda text: f"{shown(text)}{in_rows} {self.encoding.fix(text)}"

    def unseen(self, values: Array) -> dict[str, Array]:
        """The categories that the encoding does not know, each with the indices of its rows."""
        is_new = np.array([*(not self.encoding.is_known(text) for text in self.texts), False])
        rows = np.flatnonzero(is_new[values])
        codes = values[rows]
        by_code = np.argsort(codes, kind="stable")
        found, starts = np.unique(codes[by_code], return_index=True)
        groups = np.split(rows[by_code], starts[1:])
        return {self.texts[code]: group for code, group in zip(found.tolist(), groups, strict=False)}

    def summary(self, values: Array) -> Summary:
        """The number of categories, and the most frequent ones."""
        return summary_of_categories(values, self.texts)

    def state(self) -> State:
        """The state of the encoding, and the category for missing values."""
        return {"encoding": self.encoding.state(), "fill": self.fill, "constant": self.is_constant}

    def restore(self, state: State) -> None:
        """Restore the state of the encoding, and the category for missing values."""
        restored = validated_state(state, CategoryState)
        nested(self.encoding, "encoding", restored.encoding)
        self._positions = np.zeros(0)
        self.restore_fill(restored.fill, restored.constant)
