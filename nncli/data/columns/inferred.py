"""The type of a column that is neither all numbers nor all dates: boolean, category or text, with the reason."""

from collections.abc import Sequence
from functools import partial
from math import isfinite, isnan
from typing import NamedTuple

import numpy as np

from nncli.config.diagnostics import shown
from nncli.config.yaml_output import to_yaml_value
from nncli.data.columns.boolean import PAIRS, Boolean
from nncli.data.columns.category import MAX_CATEGORIES as LIMIT
from nncli.data.columns.category import Category, Vocabulary
from nncli.data.columns.column import Column
from nncli.data.columns.date import Date, other_format
from nncli.data.columns.decimals import first_with_leading_zero
from nncli.data.columns.number_errors import fix_of_number, is_number
from nncli.data.transforms.moments import Array

MAX_CATEGORIES = 1000  # a column with more different texts is free text
FEW = 20  # up to this number of different texts are categories for any number of rows
MAX_FRACTION = 0.5  # the largest number of categories as a fraction of the values
NEARLY_ALL = 0.9  # if more than this fraction are numbers or dates, the other values are mistakes
SAMPLE = 100  # different texts that are searched for mistakes
FEWEST_ALIKE = 2  # fewer different numbers or dates among categories give no warning
MIN_BEFORE_MIXTURE = 10  # values of one type before the first one of another; with fewer it is not reported


class Mixture(NamedTuple):
    """The first value of another type than all values before it.

    Args:
        text: the value.
        row: its row; the first is 1.
        before: the number of values before it.
        type: what those are: number, date or category.
    """

    text: str
    row: int
    before: int
    type: str


class Inferred(NamedTuple):
    """The type of a column.

    Args:
        type: number, date, boolean, category or text.
        column: the column with its defaults; None for text, which has to be ignored or configured.
        reason: why, as text; for the type text with the fix.
        row: the row of the value that ``reason`` or ``warning`` shows; the first is 1.
        warning: why categories may be meant as numbers or dates, with the fix; empty if they are not.
    """

    type: str
    column: Column | None
    reason: str
    row: int | None = None
    warning: str = ""

    def __str__(self) -> str:
        return f"{self.type}: {self.reason}"


class TextColumn(NamedTuple):
    """The texts of a column.

    Args:
        name: the name of the column.
        vocabulary: the different texts, up to its limit.
        known: the number of rows with a value.
        codes: the codes of the rows in blocks, −1 where missing.
        mixture: the first value of another type than the earlier ones; None if there is none.
        is_label: whether the column is a target, in which true and false are class names.
    """

    name: str
    vocabulary: Vocabulary
    known: int
    codes: Sequence[Array]
    mixture: Mixture | None
    is_label: bool = False

    @property
    def texts(self) -> list[str]:
        """The different texts, in the order of first appearance."""
        return self.vocabulary.texts

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(map(len, self.codes))

    @property
    def is_complete(self) -> bool:
        """Whether the vocabulary has all texts, so that each row with a value has a code."""
        return sum(int(np.count_nonzero(block >= 0)) for block in self.codes) == self.known

    def counts(self) -> Array:
        """The number of rows of each text (V,)."""
        size = len(self.texts) + 1
        return sum((np.bincount(block.astype(np.int64) + 1, minlength=size)[1:] for block in self.codes), np.zeros(1))

    def first_row(self, code: int) -> int:
        """The row in which a text first appears; the first is 1."""
        row = 1
        for block in self.codes:
            found = np.flatnonzero(block == code)
            if len(found):
                return row + int(found[0])
            row += len(block)
        raise ValueError(f"no row has the code {code}")


def type_of_texts(column: TextColumn) -> Inferred:
    """The type of a column that is neither all numbers nor all dates."""
    if column.is_complete:
        return (
            (not column.is_label and _boolean(column))
            or _mistakes(column)
            or _categories(column)
            or _unsupported_format(column)
            or _text(column)
        )
    return _unsupported_format(column) or _text(column)


def without_values(name: str, rows: int) -> Inferred:
    """The type of a column in which every value is missing."""
    return Inferred("text", None, f"no value in {rows:,} rows; write ignore: {to_yaml_value([name])}")


def missing_text(missing: int) -> str:
    """The number of missing values as the end of a reason."""
    return f"; {missing:,} missing" if missing else ""


def _boolean(column: TextColumn) -> Inferred | None:
    """A boolean column, if all texts are of one pair such as yes and no."""
    words = {text.lower() for text in column.texts}
    for pair in PAIRS:
        if words <= {*pair}:
            reason = f"all {column.known:,} values are {' or '.join(word for word in pair if word in words)}"
            return Inferred("boolean", Boolean(), reason + missing_text(column.rows - column.known))
    return None


def _mistakes(column: TextColumn) -> Inferred | None:
    """A text column, if nearly all values are numbers or dates; the user has to correct or configure it."""
    counts = column.counts()
    for name, is_one in (("numbers", _is_finite), ("dates", _is_date)):
        matches = np.array([is_one(text) for text in column.texts])
        number = int(counts[matches].sum())
        if NEARLY_ALL * column.known < number < column.known:
            code = int(np.flatnonzero(~matches)[0])
            text, row = column.texts[code], column.first_row(code)
            reason = f"{number:,} of {column.known:,} values are {name}, but not {shown(text)} in row {row:,}"
            fix = f"correct it, {_or_configure(column, 'add it to missing_values')}"
            return Inferred("text", None, f"{reason}; {fix}", row)
    return None


def _is_finite(text: str) -> bool:
    return is_number(text) and isfinite(float(text))


def _unsupported_format(column: TextColumn) -> Inferred | None:
    """A text column, if its values are numbers or dates in a format that nncli does not read."""
    sample = column.texts[:SAMPLE]
    fixes = {text: fix for text in sample if (fix := fix_of_number(text))}
    if fixes and len(fixes) + sum(map(is_number, sample)) > NEARLY_ALL * len(sample):
        text, fix = next(iter(fixes.items()))
        row = column.first_row(column.texts.index(text))
        reason = f"{shown(text)} in row {row:,} is not a number; {fix}, {_or_configure(column)}"
        return Inferred("text", None, reason, row)
    formats = {other_format(text) for text in sample}
    if len(formats) == 1 and None not in formats:
        first, row = sample[0], column.first_row(0)
        fix = f"{_fix_of_date(column, first)}, or ignore the column"
        reason = f"{shown(first)} in row {row:,} may be a date, but not in the form 2024-03-31; {fix}"
        return Inferred("text", None, reason, row)
    return None


def _categories(column: TextColumn) -> Inferred | None:
    """A category column, if there are few different texts."""
    different = len(column.texts)
    if different > FEW and different > MAX_FRACTION * column.known:
        return None
    category = Category()
    column.vocabulary.limit = LIMIT
    category.vocabulary = column.vocabulary
    zeros = _leading_zero(column)
    reason = f"{different:,} different texts in {column.rows:,} rows"
    reason = f"numbers with leading zeros such as {zeros}; {reason}" if zeros else reason
    row, warning = _format_warning(column)
    return Inferred("category", category, reason + missing_text(column.rows - column.known), row, warning)


def _format_warning(column: TextColumn) -> tuple[int | None, str]:
    """The first row with a category that may be meant as a number or date, and the fix; None and "" if there is none.

    All texts but one must be numbers or dates in any format; the other one may stand for missing values.
    """
    texts = column.texts
    if first_with_leading_zero(list(filter(is_number, texts))):
        return None, ""
    for name, is_one, fix_of in (
        ("a number", is_number, _fix_of_number),
        ("an ISO date", _is_date, partial(_fix_of_date, column)),
    ):
        others = [text for text in texts if not is_one(text)]
        sample = others[:SAMPLE]
        fixes = {text: fix for text in sample if (fix := fix_of(text))}
        alike = len(texts) - len(others) + len(fixes)
        units = {_letters(text) for text in fixes} - {""}
        if others and len(sample) - len(fixes) <= 1 and alike >= FEWEST_ALIKE and len(units) <= 1:
            text = next(iter(fixes), others[0])
            fix = fixes.get(text, "correct it, or add it to missing_values")
            return column.first_row(column.vocabulary[text]), f"{shown(text)} is not {name}; {fix}"
    return None, ""


def _fix_of_number(text: str) -> str | None:
    return None if text.startswith("#") else fix_of_number(text)  # colors such as #A0B1C2 look like spreadsheet errors


def _is_date(text: str) -> bool:
    return not isnan(Date().value(text))


def _fix_of_date(column: TextColumn, text: str) -> str | None:
    format_ = other_format(text)
    return f"write columns: {to_yaml_value(column.name)}: {{type: date, {format_}}}" if format_ else None


def _letters(text: str) -> str:
    """The letters of a text, such as those of a unit."""
    return "".join(filter(str.isalpha, text))


def _leading_zero(column: TextColumn) -> str | None:
    """The first number with leading zeros, if all texts are numbers."""
    return first_with_leading_zero(column.texts) if all(map(is_number, column.texts)) else None


def _text(column: TextColumn) -> Inferred:
    """A text column: it has too many different texts."""
    different = f"{len(column.texts):,}" if column.is_complete else f"more than {len(column.texts):,}"
    reason = f"{different} different texts in {column.rows:,} rows"
    mixture = column.mixture
    if mixture and mixture.before >= MIN_BEFORE_MIXTURE and mixture.type != "category":
        reason += f"; the first {mixture.before:,} values are {mixture.type}s, but not "
        reason += f"{shown(mixture.text)} in row {mixture.row:,}; correct it, add it to missing_values, or"
        return Inferred("text", None, f"{reason} {_or_configure(column)}", mixture.row)
    return Inferred("text", None, f"{reason}; {_or_configure(column)}")


def _or_configure(column: TextColumn, before: str = "") -> str:
    """The fix for a column of text: ignore it, or make it a category."""
    ignore, columns = to_yaml_value([column.name]), to_yaml_value({column.name: "category"})
    return f"{before}{', ' if before else ''}write ignore: {ignore} or columns: {columns}"
