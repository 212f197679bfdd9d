"""Run nncli commands as new processes, or as forks of a process that has imported everything already."""

import gc
import os
import pkgutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT
from tests.fault_injection import FAULT_VARIABLE

STDERR_TAIL = 160  # characters of standard error in a summary


class Outcome(NamedTuple):
    """The result of a command: exit code or minus the signal that ended it, standard output, standard error."""

    code: int
    out: str
    err: str


def environment() -> dict[str, str]:
    """The environment of a command that imports nncli from this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}


def command(arguments: Iterable[str]) -> list[str]:
    """The command line of nncli, with the injected fault of this process if there is one."""
    module = "tests.fault_injection.faulty_nncli" if os.environ.get(FAULT_VARIABLE) else "nncli"
    return [sys.executable, "-m", module, *arguments]


def run(arguments: Iterable[str], cwd: Path, before: Callable[[], None] | None = None) -> Outcome:
    """Run a command in a new process, in which ``before`` is called first."""
    done = subprocess.run(
        command(arguments),
        cwd=cwd,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        preexec_fn=before,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def import_everything() -> None:
    """Import all modules of nncli, so that ``run_forked`` starts commands in milliseconds."""
    os.environ["COLUMNS"] = "200"
    main = import_module("nncli.cli.main")
    os.environ.update(main.SINGLE_THREAD_ENV)
    top = import_module("nncli")
    assert Path(top.__file__).parent.parent == ROOT, f"nncli was imported from {top.__file__}"
    for module in pkgutil.walk_packages(top.__path__, "nncli."):
        if module.name != "nncli.__main__":
            import_module(module.name)
    for name in ("rich.live", "rich.progress_bar", "plotext", "numpy.random", "zipfile"):
        import_module(name)
    gc.collect()
    gc.freeze()


def run_forked(arguments: Sequence[str], cwd: Path) -> Outcome:
    """Run a command in a fork of this process, after ``import_everything``."""
    return wait_for(start_fork(arguments, cwd))


def children() -> set[int]:
    """The processes that this one has started, or adopted, and not waited for, also those that have ended."""
    return {process for process, (parent, _) in _processes().items() if parent == os.getpid()}


def members_of_group(group: int) -> set[int]:
    """The processes of a process group, also those that have ended and that nobody has waited for."""
    return {process for process, (_, own) in _processes().items() if own == group}


def _processes() -> dict[int, tuple[int, int]]:
    """All processes, each with its parent and its process group."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # the process has ended meanwhile
            _, parent, group, *_ = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            found[int(path.parent.name)] = int(parent), int(group)
    return found


class Child(NamedTuple):
    """A command that runs in a fork: its process id, and the files that take its output."""

    process: int
    files: Sequence[int]


def start_fork(arguments: Sequence[str], cwd: Path) -> Child:
    """Start a command in a fork of this process."""
    files = [os.memfd_create(name) for name in ("out", "err")]
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        _run_in_child(arguments, cwd, files)
    return Child(process, files)


def wait_for(child: Child) -> Outcome:
    """Wait for the end of a command."""
    _, status = os.waitpid(child.process, 0)
    return Outcome(os.waitstatus_to_exitcode(status), *map(_content, child.files))


def _run_in_child(arguments: Sequence[str], cwd: Path, files: Sequence[int]) -> None:
    """Run the command, and end this process."""
    code = 70
    try:
        os.chdir(cwd)
        for number, descriptor in enumerate(files, 1):
            os.dup2(descriptor, number)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
        code = import_module("nncli.cli.main").main(list(arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:  # before the command began
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _content(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, encoding="utf-8") as file:
        return file.read()


def summary(outcome: Outcome) -> str:
    """The result of a command in one line: exit code, the end of standard error, failed checks of ``verify``."""
    failed = [" ".join(line.split())[:STDERR_TAIL] for line in outcome.out.splitlines() if "WRONG" in line]
    return f"exit {outcome.code}: {outcome.err.strip()[-STDERR_TAIL:]!r}" + "".join(f" ({each})" for each in failed)
