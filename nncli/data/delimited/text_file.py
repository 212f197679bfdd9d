"""Text files as streams of UTF-8 pieces: decompressed, decoded, with line ends converted to line feeds."""

import codecs
import errno
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from nncli.config.diagnostics import shown
from nncli.data.delimited.problems import TableError
from nncli.data.reading import reading
from nncli.errors import StorageError

PIECE = 2**18  # bytes; the arrays of the numbers in a piece stay in the second-level cache
SUFFIXES = {".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".gz"}  # of files that an error message may suggest
START = 1000  # bytes
COMMON_ENCODINGS = ("utf-8", "utf-16", "latin-1", "cp1252", "cp1251", "shift_jis", "gb18030", "big5", "euc_kr")
BYTE_ORDER_MARKS = {  # in this order: the one of UTF-32 begins with the one of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
GZIP = b"\x1f\x8b"
JSON = (b"[{", b'{"')
OTHER_FORMATS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook; save the table as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook; save the table as CSV",
    b"SQLite format 3": "an SQLite database; save the table as CSV",
    b"<!DOCTYPE": "an HTML page; save the table as CSV",
    b"<!doctype": "an HTML page; save the table as CSV",
    b"<html": "an HTML page; save the table as CSV",
    b"<?xml": "an XML document; save the table as CSV",
    JSON[0]: "a JSON array; save the table as CSV or JSON lines",
    JSON[1]: "JSON; save it as JSON lines, with the suffix .jsonl",
    b"PAR1": "a Parquet file, which cannot be read from a stream; name the file",
    b"\x89PNG": "a PNG image; expected a table as text",
    b"%PDF": "a PDF document; save the table as CSV",
    b"BZh": "compressed by bzip2; decompress it with: bunzip2",
    b"\xfd7zXZ": "compressed by xz; decompress it with: unxz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; decompress it with: unzstd",
    b"\x93NUMPY": "a NumPy array; save the table as CSV",
}


class UnreadableTextError(Exception):
    """The text cannot be decompressed or decoded from here on; everything before has been yielded."""


class TextFile:
    """The text of a file, of a pipe or of a stream, as UTF-8 with line feeds.

    Args:
        file: a path, or a binary stream that is open and stays open.
        encoding: of the bytes; UTF-8 by default, with or without a byte order mark.
        is_json: whether the text is JSON; otherwise JSON is an error.

    Raises:
        TableError: the encoding is unknown.
    """

    def __init__(self, file: Path | BinaryIO, encoding: str | None = None, is_json: bool = False) -> None:
        self._file, self._is_json = file, is_json
        self._encoding = None if encoding is None else _codec(encoding)
        self.name = shown_path(file) if isinstance(file, Path) else "standard input"

    @property
    def rereadable(self) -> bool:
        """Whether the text can be read more than once: a pipe or a stream cannot."""
        return isinstance(self._file, Path) and self._file.is_file()

    def pieces(self) -> Iterator[bytes]:
        """Read the text once, in pieces of any length.

        Raises:
            TableError: the file is missing, or is not text.
            StorageError: the operating system refuses to read it.
            UnreadableTextError: the bytes are damaged, or have another encoding.
        """
        start, pieces = _with_start(self._raw())
        if start.startswith(GZIP):
            start, pieces = _with_start(_decompressed(pieces))
        self._require_text(start)
        return _with_line_feeds(_decoded(pieces, self._encoding or "utf-8"))

    def _raw(self) -> Iterator[bytes]:
        try:
            with (
                self._file.open("rb") if isinstance(self._file, Path) else nullcontext(self._file) as stream,
                reading(self.name, stream) as advance,
            ):
                while piece := stream.read(PIECE):
                    advance(len(piece))
                    yield piece
        except OSError as error:
            raise self._error(error) from None

    def _error(self, error: OSError) -> Exception:
        reasons = {
            errno.EISDIR: "is a directory; name the file in it",
            errno.ENOTDIR: "no such file; part of the path is not a directory",
            errno.ELOOP: "is a symbolic link to itself; name the file",
            errno.ENXIO: "is a socket; expected a file",
        }
        if error.errno == errno.ENOENT and isinstance(self._file, Path):
            return TableError(f"{self.name}: {_reason_of_missing(self._file)}")
        if error.errno in reasons:
            return TableError(f"{self.name}: {reasons[error.errno]}")
        return StorageError(f"{self.name}: {error.strerror or error}")

    def _require_text(self, start: bytes) -> None:
        """Reject a file whose first bytes are those of another encoding or format."""
        if self._encoding:
            return
        encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark)), _utf_16(start))
        if encoding:
            raise TableError(f"{self.name}: the text is {encoding.upper()}; write encoding: {encoding}")
        for beginning, meaning in OTHER_FORMATS.items():
            if start.startswith(beginning) and not (self._is_json and beginning in JSON):
                raise TableError(f"{self.name}: is {meaning}")


def shown_path(path: Path) -> str:
    """A path as a message shows it: relative to the current directory if it is below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _codec(encoding: str) -> str:
    """The codec name of an encoding in Python."""
    try:
        "".encode(encoding)  # rejects what is no encoding of text, such as base64
        codecs.getincrementaldecoder(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, UnicodeError, ValueError):
        known = f"{', '.join(COMMON_ENCODINGS)} and the others of Python"
        raise TableError(f"unknown encoding {shown(encoding)}; known are {known}", "encoding") from None


def _reason_of_missing(path: Path) -> str:
    """The message for a missing file, with a similar file if there is one."""
    from nncli.config.similar_file import similar_file

    if path.is_symlink():
        return f"is a symbolic link to {str(path.readlink())!r}, which does not exist"
    found = similar_file(path, SUFFIXES)
    return f"no such file; did you mean '{found}'?" if found else "no such file; check the path"


def _utf_16(start: bytes) -> str | None:
    """The UTF-16 encoding of a text without byte order mark, recognized by zero bytes; None if it is not UTF-16."""
    for name, zeros, others in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if zeros.count(0) > len(zeros) / 2 and not others.count(0):
            return name
    return None


def _with_start(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, enough to recognize a format, and all pieces."""
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= START:
            break
    return start[:START], chain([start] if start else [], pieces)


def _decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress the members of a gzip file, and verify their checksums; at most PIECE bytes are yielded at once."""
    inflate = zlib.decompressobj(wbits=31)
    try:
        for piece in pieces:
            rest = piece
            while rest:
                if text := inflate.decompress(rest, PIECE):
                    yield text
                rest = inflate.unconsumed_tail
                if inflate.eof:  # another member may follow, or zeros up to the end
                    rest = inflate.unused_data.lstrip(b"\0")
                    inflate = zlib.decompressobj(wbits=31) if rest else inflate
    except zlib.error:
        raise UnreadableTextError("the gzip data are damaged here; copy or download the file again") from None
    if not inflate.eof:
        raise UnreadableTextError("the gzip data are cut short here; copy or download the file again")


def _decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Convert to UTF-8 without a byte order mark."""
    decoder = codecs.getincrementaldecoder(encoding)()
    mark = codecs.BOM_UTF8
    for piece in chain(pieces, [b""]):
        text = piece
        if encoding != "utf-8" or not piece.isascii() or decoder.getstate()[0] or not piece:
            try:
                text = decoder.decode(piece, final=not piece).encode()
            except UnicodeError as error:
                yield _valid_part(decoder, error)
                raise UnreadableTextError(_reason_of_undecodable(error, encoding)) from None
        if text:
            yield text.removeprefix(mark)
            mark = b""


def _valid_part(decoder: codecs.IncrementalDecoder, error: UnicodeError) -> bytes:
    """The text before the first byte that cannot be decoded."""
    if not isinstance(error, UnicodeDecodeError):
        return b""
    pending = len(decoder.getstate()[0])
    try:
        return decoder.decode(error.object[pending : error.start]).encode()
    except UnicodeError:
        return b""


def _reason_of_undecodable(error: UnicodeError, encoding: str) -> str:
    if not isinstance(error, UnicodeDecodeError):
        return f"the text is not {encoding}: {error}"
    byte = error.object[error.start]
    if encoding != "utf-8":
        return f"byte 0x{byte:02x} is not valid in {encoding}; write another encoding"
    latin, windows = chr(byte), bytes([byte]).decode("cp1252", "replace")
    likely, character = ("latin-1", latin) if latin.isprintable() else ("cp1252", windows)
    return f"byte 0x{byte:02x} is not UTF-8; write encoding: {likely}, in which it is {character!r}, or the right one"


def _with_line_feeds(pieces: Iterator[bytes]) -> Iterator[bytes]:
    r"""Convert the line ends \r\n and \r to \n."""
    after_return = False
    for piece in pieces:
        text = piece[1:] if after_return and piece.startswith(b"\n") else piece
        after_return = piece.endswith(b"\r")
        yield text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text
