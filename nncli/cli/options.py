"""What several commands read alike from the command line."""

from contextlib import suppress
from pathlib import Path

from nncli.errors import StorageError

RUNS = Path("runs")  # where runs are, unless another folder is named


def find_run(text: str, runs: Path = RUNS) -> Path:
    """A run directory by its path, or by its name in the folder of runs; a foreign folder of that name is no run.

    Raises:
        StorageError: the system refuses to read the folder of runs.
    """
    from nncli.store.run_reader import is_run

    path, by_name = Path(text), runs / text
    with suppress(StorageError):  # a foreign folder, or a run, whose reader then says it
        if is_run(path):
            return path
    return by_name if is_run(by_name) else path
