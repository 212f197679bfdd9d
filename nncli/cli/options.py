"""What several commands read alike from the command line."""

from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from nncli.errors import RunError, StorageError

RUNS = Path("runs")  # the default directory of runs


def find_run(text: str, runs: Path = RUNS) -> Path:
    """A run directory by its path, or by its name in the directory of runs; a directory that is not a run comes last.

    Raises:
        RunError: there is nothing of this name.
        StorageError: the operating system refuses to read the directory of runs.
    """
    from nncli.store.run_files import is_run
    from nncli.store.safe_read import exists

    path, by_name = Path(text), runs / text
    with suppress(StorageError):  # if it is a run, its reader reports this
        if is_run(path):
            return path
    if is_run(by_name):
        return by_name
    with suppress(StorageError):
        if exists(by_name) and not exists(path):
            return by_name
        if not exists(path):
            raise RunError(f"run not found: {text!r} (looked in ./ and {runs}/){_did_you_mean(text, runs)}")
    return path


def _did_you_mean(text: str, runs: Path) -> str:
    """A suggestion of a run whose name is similar, if there is one."""
    with suppress(OSError):
        close = get_close_matches(text, [path.name for path in runs.iterdir()], n=1)
        return f". Did you mean {close[0]!r}?" if close else ""
    return ""
