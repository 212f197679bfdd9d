"""Strict reader of CSV and TSV files: rows with another number of fields than the header are errors."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nncli.config.diagnostics import counted, shown
from nncli.data.delimited.control_characters import control_characters
from nncli.data.delimited.delimiter import checked_delimiter, detected_delimiter, quoted
from nncli.data.delimited.header import checked_header, checked_names, first_row
from nncli.data.delimited.problems import FatalProblemError, Problem, Problems, TableError
from nncli.data.delimited.rows import MAX_FIELD, Rows, Text, complete_rows, without_blank_end
from nncli.data.delimited.text_file import TextFile

Array = NDArray[Any]
REUSED = 2**24  # bytes


class Block(NamedTuple):
    """Some rows of a table.

    Args:
        columns: the fields of each column: the values (rows,) as ``float()`` gives them if all of them are plain
            decimals, else texts without quotes and white space around them.
        first_row: the index of the first row in the file.
        lines: the line of the file where each row begins, counted from 1.
    """

    columns: Mapping[int, Array | list[str]]
    first_row: int
    lines: Sequence[int]


class DelimitedFile:
    """A file of delimited text, read strictly and in constant memory.

    Quotes are those of RFC 4180; a line end may be a line feed, a carriage return or both, and is a line feed within
    quotes. Blank lines are skipped, except between the rows of a single column, where they are empty fields. White
    space around fields is removed. A row has at most MAX_ROW bytes, a field MAX_FIELD.

    Args:
        file: a path, or a binary stream, which can be read once.
        encoding: UTF-8 by default, with or without a byte order mark.
        delimiter: a character, ``tab``, or ``whitespace`` for any number of spaces and tabs; by default the one of
            ``, ; tab |`` that gives the same number of fields in every row of the first rows.
        header: the names of the columns of a file without a header.

    Raises:
        TableError: the file is missing or not text, its delimiter is ambiguous, or its header is wrong.
        StorageError: the operating system refuses to read the file.
    """

    def __init__(
        self,
        file: Path | BinaryIO,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        header: Sequence[str] | None = None,
    ) -> None:
        _reuse_freed_memory()
        self._file = TextFile(file, encoding)
        self.name = self._file.name
        self._given_names = None if header is None else checked_names(header)
        given = None if delimiter is None else checked_delimiter(delimiter)
        problems = Problems(self.name)
        with _fatal_problem_among(problems):
            first, texts = self._opened()
            self._unread: Iterator[Text] | None = texts
            problems.add(*control_characters(first))
            if problems.count:  # or else no delimiter would fit
                raise problems.error()
            width = len(self._given_names) if self._given_names else None
            self.delimiter = given or detected_delimiter(first, self.name, width)
            self.header = self._header_of(first)

    @property
    def rereadable(self) -> bool:
        """Whether ``blocks`` can be called more than once: not for a pipe or a stream."""
        return self._file.rereadable

    def blocks(self, texts: Collection[int] = ()) -> Iterator[Block]:
        """Read the rows in blocks of some thousands.

        Args:
            texts: the columns that are always returned as texts, by index; evaluated before each block.

        Raises:
            TableError: rows are damaged (raised after the whole file was read, with all problems), or there are none.
            StorageError: the operating system refuses to read the file.
        """
        problems, row = Problems(self.name), 0
        with _fatal_problem_among(problems):
            for text in self._texts_of_rows():
                rows = Rows(text, self.delimiter)
                if len(self.header) > 1:
                    rows.remove_blank_rows()
                problems.add(*control_characters(text))
                problems.add(*self._misshapen_rows(rows))
                if len(rows) and not problems.count:
                    yield self._block(rows, row, texts)
                row += len(rows)
        if problems.count:
            raise problems.error()
        if not row:
            raise TableError(f"{self.name}: has a header but no rows; write at least one row")

    def _opened(self) -> tuple[Text, Iterator[Text]]:
        """Open the file: its first rows, and all texts below the header."""
        texts = without_blank_end(complete_rows(self._file))
        for content, line in texts:
            if content.strip():
                body = content.lstrip(b" \n")
                first = Text(body, line + content.count(b"\n", 0, len(content) - len(body)))
                rest = first if self._given_names else first_row(first)[1]
                return first, chain([rest] if rest.content else [], texts)
        raise TableError(f"{self.name}: is empty; expected a header and rows")

    def _texts_of_rows(self) -> Iterator[Text]:
        """The texts below the header; the file is opened again for a second pass."""
        unread, self._unread = self._unread, None
        if unread is not None:
            return unread
        if not self.rereadable:
            raise TableError(f"{self.name}: can be read only once; copy it to a file")
        first, texts = self._opened()
        if self._header_of(first) != self.header:
            raise TableError(f"{self.name}: has changed while it was read; start again")
        return texts

    def _header_of(self, first: Text) -> list[str]:
        """The names of the columns: those of the first row, or those that were given."""
        row = first_row(first)[0]
        found = Rows(row, self.delimiter).fields()
        if self._given_names is None:
            return checked_header(found, self.name, row.first_line)
        names = self._given_names
        if len(found) != len(names):
            fields = f"the first row has {counted(len(found), 'field')}, and header: {counted(len(names), 'name')}"
            raise TableError(f"{self.name}:{row.first_line}: {fields}; write one name for each column", "header")
        return names

    def _misshapen_rows(self, rows: Rows) -> tuple[Iterator[Problem], int]:
        """Problems of rows with another number of fields than the header or a field that is too long; their number."""
        width, counts = len(self.header), rows.field_counts
        too_long = np.unique(np.searchsorted(rows.last_fields, np.flatnonzero(rows.field_lengths > MAX_FIELD)))
        wrong = np.flatnonzero(counts != width)
        messages = chain(
            ((row, f"a field has more than {MAX_FIELD:,} bytes; shorten it") for row in too_long.tolist()),
            ((row, self._wrong_count(int(counts[row]), rows.row(row))) for row in wrong.tolist()),
        )
        problems = (Problem(rows.lines[row], 0, message) for row, message in messages)
        return problems, len(too_long) + len(wrong)

    def _wrong_count(self, count: int, row: str) -> str:
        width = len(self.header)
        fix = "write all of them" if count < width else f"quote a field that contains {quoted(self.delimiter)}"
        return f"{counted(count, 'field')}, the header has {width}: {shown(row)}; {fix}"

    def _block(self, rows: Rows, first_row: int, texts: Collection[int]) -> Block:
        width = len(self.header)
        numbers = rows.numbers([column for column in range(width) if column not in texts], width)
        others = rows.texts([column for column in range(width) if column not in numbers], width)
        return Block({**numbers, **others}, first_row, rows.lines)


def _reuse_freed_memory() -> None:
    """Raise the mmap threshold of glibc's allocator to REUSED bytes, so that freed arrays are reused.

    By default glibc returns the memory of each block to the system; page faults of the next block then take longer than
    parsing. Freeing a larger array raises the threshold; no page of this one is touched.
    """
    np.empty(REUSED, np.uint8)


@contextmanager
def _fatal_problem_among(problems: Problems) -> Iterator[None]:
    """Report a fatal problem together with the earlier ones."""
    try:
        yield
    except FatalProblemError as error:
        problems.add([error.problem], 1)
        raise problems.error() from None
