"""Open a table by the format of its file: delimited text, JSON lines or Parquet."""

from pathlib import Path
from typing import BinaryIO, TypeAlias

from nncli.data.delimited import DelimitedFile
from nncli.data.json_lines_file import JsonLinesFile
from nncli.data.parquet_file import ParquetFile, is_parquet
from nncli.data.record_file import RecordFile
from nncli.data.table_settings import TableSettings

JSON_LINES = {".jsonl", ".ndjson"}
OpenTable: TypeAlias = DelimitedFile | RecordFile


def open_table(file: Path | BinaryIO, settings: TableSettings | None = None) -> OpenTable:
    """Open the file of a table. JSON lines are recognized by the suffix, Parquet by the first bytes.

    Args:
        file: a path, or a binary stream of delimited text.
        settings: what the config says about the text; None for the defaults.

    Raises:
        MissingExtraError: it is a Parquet file, and DuckDB is not installed.
        StorageError: the operating system refuses to read it.
        TableError: it is missing or damaged.
    """
    encoding, delimiter, header = (settings.encoding, settings.delimiter, settings.header) if settings else (None,) * 3
    if isinstance(file, Path) and JSON_LINES.intersection(file.suffixes[-2:]):
        return JsonLinesFile(file, encoding)
    if isinstance(file, Path) and is_parquet(file):
        return ParquetFile(file)
    return DelimitedFile(file, encoding=encoding, delimiter=delimiter, header=header)
