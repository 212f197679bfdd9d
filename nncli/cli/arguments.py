"""What several commands read alike from the command line."""

import os
from pathlib import Path

RUNS = Path("runs")  # where runs are, unless another folder is named


def find_run(text: str, runs: Path = RUNS) -> Path:
    """A run directory by its path, or by its name in the folder of runs; a foreign folder of that name is no run."""
    path, by_name = Path(text), runs / text
    is_run = [os.path.isfile(candidate / "run.json") for candidate in (path, by_name)]  # noqa: PTH113 (never raises)
    return by_name if is_run == [False, True] else path
