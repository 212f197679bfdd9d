"""What several commands read alike from the command line."""

from pathlib import Path

RUNS = Path("runs")  # where runs are, unless another folder is named


def find_run(text: str, runs: Path = RUNS) -> Path:
    """A run directory by its path, or by its name in the folder of runs; a foreign folder of that name is no run.

    Raises:
        StorageError: the system refuses to read the folder of runs.
    """
    from nncli.runner import reload

    return reload.find_run(text, runs)
