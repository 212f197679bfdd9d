"""The only floor that prints, reads the command line, or knows rich and click; it computes nothing.

Everything heavy is imported inside the commands, so that ``nncli --help`` starts without NumPy.
"""

import errno
import io
import os
import re
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from mmap import mmap

import click

from nncli import __version__
from nncli.cli.commands.check import check
from nncli.cli.commands.compare import compare
from nncli.cli.commands.components import components
from nncli.cli.commands.evaluate import evaluate
from nncli.cli.commands.explain import explain
from nncli.cli.commands.gradcheck import gradcheck
from nncli.cli.commands.init import init
from nncli.cli.commands.profile import profile
from nncli.cli.commands.runs import runs
from nncli.cli.commands.show import show
from nncli.cli.commands.train import train
from nncli.cli.commands.verify import verify
from nncli.cli.docstrings import REMOVED
from nncli.cli.output import standard_streams
from nncli.errors import ConfigError, NncliError, StorageError

SIZES = ("COLUMNS", "LINES")
# one thread is faster at most sizes, and gives the same bits on any number of cores
SINGLE_THREAD_ENV = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
ADDRESS_SPACE = 160 * 2**20  # bytes that NumPy and the buffers of its BLAS take before any array


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="nncli")
def nncli() -> None:
    """Train small neural networks from a YAML file."""


for _command in (init, check, show, explain, gradcheck, profile, train, evaluate, compare, runs, verify, components):
    nncli.add_command(_command)
for _command in (nncli, *nncli.commands.values()):
    _command.help = _command.help or REMOVED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; the one place where errors become codes."""
    _prepare()
    words = list(sys.argv[1:] if arguments is None else arguments)
    with standard_streams():
        try:
            _require_address_space()
            with nncli.make_context("nncli", words) as context:  # nncli.main() gives a closed pipe a code of its own
                nncli.invoke(context)
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:
            message, code = _told(error)
            with suppress(StorageError, BrokenPipeError):  # the error that came first decides
                sys.stdout.flush()
            if message:
                print(message, file=sys.stderr)
            return code
    return 0


def _prepare() -> None:
    """Set this process up: its descriptors, its threads, and the size of its terminal."""
    for descriptor in range(3):  # one that is closed would become a file of a run, and take what is printed
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    os.environ.update(SINGLE_THREAD_ENV)
    for name in SIZES:  # rich, click and plotext read it, and fail where it is no usual number
        if not re.fullmatch("[0-9]{1,4}", os.environ.get(name, "")):
            os.environ.pop(name, None)


def _require_address_space() -> None:
    """Refuse a limit under which NumPy cannot be imported, or OpenBLAS ends the process.

    Raises:
        ConfigError: the limit is that small.
    """
    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        try:
            mmap(-1, ADDRESS_SPACE).close()
        except OSError:
            need = f"{ADDRESS_SPACE // 2**20} MiB of address space"
            raise ConfigError(f"NumPy needs {need} more than the limit leaves; raise it, as with ulimit -v") from None


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
            fix = "; allow more, as with 'ulimit -n 256'" if error.errno == errno.EMFILE else ""
            told = f"{error.filename or 'the system'}: {error.strerror or error}{fix}", 5
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
