"""Rows and fields of delimited text, with quotes as in RFC 4180."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nncli.data.delimited.decimals import parsed_decimals
from nncli.data.delimited.problems import FatalProblemError, Problem
from nncli.data.delimited.quotes import Characters, Positions, enclosing_quotes, outside_quotes, quote_problem
from nncli.data.delimited.text_file import TextFile, UnreadableTextError

Array = NDArray[Any]

MAX_FIELD = 2**20  # bytes; without a limit an unclosed quote would extend to the end of the file
MAX_ROW = 2**23  # bytes
MIN_LINES = 100  # of a text, unless it is long
TAB, LINE_FEED, SPACE = b"\t\n "
SEPARATOR = "\x1f"  # a control character, which no table contains


class Text(NamedTuple):
    """Rows of a file as UTF-8, and the line of the file where they begin."""

    content: bytes
    first_line: int


def complete_rows(file: TextFile) -> Iterator[Text]:
    """Read a file in texts that end at the end of a row; only the last one may end within a quoted field.

    Raises:
        FatalProblemError: the text is damaged, or a row is longer than MAX_ROW.
    """
    rest, line = b"", 1
    try:
        for piece in _joined(file.pieces()):
            rest += piece
            if end := _end_of_rows(rest):
                yield Text(rest[:end], line)
                line, rest = line + count_lines(rest[:end]), rest[end:]
            if _has_endless_quote(rest):
                break
            if len(rest) > MAX_ROW:
                if b'"' in rest:  # misplaced quotes are the more likely reason, and are found in it
                    yield Text(rest + b"\n", line)
                message = f"the row that begins here has more than {MAX_ROW:,} bytes; write shorter rows"
                raise FatalProblemError(Problem(line, 0, message))
    except UnreadableTextError as error:
        last = rest.rfind(b"\n") + 1
        column = len(rest[last:].decode()) + 1
        raise FatalProblemError(Problem(line + rest.count(b"\n"), column, str(error))) from None
    if rest:
        yield Text(rest if rest.endswith(b"\n") else rest + b"\n", line)


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join pieces until they have MIN_LINES lines, since each text has an overhead per column."""
    joined = b""
    try:
        for piece in pieces:
            joined += piece
            if len(joined) > MAX_ROW or count_lines(joined) >= MIN_LINES:
                yield joined
                joined = b""
    except UnreadableTextError:
        yield joined
        raise
    yield joined


def count_lines(text: bytes) -> int:
    """The number of line feeds, in a tenth of the time of ``bytes.count``."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == LINE_FEED))


def _end_of_rows(text: bytes) -> int:
    """The position after the last complete row; 0 if there is none."""
    if b'"' not in text:
        return text.rfind(b"\n") + 1
    ends = row_ends(text)
    return int(ends[-1]) + 1 if len(ends) else 0


def row_ends(text: bytes) -> Positions:
    """The positions of the line feeds outside quotes."""
    characters = np.frombuffer(text, np.uint8)
    return outside_quotes(characters, np.flatnonzero(characters == LINE_FEED))


def _has_endless_quote(row: bytes) -> bool:
    """Whether an incomplete row ends in a quoted field that is longer than MAX_FIELD."""
    return len(row) - row.rfind(b'"') > MAX_FIELD and row.count(b'"') % 2 == 1


def without_blank_end(texts: Iterator[Text]) -> Iterator[Text]:
    """Skip the blank lines at the end of the file."""
    pending = 0  # blank lines, which are left out unless a row follows
    for content, first_line in texts:
        body = content.rstrip(b" \n")
        if not body:
            pending += content.count(b"\n")
            continue
        for start in range(0, pending, MAX_FIELD):
            yield Text(b"\n" * min(MAX_FIELD, pending - start), first_line - pending + start)
        yield Text(body + b"\n", first_line)
        pending = content.count(b"\n", len(body)) - 1


class Rows:
    """The rows of a text, and the fields of each.

    Args:
        text: complete rows.
        delimiter: one ASCII character; a space stands for any number of spaces and tabs.

    Raises:
        FatalProblemError: a quote is misplaced, or is not closed.
    """

    def __init__(self, text: Text, delimiter: str) -> None:
        content = _with_single_spaces(text.content) if delimiter == " " else text.content
        self._content, self._delimiter = content, delimiter.encode()
        self._characters = characters = np.frombuffer(content, np.uint8)
        ends = np.flatnonzero((characters == ord(delimiter)) | (characters == LINE_FEED))
        self.ends = outside_quotes(characters, ends)  # of fields
        self.last_fields = np.flatnonzero(characters[self.ends] == LINE_FEED)  # the index of it in each row
        if problem := quote_problem(content, self.ends, text.first_line):
            raise FatalProblemError(problem)
        self.lines = self._lines(text.first_line)

    def __len__(self) -> int:
        return len(self.last_fields)

    @property
    def field_counts(self) -> Positions:
        """The number of fields of each row."""
        return np.diff(self.last_fields, prepend=-1)

    @property
    def field_lengths(self) -> Positions:
        """The number of bytes of each field, white space and quotes included."""
        return np.diff(self.ends, prepend=-1) - 1

    def row(self, index: int) -> str:
        """The text of a row, without the blank lines before it."""
        start = self.ends[self.last_fields[index - 1]] + 1 if index else 0
        return self._content[start : self.ends[self.last_fields[index]]].decode().lstrip(" \n")

    def fields(self) -> list[str]:
        """All fields, row by row, without quotes and without white space around them."""
        return self._texts(self._characters, self.ends)

    def texts(self, columns: Sequence[int], width: int) -> dict[int, list[str]]:
        """The fields of some of ``width`` columns, without quotes and without white space around them."""
        fields = self._texts(*self._selected(columns, width)) if columns else []
        return {column: fields[index :: len(columns)] for index, column in enumerate(columns)}

    def numbers(self, columns: Sequence[int], width: int) -> dict[int, Array]:
        """The values of those of the columns whose fields are all plain decimals."""
        if not columns:
            return {}
        characters, ends = self._selected(columns, width)
        values = parsed_decimals(characters.tobytes(), ends, self._delimiter.decode()).reshape(-1, len(columns))
        are_numbers = np.asarray(np.isfinite(values).all(axis=0))
        return {column: values[:, index].copy() for index, column in enumerate(columns) if are_numbers[index]}

    def _selected(self, columns: Sequence[int], width: int) -> tuple[Characters, Positions]:
        """The characters of some columns with the delimiters after them, and where their fields end."""
        characters = self._characters[: self.ends[-1] + 1]
        if len(columns) == width:
            return characters, self.ends
        is_selected = np.zeros(width, bool)
        is_selected[columns] = True
        sizes = np.diff(self.ends, prepend=-1)  # with the delimiter
        of_field = np.tile(is_selected, len(self))
        return characters[np.repeat(of_field, sizes)], np.cumsum(sizes[of_field]) - 1

    def _texts(self, characters: Characters, ends: Positions) -> list[str]:
        """The fields that end at these positions."""
        separated = characters.copy()
        separated[ends] = ord(SEPARATOR)
        if b'"' in self._content:
            separated = np.delete(separated, enclosing_quotes(separated))
        fields = separated.tobytes().decode().split(SEPARATOR)
        del fields[len(ends) :]  # what follows the last line feed
        return list(map(str.strip, fields)) if self._has_blank_edges(separated) else fields

    def remove_blank_rows(self) -> None:
        """Remove blank rows; they become white space before the next row."""
        single = np.flatnonzero(self.field_counts == 1)
        blank = [index for index in single.tolist() if not self.row(index).strip()]
        if blank:
            self.ends = np.delete(self.ends, self.last_fields[blank])
            self.lines = np.delete(np.asarray(self.lines), blank).tolist()
            self.last_fields = np.flatnonzero(self._characters[self.ends] == LINE_FEED)

    @staticmethod
    def _has_blank_edges(separated: Characters) -> bool:
        """Whether a field may begin or end with white space; characters that are not ASCII count as white space."""
        blank = (separated - np.uint8(ord("!"))) > ord("~") - ord("!")
        ends = separated == ord(SEPARATOR)
        blank &= ~ends
        return bool(blank[0] or (blank[1:] & ends[:-1]).any() or (blank[:-1] & ends[1:]).any())

    def _lines(self, first_line: int) -> Sequence[int]:
        """The line of the file where each row begins."""
        if b'"' not in self._content or len(self) == count_lines(self._content):
            return range(first_line, first_line + len(self))
        feeds = np.flatnonzero(self._characters == LINE_FEED)
        starts = self.ends[self.last_fields[:-1]] + 1
        return [first_line, *(np.searchsorted(feeds, starts) + first_line).tolist()]


def _with_single_spaces(text: bytes) -> bytes:
    """Each run of spaces and tabs outside quotes as one space, and none at the ends of a line."""
    characters = np.frombuffer(text, np.uint8).copy()
    characters[outside_quotes(characters, np.flatnonzero((characters == TAB) | (characters == SPACE)))] = SPACE
    for _ in range(2):  # forwards, then backwards
        blank = np.zeros(len(characters), bool)
        blank[outside_quotes(characters, np.flatnonzero(characters == SPACE))] = True
        follows = np.concatenate(([True], (blank | (characters == LINE_FEED))[:-1]))
        characters = characters[~(blank & follows)][::-1]
    return characters.tobytes()
