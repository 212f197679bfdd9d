"""Type inference: the type of a column that the config does not state, from all of its rows."""

from collections.abc import Iterator
from functools import cached_property
from math import isnan, nan
from typing import Any

import numpy as np

from nncli.data.columns.blocks import CompactBlocks, MakeBlocks, MemoryBlocks
from nncli.data.columns.boolean import WORDS, Boolean
from nncli.data.columns.category import Vocabulary
from nncli.data.columns.column import MISSING, known_texts, with_missing
from nncli.data.columns.date import Date, date_text
from nncli.data.columns.decimals import first_with_leading_zero, plain_numbers
from nncli.data.columns.inferred import (
    MAX_CATEGORIES,
    Inferred,
    Mixture,
    TextColumn,
    missing_text,
    type_of_texts,
    without_values,
)
from nncli.data.columns.number import Number, without_sentinels
from nncli.data.transforms.moments import Array

MAX_CHARACTERS = 10_000_000  # of all different texts of a column
EXACT_INTEGERS = 2.0**53
NUMBER, DATE, CATEGORY = TYPES = ("number", "date", "category")


class Inference:
    """Infers the type of a column from all blocks of its rows, and keeps the values.

    The type is number while all values are numbers, else date while all are dates, else category. If a block has
    another type than the earlier ones, ``contradiction`` has the first such value, and further blocks are ignored. The
    rows then have to be read again as texts, by an inference with this ``contradiction``. A table is therefore read at
    most twice.

    Args:
        name: the name of the column in messages.
        missing: the texts of missing values.
        contradiction: that of an earlier inference.
        is_label: whether the column is a target, in which true and false are class names.
        blocks: makes the storage of the values.
    """

    def __init__(
        self,
        name: str,
        missing: frozenset[str],
        contradiction: Mixture | None = None,
        is_label: bool = False,
        blocks: MakeBlocks = MemoryBlocks,
    ) -> None:
        self.name, self.missing, self.is_label = name, missing, is_label
        self.contradiction: Mixture | None = None
        self.mixture = contradiction  # the first value that differs from earlier ones
        self.type = CATEGORY if contradiction else NUMBER
        self.rows = self.known = 0  # rows, and those with a value
        self.vocabulary = Vocabulary(MAX_CATEGORIES)
        self._date, self._characters = Date(), 0
        self.blocks = CompactBlocks(blocks())

    @property
    def needs_texts(self) -> bool:
        """Whether the next block must be texts, since the values so far are not numbers."""
        return self.type != NUMBER

    def feed(self, block: Any) -> None:
        """Process the next rows.

        Args:
            block: a list of N texts without white space around them; or float64 (N,), NaN where missing, of numbers
                that were written without leading zeros.

        Raises:
            ValueError: rows that are read again are not texts.
        """
        if self.contradiction:
            return
        if not isinstance(block, np.ndarray):
            self._feed_texts(block)
        elif self.needs_texts and not self.known:
            raise ValueError(f"column {self.name} is read again: blocks have to be texts")
        elif self.needs_texts:
            self.contradiction = Mixture(f"{block[0]:g}", self.rows + 1, self.known, self.type)
        else:
            values = without_sentinels(block, self.missing)
            self._keep(values, int(np.count_nonzero(~np.isnan(values))))

    def _feed_texts(self, texts: list[str]) -> None:
        """Keep the values as the first type that fits all texts; after earlier values only their type is tried."""
        known, is_known = known_texts(texts, self.missing)
        for type_ in [self.type] if self.known else TYPES[TYPES.index(self.type) :]:
            values = self._values(known, type_)
            if values is not None:
                self.type = type_ if known else self.type
                self._keep(with_missing(values, is_known), int(len(known) - np.count_nonzero(np.isnan(values))))
                return
            index = self._first_not(known, type_)
            if self.known or index:
                row = index if is_known is None else int(np.flatnonzero(is_known)[index])
                self.mixture = Mixture(known[index], self.rows + row + 1, self.known + index, type_)
        self.contradiction = self.mixture

    def _values(self, known: list[str], type_: str) -> Array | None:
        """The values (N,) of texts that all have a type; None if one does not."""
        if type_ == NUMBER:
            numbers = plain_numbers(known)
            has_zero = numbers is not None and first_with_leading_zero(known) is not None
            return None if numbers is None or has_zero else without_sentinels(numbers, self.missing)
        if type_ == DATE:
            is_text = bool(known) and isnan(self._date.value(known[0]))  # the first value rules out most columns
            dates = np.zeros(0) if is_text else self._date.read(known, frozenset())
            return None if is_text or np.isnan(dates).any() else dates
        return self._codes(known)

    def _first_not(self, known: list[str], type_: str) -> int:
        """The index of the first text that does not have a type."""
        return next(index for index, text in enumerate(known) if self._values([text], type_) is None)

    def _codes(self, texts: list[str]) -> Array:
        """The codes (N,) of texts; at the limits of a category the vocabulary stops growing."""
        before = len(self.vocabulary.texts)
        codes = self.vocabulary.codes(texts, frozenset())
        self._characters += sum(map(len, self.vocabulary.texts[before:]))
        if self._characters > MAX_CHARACTERS:
            self.vocabulary.limit = 0
        return codes

    def _keep(self, values: Array, known: int) -> None:
        self.blocks.append(values)
        self.rows += len(values)
        self.known += known

    @cached_property
    def result(self) -> Inferred:
        """The type of the column, after the last block.

        Raises:
            ValueError: a block has another type than earlier ones; the rows have to be read again.
        """
        if self.contradiction:
            raise ValueError(f"column {self.name} has to be read again, as texts")
        if self.type == CATEGORY:
            codes = [_as_codes(block) for block in self.blocks]
            return type_of_texts(TextColumn(self.name, self.vocabulary, self.known, codes, self.mixture, self.is_label))
        if not self.known:
            return without_values(self.name, self.rows)
        column, shown = (Number(), "{:.6g}".format) if self.type == NUMBER else (Date(), date_text)
        smallest, largest = self._extremes()
        reason = f"all {self.known:,} values are {self.type}s, {shown(smallest)} to {shown(largest)}"
        if self.known == 1:
            reason = f"the only value is a {self.type}, {shown(largest)}"
        if self.type == NUMBER and max(-smallest, largest) >= EXACT_INTEGERS:
            reason += "; integers beyond 2^53 are rounded to 16 digits"
        return Inferred(self.type, column, reason + missing_text(self.rows - self.known))

    def _extremes(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        known = [block[~np.isnan(block)] for block in self.blocks]
        extremes = [(block.min(), block.max()) for block in known if len(block)]
        smallest, largest = np.array(extremes, np.float64).T
        return float(smallest.min()), float(largest.max())

    def take_blocks(self) -> Iterator[Array]:
        """Yield the values for the column of ``result``, block by block, and release their memory."""
        column = self.result.column
        truth = np.array([*(WORDS.get(text.lower(), nan) for text in self.vocabulary.texts), nan])
        for block in self.blocks.drain():
            if self.type != CATEGORY:
                yield block.astype(np.float64)
            else:
                codes = _as_codes(block).astype(np.int32)
                yield truth[codes] if isinstance(column, Boolean) else codes


def _as_codes(block: Array) -> Array:
    """The codes of a block; a block before the first value has only NaN, which becomes −1."""
    return block if block.dtype.kind in "iu" else np.full(len(block), MISSING, np.int16)
