"""What several commands read alike from the command line."""

import os
from pathlib import Path


def find_run(text: str) -> Path:
    """A run directory by its path, or by its name in the folder runs."""
    path = Path(text)
    by_name = Path("runs") / text
    return by_name if not os.path.lexists(path) and os.path.isdir(by_name) else path  # noqa: PTH112 (never raises)
