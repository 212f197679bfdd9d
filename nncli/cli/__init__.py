"""The only floor that prints, reads the command line, or knows rich and click; it computes nothing.

Everything heavy is imported inside the commands, so that ``nncli --help`` starts without NumPy.
"""

import gc
import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from nncli import __version__
from nncli.cli.check import check
from nncli.cli.compare import compare
from nncli.cli.components import components
from nncli.cli.evaluate import evaluate
from nncli.cli.explain import explain
from nncli.cli.gradcheck import gradcheck
from nncli.cli.init import init
from nncli.cli.profile import profile
from nncli.cli.runs import runs
from nncli.cli.show import show
from nncli.cli.threads import ONE
from nncli.cli.train import train
from nncli.cli.verify import verify
from nncli.errors import NncliError

OBJECTS = 50_000  # made between two searches for garbage: a start makes so many, hardly any garbage, and is 8 ms faster


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="nncli")
def nncli() -> None:
    """Train small neural networks from a YAML file."""


for _command in (init, check, show, explain, gradcheck, profile, train, evaluate, compare, runs, verify, components):
    nncli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; the one place where errors become codes."""
    try:
        _prepare()
        words = list(sys.argv[1:] if arguments is None else arguments)
        with nncli.make_context("nncli", words) as context:  # nncli.main() would give a closed pipe a code of its own
            nncli.invoke(context)
        if sys.stdout is not None:
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, OSError):  # what is still to be printed goes nowhere, lest the process end with that
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        message, code = _told(error)
        with suppress(OSError, AttributeError):  # standard error may be full or closed
            if message:
                print(_printable(message), file=sys.stderr, flush=True)
        return code
    finally:
        if arguments is None:  # the process ends: no search for garbage in all that it has imported, which takes 18 ms
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # and no further Ctrl-C, which would be a traceback
            gc.freeze()
    return 0


def _prepare() -> None:
    """Set this process up: its streams, its threads, and how often it looks for garbage."""
    for descriptor in range(3):  # one that is closed would become a file of a run, and take what is printed
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    os.environ.update(ONE)
    gc.set_threshold(OBJECTS)
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a sign shows another one
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _told(error: BaseException) -> tuple[str, int]:
    """What to say of an error, and the exit code that it stands for."""
    match error:
        case NncliError():
            told = str(error), error.exit_code
        case click.exceptions.Exit():
            told = "", error.exit_code
        case click.ClickException():
            told = _shown(error), error.exit_code
        case click.Abort() | KeyboardInterrupt():
            told = "interrupted", 130
        case BrokenPipeError():  # whoever read our output has enough
            told = "", 0
        case OSError():
            told = f"standard output: {error.strerror or error}", 5
        case MemoryError():
            told = "out of memory; fewer units, fewer rows or a smaller batch_size need less", 3
        case _:
            told = _bug(error), 1
    return told


def _shown(error: click.ClickException) -> str:
    """What click says of a wrong command line: usage, a hint, and the message."""
    written = io.StringIO()
    error.show(written)
    return written.getvalue().rstrip("\n")


def _printable(message: str) -> str:
    """A message in which a name out of a run, or of a file, cannot steer the terminal."""
    from nncli.spec.problems import harmless

    return "\n".join(map(harmless, message.split("\n")))


def _bug(error: BaseException) -> str:
    """Put the traceback into a file, and say so in one line."""
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    said = f"a bug in nncli: {type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
    try:
        descriptor, path = tempfile.mkstemp(".txt", "nncli-bug-", text=True)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 (of a descriptor)
            file.write(f"nncli {__version__}\n{text}")
    except OSError as refused:
        return f"{said}; its traceback could not be written: {refused}"
    return f"{said}; the traceback is in {path}"
