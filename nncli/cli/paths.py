"""Paths that commands use unless the user names others."""

from pathlib import Path

RUNS = Path("runs")  # the directory of runs
SCHEMA_COPY = "nncli.schema.json"  # a copy of the schema beside configs
