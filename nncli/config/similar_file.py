"""The file that may be meant by a path that does not exist; imported for the message only."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

SUFFIXES = {".yaml", ".yml", ".json"}


def similar_config(path: Path) -> Path | None:
    """The config with the most similar name in the same directory; in a similar one if that does not exist."""
    return similar_file(path, SUFFIXES)


def similar_file(path: Path, suffixes: Collection[str]) -> Path | None:
    """Likewise the file with one of these suffixes."""
    with suppress(OSError):
        parent = path.parent if path.parent.is_dir() else _similar_directory(path.parent)
        return _closest(path, (each for each in parent.iterdir() if each.suffix in suffixes)) if parent else None
    return None


def _similar_directory(path: Path) -> Path | None:
    return _closest(path, (each for each in path.parent.iterdir() if each.is_dir()))


def _closest(path: Path, others: Iterable[Path]) -> Path | None:
    """The path with the most similar name, suffix left out; None if none is similar."""
    by_stem = {other.stem: other for other in sorted(others)}
    found = get_close_matches(path.stem, by_stem, n=1)
    return by_stem[found[0]] if found else None
