"""Where and how it is started: ``python -m tests.reliability.surroundings``.

- locale: the whole suite under ``LC_ALL=C``, with every text whose encoding is left to the locale an error.
- path: the whole suite on a copy in a folder whose name has spaces and letters beyond ASCII.
- streams: every command with standard output closed, full, cut, or read by nobody; with standard error full, closed, or
  a full pipe that nobody reads; with the encoding of the C locale, ASCII; in one column; and without docstrings.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.conftest import ROOT
from tests.reliability import trials
from tests.reliability.trials import NAME, RUN, TRAIN, spec

FOLDER = "with spaces, ümläuts and ✓"
COPIED = ("nncli", "tests", "configs", "runs", "README.md", "pyproject.toml")
SUITE = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
ENCODINGS = "error::EncodingWarning"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
UNREAD = "rm -f p; mkfifo p; exec 9<>p; timeout 1 cat /dev/zero >&9; timeout 60 {} 2>&9"
TRAINING = 3  # commands, the first ones
COMMANDS = (
    TRAIN,
    ("train", "--resume", RUN),
    ("evaluate", RUN),
    ("compare", RUN, "runs/other"),
    ("runs",),
    ("verify", RUN),
    ("check", "config.yaml"),
    ("show", "config.yaml"),
    ("explain", "config.yaml"),
    ("gradcheck", "config.yaml", "dtype=float64"),
    ("components",),
)


def suite(folder: Path, more: tuple[str, ...] = (), **variables: str) -> list[str]:
    """What is wrong with the suite in a folder, a line or none."""
    environment = {**os.environ, "PYTHONPATH": str(folder), **variables}
    done = subprocess.run([*SUITE, *more], cwd=folder, env=environment, capture_output=True, check=False)
    last = done.stdout.decode(errors="replace").strip().splitlines()[-1:]
    print(f"{folder.name}: {' '.join(last)}", flush=True)
    return [] if done.returncode == 0 else [done.stdout.decode(errors="replace")[-4000:]]


def in_the_c_locale(_: Path) -> list[str]:
    """The first part."""
    return suite(ROOT, ("-W", ENCODINGS), LC_ALL="C", PYTHONWARNDEFAULTENCODING="1")


def in_a_strange_folder(work: Path) -> list[str]:
    """The second part."""
    folder = work / FOLDER
    folder.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return suite(folder)


def with_strange_streams(work: Path, commands: int = len(COMMANDS)) -> list[str]:
    """The third part, of the first commands."""
    wrong, count = list[str](), 0
    for case, streams in cases().items():
        folder = trials.lay_out(work / FOLDER / case, spec(epochs=3))
        for name in (NAME, "other"):
            trials.run(("train", "config.yaml", "--name", name, "-q"), folder)
        if case != "cut":
            shutil.rmtree(folder / RUN)
        for words in COMMANDS[:commands]:
            if case == "cut" and words in COMMANDS[:TRAINING]:  # which the limit ends before they print
                continue
            found = list(_odd(case, words, folder, streams))
            wrong += [f"{case}: {' '.join(words)}: {what}" for what in found]
            count += 1
    print(f"streams: {count} commands, {len(wrong)} wrong", flush=True)
    return wrong


def cases() -> dict[str, tuple[str, Mapping[str, str], int]]:
    """How a shell starts the command, which stands in the place of {}; variables; the exit code."""
    return {
        "standard output closed": ("{} >&-", {}, 0),
        "standard output full": ("{} >/dev/full", {}, 5),
        "cut": ("head -c 1020 /dev/zero >cut; ulimit -f 1; {} >>cut", {"PYTHONUNBUFFERED": "1"}, 5),
        "nobody reads": ("{} | true", {}, 0),
        "standard error full": ("{} 2>/dev/full", {}, 0),
        "standard error closed": ("{} 2>&-", {}, 0),
        "standard error unread": (UNREAD, {}, 0),
        "both closed": ("{} >&- 2>&-", {}, 0),
        "ASCII": ("{}", ASCII, 0),
        "one column": ("{}", {"COLUMNS": "1"}, 0),
        "no docstrings": ("{}", {"PYTHONOPTIMIZE": "2"}, 0),
    }


def _odd(case: str, words: tuple[str, ...], folder: Path, streams: tuple[str, Mapping[str, str], int]) -> Iterator[str]:
    """What a command does that it should not."""
    line, variables, code = streams
    if case == "no docstrings" and words[0] in {"explain", "components"}:
        code = 2
    line = line.format(subprocess.list2cmdline(trials.command(words)))
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        cwd=folder,
        env={**trials.environment(), **variables},
        capture_output=True,
        check=False,
    )
    if done.returncode != code:
        yield f"exit {done.returncode}: {done.stderr.decode(errors='replace').strip()[-200:]}"
    if b"Traceback" in done.stderr + done.stdout or b"Exception ignored" in done.stderr:
        yield f"a traceback: {done.stderr.decode(errors='replace')[-400:]}"


PARTS = {"locale": in_the_c_locale, "path": in_a_strange_folder, "streams": with_strange_streams}


def main() -> int:
    """Read the command line, and do it; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=PARTS, help="one of them; all where not given")
    parser.add_argument("--few", action="store_true", help="of the last part only what trains")
    arguments = parser.parse_args()
    wrong = []
    for name, part in PARTS.items():
        if arguments.part in (None, name):
            with tempfile.TemporaryDirectory(prefix="surroundings-", ignore_cleanup_errors=True) as folder:
                wrong += part(Path(folder), TRAINING) if arguments.few and name == "streams" else part(Path(folder))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
