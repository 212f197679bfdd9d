"""Unusual environments: ``python -m tests.fault_injection.environments``.

- locale: the test suite under ``LC_ALL=C``; an encoding that depends on the locale is an error.
- path: the test suite on a copy in a directory whose name has spaces and non-ASCII characters.
- streams: every command with standard output closed, full, limited in size, or a pipe without a reader; with standard
  error full, closed, or a full pipe; with ASCII as the encoding; with one column; and without docstrings.
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
from tests.fault_injection import child_processes, small_runs
from tests.fault_injection.small_runs import NAME, RUN, TABLE, TABLE_OVERRIDES, TABLE_RUN, TRAIN, config_text

DIRECTORY = "with spaces, ümläuts and ✓"
COPIED = ("nncli", "tests", "configs", "runs", "README.md", "pyproject.toml")
SUITE = (sys.executable, "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider")
ENCODINGS = "error::EncodingWarning"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
FULL_PIPE = "rm -f p; mkfifo p; exec 9<>p; timeout 1 cat /dev/zero >&9; timeout 60 {} 2>&9"
TRAINING = 5  # the first commands, which train or evaluate
COMMANDS = (
    TRAIN,
    ("train", "--resume", RUN),
    ("evaluate", RUN),
    ("sweep", "config.yaml", "optimizer=sgd,adam", "--name", "group"),
    ("worker", "runs/group"),
    ("compare", RUN, "runs/other"),
    ("runs",),
    ("note", RUN),
    ("rm", "runs/unneeded", "--yes"),
    ("verify", RUN),
    ("check", "config.yaml"),
    ("show", "config.yaml"),
    ("explain", "config.yaml"),
    ("gradcheck", "config.yaml", "dtype=float64"),
    ("components",),
    ("schema",),
    ("completion", "bash"),
    ("help", "train"),
    ("init", "new.yaml"),
    ("data", "data.csv"),
    ("cache",),
    ("predict", TABLE_RUN, "data.csv"),
    ("plot", RUN),
    ("report", RUN),
    ("profile", "config.yaml", "--seconds", "1"),
)


def suite_problems(directory: Path, options: tuple[str, ...] = (), **variables: str) -> list[str]:
    """Run the test suite in a directory; its output if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(directory), **variables}
    done = subprocess.run([*SUITE, *options], cwd=directory, env=environment, capture_output=True, check=False)
    last = done.stdout.decode(errors="replace").strip().splitlines()[-1:]
    print(f"{directory.name}: {' '.join(last)}", flush=True)
    return [] if done.returncode == 0 else [done.stdout.decode(errors="replace")[-4000:]]


def c_locale(_: Path) -> list[str]:
    """The test suite in the C locale."""
    return suite_problems(ROOT, ("-W", ENCODINGS), LC_ALL="C", PYTHONWARNDEFAULTENCODING="1")


def unusual_path(work: Path) -> list[str]:
    """The test suite in a directory with an unusual name."""
    directory = work / DIRECTORY
    directory.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, directory / name)
    return suite_problems(directory)


def standard_streams(work: Path, commands: int = len(COMMANDS)) -> list[str]:
    """The first commands with unusual standard streams."""
    problems, count = list[str](), 0
    for case, streams in cases().items():
        directory = small_runs.working_directory(work / DIRECTORY / case, config_text(epochs=3))
        for name in (NAME, "other", "unneeded"):
            child_processes.run(("train", "config.yaml", "--name", name, "-q"), directory)
        (directory / "data.csv").write_text(TABLE, encoding="utf-8")
        child_processes.run(("train", "config.yaml", *TABLE_OVERRIDES, "--name", Path(TABLE_RUN).name, "-q"), directory)
        if case != "limited size":
            shutil.rmtree(directory / RUN)
        for arguments in COMMANDS[:commands]:
            if case == "limited size" and arguments in COMMANDS[:TRAINING]:  # the limit ends them before they print
                continue
            found = list(_stream_problems(case, arguments, directory, streams))
            problems += [f"{case}: {' '.join(arguments)}: {problem}" for problem in found]
            count += 1
    print(f"streams: {count} commands, {len(problems)} wrong", flush=True)
    return problems


def cases() -> dict[str, tuple[str, Mapping[str, str], int]]:
    """By name: a shell command with {} for the command, environment variables, and the expected exit code."""
    return {
        "standard output closed": ("{} >&-", {}, 0),
        "standard output full": ("{} >/dev/full", {}, 5),
        "limited size": ("head -c 1020 /dev/zero >cut; ulimit -f 1; {} >>cut", {"PYTHONUNBUFFERED": "1"}, 5),
        "standard output without a reader": ("{} | true", {}, 0),
        "standard error full": ("{} 2>/dev/full", {}, 0),
        "standard error closed": ("{} 2>&-", {}, 0),
        "standard error a full pipe": (FULL_PIPE, {}, 0),
        "both closed": ("{} >&- 2>&-", {}, 0),
        "ASCII": ("{}", ASCII, 0),
        "one column": ("{}", {"COLUMNS": "1"}, 0),
        "no docstrings": ("{}", {"PYTHONOPTIMIZE": "2"}, 0),
    }


def _stream_problems(
    case: str, arguments: tuple[str, ...], directory: Path, streams: tuple[str, Mapping[str, str], int]
) -> Iterator[str]:
    """Problems of a command: another exit code, or a traceback."""
    line, variables, code = streams
    if case == "no docstrings" and arguments[0] in {"explain", "components"}:
        code = 2
    line = line.format(subprocess.list2cmdline(child_processes.command(arguments)))
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        cwd=directory,
        env={**child_processes.environment(), **variables},
        capture_output=True,
        check=False,
    )
    if done.returncode != code:
        yield f"exit {done.returncode}: {done.stderr.decode(errors='replace').strip()[-200:]}"
    if b"Traceback" in done.stderr + done.stdout or b"Exception ignored" in done.stderr:
        yield f"a traceback: {done.stderr.decode(errors='replace')[-400:]}"


PARTS = {"locale": c_locale, "path": unusual_path, "streams": standard_streams}


def main() -> int:
    """Run the command line; returns 1 if a test case fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=PARTS, help="default: all")
    parser.add_argument("--few", action="store_true", help="only the first commands, which train or evaluate")
    arguments = parser.parse_args()
    problems = []
    for name, part in PARTS.items():
        if arguments.part in (None, name):
            with tempfile.TemporaryDirectory(prefix="environments-", ignore_cleanup_errors=True) as directory:
                problems += (
                    part(Path(directory), TRAINING) if arguments.few and name == "streams" else part(Path(directory))
                )
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
