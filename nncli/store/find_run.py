"""Find a run by its path or its name, or suggest similar names if there is none."""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shlex import quote

from nncli.errors import CommandLineError, RunError, StorageError
from nncli.store.group_files import is_group, not_a_run, runs_of, trial_paths
from nncli.store.run_files import is_run
from nncli.store.safe_read import exists, storage_errors

MAX_LISTED = 8  # names in a message
DEFAULT = Path("runs")  # the directory of runs if none is given


def find_run(text: str, runs: Path | None = None) -> Path:
    """Find a run or a group of runs by its path, or by its name in the directory of runs.

    Any other directory is returned too: reading it then raises an error that says which files are missing.

    Args:
        text: a path, or a name.
        runs: the directory of runs, where a name is looked up before the current directory; None for the default one,
            where it is looked up after it.

    Raises:
        RunError: there is no such run.
        StorageError: the operating system refuses to read the directory of runs.
    """
    path, by_name = Path(text), (runs or DEFAULT) / text
    if runs and path.name == text and _is_directory(by_name):
        return by_name
    with suppress(StorageError):  # an unreadable path may still be the name of a run
        if is_run(path) or is_group(path):
            return path
    if is_run(by_name) or is_group(by_name):
        return by_name
    for candidate in (path, by_name):
        if _is_directory(candidate):
            return candidate
    raise RunError(_not_found(text, runs), path)


def find_runs(texts: Sequence[str], runs: Path | None = None) -> list[Path]:
    """Find runs as ``find_run`` does; a group stands for its runs.

    Raises:
        RunError: there is no such run, or a group has no runs yet.
        StorageError: the operating system refuses to read a directory.
    """
    paths = [find_run(text, runs) for text in texts]
    for path in paths:
        if is_group(path) and not trial_paths(path):
            raise RunError(not_a_run(path), path)
    return runs_of(paths)


def reject_group(source: Path, runs: Path | None = None) -> None:
    """Reject a group where a config or a run is expected.

    Args:
        source: a path or a name that is neither a config nor a run.
        runs: the directory of runs, as for ``find_run``.

    Raises:
        RunError: it is a group of runs.
    """
    found = None
    with suppress(RunError, StorageError):  # reading it as a config reports what is wrong
        path = find_run(str(source), runs)
        found = path if is_group(path) else None
    if found:
        raise RunError(not_a_run(found), found)


def reject_unknown_name(path: Path, runs: Path | None = None) -> None:
    """Reject a name without a suffix that is neither a config nor a run.

    Args:
        path: the path of a config, or a name.
        runs: the directory of runs; None for the default one.

    Raises:
        CommandLineError: there is neither, but there are runs or a similar config.
        StorageError: the operating system refuses to say whether there is such a file.
    """
    if path.name != str(path) or path.suffix or "=" in path.name:
        return
    directory = runs or DEFAULT
    fix = _likely(path, directory)
    with storage_errors(path):
        if fix and not exists(path):
            raise CommandLineError(f"{path}: no such config, and no such run in {directory}/{fix}")


def _likely(path: Path, runs: Path) -> str:
    """What may be meant by a name that is neither a config nor a run; empty if there are no runs either."""
    from nncli.config.similar_file import similar_config

    names = run_names(runs)
    config = similar_config(path)
    config_fix = f"; did you mean '{config}'?" if config else ""
    return _similar(path.name, names) or config_fix or (f"; {runs}/ has: {_listed(names)}" if names else "")


def _is_directory(path: Path) -> bool:
    """Whether a path is a directory.

    Raises:
        StorageError: the operating system refuses to say.
    """
    with storage_errors(path):
        return exists(path) and path.is_dir()


def run_names(runs: Path) -> list[str]:
    """The names in a directory of runs, in alphabetical order; none if it cannot be read."""
    with suppress(OSError):
        return sorted(path.name for path in runs.iterdir() if path.is_dir() and not path.name.startswith("."))
    return []


def _not_found(text: str, runs: Path | None) -> str:
    """The message for a run that does not exist, with a similar name and the runs there are."""
    directory, path = runs or DEFAULT, Path(text)
    names = run_names(directory)
    if path.suffix in {".yaml", ".yml"} and path.is_file():
        trained = [name for name in names if re.fullmatch(rf"{re.escape(path.stem)}(-\d+)?", name)]
        its_runs = f"runs with its name: {_listed(trained)}" if trained else f"'nncli train {quote(text)}' makes one"
        return f"{text} is a config, not a run; {its_runs}"
    is_name, similar = path.name == text, _similar(path.name, names)
    searched = f" (looked in ./ and {directory}/)" if is_name else ""
    known = f" {directory}/ has: {_listed(names)}" if names else f" {_without_runs(directory)}"
    elsewhere = "; for other directories pass --runs-dir DIR" if is_name and not similar and runs is None else ""
    return f"run not found: {text}{searched}{similar or ';'}{known}{elsewhere}"


def _without_runs(directory: Path) -> str:
    """What there is instead of a directory with runs."""
    if directory.is_dir():
        return f"{directory}/ has no runs"
    return f"{directory} is not a directory" if directory.exists() else f"{directory}/ does not exist"


def _similar(name: str, names: list[str]) -> str:
    """The suggestion of a similar name; empty if none is."""
    from nncli.config.hints import similar

    return similar(name, names)


def _listed(names: list[str]) -> str:
    """Some of the names, and how many more there are."""
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more
