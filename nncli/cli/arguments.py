"""What several commands read alike from the command line."""

import os
from pathlib import Path


def find_run(text: str) -> Path:
    """A run directory by its path, or by its name in the folder runs; a foreign folder of that name is no run."""
    path, by_name = Path(text), Path("runs") / text
    is_run = [os.path.isfile(candidate / "run.json") for candidate in (path, by_name)]  # noqa: PTH113 (never raises)
    return by_name if is_run == [False, True] else path
