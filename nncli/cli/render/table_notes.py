"""What is to be known of the rows of a file that were predicted: columns that are not used, and new categories."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nncli.config.diagnostics import counted, sanitized_line

if TYPE_CHECKING:
    from nncli.inference.table_rows import TableRows

MAX_LISTED = 5


def notes(rows: "TableRows") -> Iterator[str]:
    """A sentence for the columns that are not used, and one for each column with categories no training row has."""
    if rows.ignored:
        yield f"{rows.file.name}: not used: {_listed(rows.ignored)}"
    for name, counts in rows.unseen.items():
        texts = [f"{text!r} ({counted(count, 'row')})" for text, count in counts.items()]
        yield f"{rows.file.name}: column {name} has categories that no training row has: {_listed(texts)}"


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - MAX_LISTED:,} more" if len(texts) > MAX_LISTED else ""
    return sanitized_line(", ".join(texts[:MAX_LISTED])) + more
