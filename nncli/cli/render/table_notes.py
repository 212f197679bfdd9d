"""Notes on the rows of a table that were predicted: ignored columns, replaced values, and unusual values."""

from collections.abc import Iterator, Sequence
from math import nan
from typing import TYPE_CHECKING

from nncli.config.diagnostics import counted, sanitized_line

if TYPE_CHECKING:
    from nncli.data.columns import Column
    from nncli.inference.table_rows import CountedValues, TableRows

MAX_LISTED = 5


def notes(rows: "TableRows") -> Iterator[str]:
    """One sentence on ignored columns, one on missing values, and one for each column with unusual values.

    Unusual values are categories that no training row has, and numbers far outside of the training range.
    """
    if rows.ignored:
        yield f"{rows.file.name}: not used: {_listed(rows.ignored)}"
    if rows.replaced:
        texts = [f"{name} {found.count:,} (first in line {found.line})" for name, found in rows.replaced.items()]
        yield f"{rows.file.name}: missing values were replaced: {_listed(texts)}"
    for name, counts in rows.unseen.items():
        texts = [
            f"{text!r} ({counted(found.count, 'row')}, first in line {found.line})" for text, found in counts.items()
        ]
        listed = _listed(texts, is_complete=rows.counts_all_unseen(name))
        yield f"{rows.file.name}: column {name} has categories that no training row has: {listed}"
    for name, values in rows.out_of_range.items():
        yield f"{rows.file.name}: column {name} has {_out_of_range(rows.preprocessing.columns[name], values)}"


def _out_of_range(column: "Column", found: "CountedValues") -> str:
    """``2 values far outside of the training range 1 to 5: 150 in line 3, 170 in line 7``."""
    smallest, largest = column.training_range or (nan, nan)
    texts = [f"{value:g} in line {line}" for line, value in found.first]
    outside = f"{counted(found.count, 'value')} far outside of the training range {smallest:g} to {largest:g}"
    return f"{outside}: {_listed(texts, found.count)}"


def _listed(texts: Sequence[str], count: int = 0, is_complete: bool = True) -> str:
    """The first texts, and how many more there are.

    Args:
        texts: some or all of the texts.
        count: the number of all texts, if only some are given.
        is_complete: whether this number is known, or may be larger.
    """
    more = max(count, len(texts)) - MAX_LISTED
    least = "" if is_complete else "at least "
    return sanitized_line(", ".join(texts[:MAX_LISTED])) + (f" and {least}{more:,} more" if more > 0 else "")
