"""JSON lines: a file with a JSON object in each line."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from nncli.config.diagnostics import shown
from nncli.data.delimited import TableError
from nncli.data.delimited.header import checked_header
from nncli.data.delimited.text_file import TextFile, UnreadableTextError
from nncli.data.record_file import ROWS, RecordFile

MAX_LINE = 1 << 23  # bytes


class JsonLinesFile(RecordFile):
    """The rows of a JSON Lines file, also compressed by gzip. The keys of the first object are the columns.

    A key that is missing in a later object is a missing value; a key that is missing in the first one is an error.

    Args:
        file: a path, or a binary stream, which can be read once.
        encoding: of the text; UTF-8 by default.

    Raises:
        TableError: the file is missing or damaged, or its first line is not an object.
        StorageError: the operating system refuses to read it.
    """

    def __init__(self, file: Path | BinaryIO, encoding: str | None = None) -> None:
        self._file = TextFile(file, encoding, is_json=True)
        self.name = self._file.name
        objects = self._objects()
        first = next(objects, None)
        if first is None:
            raise TableError(f"{self.name}: is empty; expected a JSON object in each line")
        self._unread: Iterator[tuple[int, dict[str, Any]]] | None = chain([first], objects)
        super().__init__(self.name, checked_header(list(first[1]), self.name, first[0]), self._file.rereadable)

    def records(self) -> Iterator[tuple[int, Sequence[Sequence[Any]]]]:
        """The rows in blocks of ROWS, each with the line of its first row.

        Raises:
            TableError: a line is not an object, or has a key that is not in the first line; or a stream is read twice.
        """
        objects, self._unread = self._unread or self._objects_again(), None
        rows, start, known = list[Sequence[Any]](), 0, frozenset(self.header)
        for line, values in objects:
            if not known.issuperset(values):
                key = next(key for key in values if key not in known)
                raise self._error(line, f"key {shown(key)} is not in the first line; write all keys there")
            if rows and (len(rows) == ROWS or line != start + len(rows)):  # a block has consecutive lines
                yield start, rows
                rows = []
            start = start if rows else line
            rows.append([values.get(name) for name in self.header])
        if rows:
            yield start, rows

    def _objects_again(self) -> Iterator[tuple[int, dict[str, Any]]]:
        if not self.rereadable:
            raise TableError(f"{self.name}: can be read only once; copy it to a file")
        return self._objects()

    def _objects(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The line number and the object of each line that is not blank."""
        for line, text in enumerate(self._lines(), 1):
            if text.strip():
                yield line, self._object(line, text)

    def _object(self, line: int, text: bytes) -> dict[str, Any]:
        try:
            values = json.loads(text, object_pairs_hook=_without_duplicates)
        except ValueError as error:  # a JSONDecodeError, too
            raise self._error(line, f"{str(error).partition(': line')[0]}; write a JSON object in each line") from None
        except RecursionError:
            raise self._error(line, "nested too deeply; write numbers, texts, true, false or null") from None
        if not isinstance(values, dict):
            raise self._error(line, f"{shown(values)} is not an object; write a JSON object in each line")
        return values

    def _lines(self) -> Iterator[bytes]:
        rest, line = b"", 1
        try:
            for piece in self._file.pieces():
                *lines, rest = (rest + piece).split(b"\n")
                yield from lines
                line += len(lines)
                if len(rest) > MAX_LINE:
                    raise self._error(line, f"the line has more than {MAX_LINE:,} bytes; write shorter ones")
        except UnreadableTextError as error:
            raise self._error(line, str(error)) from None
        if rest:
            yield rest

    def _error(self, line: int, message: str) -> TableError:
        return TableError(f"{self.name}:{line}: {message}")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object from its keys and values.

    Raises:
        ValueError: a key is there twice.
    """
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {shown(next(key for key in keys if keys.count(key) > 1))} occurs twice")
    return values
