"""Seconds and peak memory of reading a CSV file to a float32 matrix: nncli, pandas and polars, each in its own process.

    python -m tests.benchmarks.reading DIRECTORY [--rows N] [--python OTHER]

The files are written into the directory. ``--python`` is an interpreter that has pandas and polars. Every process runs
on one core. Numbers are standardized; categories become codes, true and false 1 and 0, and dates seconds, standardized
too. With the memory of the interpreter alone, some 30 MiB.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

CATEGORIES = (5, 8, 12, 20, 40, 80, 150, 300, 600, 1000)
BLOCK = 10_000  # rows
ROUNDS = 3


def number_columns(rng, rows, count):
    """Numbers of several lengths."""
    makers = (
        lambda: np.char.mod("%.6f", rng.normal(size=rows)),
        lambda: np.char.mod("%.3f", rng.normal(100, 30, rows)),
        lambda: rng.integers(0, 1000, rows).astype(str),
        lambda: np.char.mod("%.8f", rng.random(rows)),
        lambda: np.char.mod("%.2f", rng.exponential(1000, rows)),
    )
    return [makers[index % len(makers)]() for index in range(count)]


def mixed_columns(rng, rows):
    """15 numbers, 10 categories, 3 columns of true and false, and 2 dates."""
    columns = number_columns(rng, rows, 15)
    for index, size in enumerate(CATEGORIES):
        codes = np.minimum(rng.geometric(min(0.9, 5 / size), rows), size)
        columns.append(np.char.add(f"name{index}_", codes.astype(str)))
    columns += [np.array(pair)[rng.integers(0, 2, rows)] for pair in (["yes", "no"], ["true", "false"], ["1", "0"])]
    days = rng.integers(0, 9000, rows).astype("datetime64[D]")
    times = days.astype("datetime64[s]") + rng.integers(0, 1440, rows) * 60
    return [*columns, days.astype(str), times.astype(str)]


def write(path, make, rows):
    """Write a file, unless it exists."""
    if path.exists():
        return
    rng = np.random.default_rng(0)
    with path.open("w", encoding="ascii") as file:
        for start in range(0, rows, BLOCK):
            columns = make(rng, min(BLOCK, rows - start))
            if not start:
                file.write(",".join(f"x{index}" for index in range(len(columns))) + "\n")
            file.write("\n".join(map(",".join, zip(*columns, strict=True))) + "\n")


def with_nncli(path):
    """The matrix by nncli, without its cache."""
    from nncli.data.columns import MISSING_TEXTS
    from nncli.data.delimited import DelimitedFile
    from nncli.data.read_table import read_table

    table = read_table(DelimitedFile(path), {}, (), MISSING_TEXTS).in_memory().table
    matrix = np.empty((len(table), len(table.columns)), np.float32)
    for index, name in enumerate(table.columns):
        matrix[:, index] = standardized(table.values(name))
    return matrix


def with_pandas(path):
    """The matrix by pandas."""
    import pandas as pd

    frame = pd.read_csv(path)
    matrix = np.empty(frame.shape, np.float32)
    for index, name in enumerate(frame):
        column = frame[name]
        if column.dtype.kind not in "bif":
            is_date = str(column.iloc[0])[:2] in {"19", "20"}
            column = pd.to_datetime(column).astype("int64") if is_date else column.astype("category").cat.codes
        matrix[:, index] = standardized(column.to_numpy(np.float64))
    return matrix


def with_polars(path):
    """The matrix by polars."""
    import polars as pl

    frame = pl.read_csv(path, try_parse_dates=True)
    matrix = np.empty(frame.shape, np.float32)
    for index, name in enumerate(frame.columns):
        column = frame[name]
        if column.dtype == pl.String:
            column = column.cast(pl.Categorical).to_physical()
        matrix[:, index] = standardized(column.cast(pl.Int64 if column.dtype.is_temporal() else pl.Float64).to_numpy())
    return matrix


def standardized(values):
    """Values with mean 0 and standard deviation 1."""
    values = values.astype(np.float64)
    return (values - values.mean()) / values.std()


READERS = {"nncli": with_nncli, "pandas": with_pandas, "polars": with_polars}


def measure(reader, path):
    """Print the seconds, the peak memory in MiB, and the number of values."""
    began = time.perf_counter()
    matrix = READERS[reader](path)
    seconds = time.perf_counter() - began
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, matrix.size)


def main():
    """Measure each reader on each file, in turn, and print the fastest of several rounds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--reader", choices=READERS)
    given = parser.parse_args()
    if given.reader:
        return measure(given.reader, given.directory)
    print("| file | reader | seconds | million values a second | peak MiB |\n| --- | --- | ---: | ---: | ---: |")
    for name, make in (("numbers", lambda rng, rows: number_columns(rng, rows, 30)), ("mixed", mixed_columns)):
        path = given.directory / f"{name}-{given.rows}.csv"
        write(path, make, given.rows)
        for reader in READERS:
            python = sys.executable if reader == "nncli" else given.python
            command = ["taskset", "-c", "0", python, "-m", "tests.benchmarks.reading", str(path), "--reader", reader]
            outputs = [subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout for _ in range(ROUNDS)]
            seconds, memory, size = min(tuple(map(float, output.split())) for output in outputs)
            print(f"| {name} | {reader} | {seconds:.2f} | {size / seconds / 1e6:.2f} | {memory:,.0f} |", flush=True)
    return None


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
