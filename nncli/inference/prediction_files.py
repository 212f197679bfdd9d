"""Writers of predictions: CSV, JSON Lines, NPY or Parquet, block by block in constant memory."""

import csv
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TextIO

from nncli.config.diagnostics import shown
from nncli.data import parquet_file
from nncli.errors import CommandLineError
from nncli.inference.prediction_rows import PredictionRows
from nncli.inference.record_array import write_record_array


def write_csv(predictions: PredictionRows, stream: TextIO) -> None:
    """Write a header, and a line for each row."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(predictions.header)
    for columns in predictions.blocks():
        writer.writerows(zip(*columns, strict=True))


def write_json_lines(predictions: PredictionRows, stream: TextIO) -> None:
    """Write an object for each row.

    Raises:
        CommandLineError: two columns have the same name.
    """
    header = predictions.header
    _require_distinct(header)
    for columns in predictions.blocks():
        for row in zip(*columns, strict=True):
            stream.write(json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) + "\n")


def write_npy(predictions: PredictionRows, stream: TextIO) -> None:
    """Write a structured array with a field for each column, to the binary buffer of the stream.

    Raises:
        CommandLineError: two columns have the same name, there are too many, or a text is too long.
    """
    _require_distinct(predictions.header)
    with tempfile.TemporaryFile(dir=Path(stream.name).parent) as scratch:  # deleted with the process
        write_record_array(stream.buffer, predictions.types, predictions.blocks(), scratch)


def write_parquet(predictions: PredictionRows, stream: TextIO) -> None:
    """Write a Parquet file over the file of the stream, from a temporary CSV file.

    Raises:
        CommandLineError: two columns have the same name.
        MissingExtraError: DuckDB is not installed.
    """
    parquet_file.require_parquet()
    _require_distinct(map(str.lower, predictions.header))  # column names in DuckDB ignore case
    output = Path(stream.name)
    with tempfile.NamedTemporaryFile("w", dir=output.parent, suffix=".jsonl", encoding="utf-8") as scratch:
        write_json_lines(predictions, scratch)  # type: ignore[arg-type]
        scratch.flush()
        parquet_file.write_parquet(Path(scratch.name), output, dict(predictions.types))


WRITERS: Mapping[str, Callable[[PredictionRows, TextIO], None]] = {
    "csv": write_csv,
    "jsonl": write_json_lines,
    "npy": write_npy,
    "parquet": write_parquet,
}


def _require_distinct(names: Iterable[str]) -> None:
    """Require unique column names; an id column, for example, may be named prediction.

    Raises:
        CommandLineError: two columns have the same name.
    """
    seen = set[str]()
    for name in names:
        if name in seen:
            raise CommandLineError(f"two columns of the predictions are called {shown(name)}; write them as CSV")
        seen.add(name)
