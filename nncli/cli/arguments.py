"""What several commands read alike from the command line."""

from pathlib import Path


def find_run(text: str) -> Path:
    """A run directory by its path, or by its name in the folder runs."""
    path = Path(text)
    by_name = Path("runs") / text
    return by_name if not path.exists() and by_name.is_dir() else path
