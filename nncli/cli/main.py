"""The command ``nncli``: its list of commands, and the exit code of each error."""

import io
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import click

from nncli.cli.docstrings import REMOVED
from nncli.cli.output import print_error, print_json_error, standard_streams
from nncli.errors import ConfigError, NncliError, StorageError, reason_of
from nncli.runner.single_thread import SINGLE_THREAD_ENV
from nncli.version import __version__

if TYPE_CHECKING:
    from collections.abc import MutableMapping

TERMINAL_SIZE_ENV = ("COLUMNS", "LINES")
JSON_OPTION = "--json"
COMPLETE_ENV = "_NNCLI_COMPLETE"  # set by the completion script of a shell
ADDRESS_SPACE = 160 * 2**20  # bytes that NumPy and the buffers of its BLAS take before any array
TASKS = {  # the commands by what they are for, in the order in which a user needs them
    "Start": ("init", "data", "check", "show"),
    "Train": ("train", "sweep", "worker", "cache"),
    "Results": ("evaluate", "plot", "report", "predict", "compare", "runs", "note", "rm", "verify"),
    "Understand": ("explain", "gradcheck", "profile"),
    "Reference": ("components", "schema", "completion", "help"),
}
COMMANDS = tuple(name for names in TASKS.values() for name in names)
RENAMED = {"runs": "runs-dir", "fail-under": "fail-below", "fail-over": "fail-above"}  # older names of options
EPILOG = """'nncli COMMAND --help' prints the options of a command, with examples.

\b
Exit codes:
  0  success                          5  input/output error
  1  internal error                   6  busy, or exists already
  2  command line is wrong            7  training diverged
  3  config or data is wrong          8  requirement not met
  4  run is missing or damaged        129, 130, 143  stopped by a signal
"""


class Commands(Mapping[str, click.Command]):
    """The commands by name; the module of a command is imported when the command is first looked up."""

    def __getitem__(self, name: str) -> click.Command:
        """The command ``name``, defined in ``nncli.cli.commands.name``."""
        if name not in COMMANDS:
            raise KeyError(name)
        command: click.Command = getattr(import_module(f"nncli.cli.commands.{name}"), name)
        command.help = command.help or REMOVED
        return command

    def __iter__(self) -> Iterator[str]:
        """The names of the commands."""
        return iter(COMMANDS)

    def __len__(self) -> int:
        """The number of commands."""
        return len(COMMANDS)


class CommandGroup(click.Group):
    """A group that lists its commands by task, in the order in which a user needs them."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """The names of the commands, in the order of ``COMMANDS``."""
        return list(self.commands)

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section with the commands of each task; the summaries of all begin in the same column."""
        width = max(map(len, COMMANDS))
        limit = formatter.width - width - 6
        for task, names in TASKS.items():
            rows = [(f"{name:<{width}}", self.commands[name].get_short_help_str(limit)) for name in names]
            with formatter.section(task):
                formatter.write_dl(rows)


@click.group(
    cls=CommandGroup,
    commands=cast("MutableMapping[str, click.Command]", Commands()),  # click only reads it
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "token_normalize_func": lambda name: RENAMED.get(name, name),
    },
    epilog=EPILOG,
)
@click.version_option(__version__, "-V", "--version", prog_name="nncli")
def nncli() -> None:
    """Train small neural networks from a YAML config.

    \b
    Example:
      nncli init
      nncli train config.yaml optimizer.learning_rate=0.01
      nncli evaluate config
    """  # noqa: D301 (click keeps the lines after a backspace)


nncli.help = nncli.help or REMOVED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; errors become exit codes here and nowhere else."""
    _prepare_process()
    words = list(sys.argv[1:] if arguments is None else arguments)
    with standard_streams():
        try:
            _run(words)
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:
            explained = _explained(error, words)
            message, code = _exit_message(explained)
            with suppress(StorageError, BrokenPipeError):  # the first error decides the exit code
                if message and JSON_OPTION in words:
                    print_json_error(_error_document(explained, message, code))
                sys.stdout.flush()
            if message:
                print_error(message)
            return code
    return 0


def _run(words: list[str]) -> None:
    """Run a command, or complete one for the shell.

    ``nncli.main()`` of click does the same, but its exit code for a closed pipe is 1.
    """
    if COMPLETE_ENV in os.environ:
        from nncli.cli.shells import complete

        raise click.exceptions.Exit(complete(nncli, COMPLETE_ENV))
    _require_address_space()
    with nncli.make_context("nncli", list(words)) as context:
        nncli.invoke(context)


def _prepare_process() -> None:
    """Prepare the file descriptors, the number of BLAS threads and the terminal size of this process."""
    for descriptor in range(3):  # a closed one would be reused for a file of a run, which output would overwrite
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    os.environ.update(SINGLE_THREAD_ENV)
    for name in TERMINAL_SIZE_ENV:  # rich, click and plotext read them, and fail if they are not ordinary integers
        if not re.fullmatch("[0-9]{1,4}", os.environ.get(name, "")):
            os.environ.pop(name, None)


def _require_address_space() -> None:
    """Refuse a memory limit under which NumPy cannot be imported, or OpenBLAS would abort the process.

    Raises:
        ConfigError: the limit is too low.
    """
    import resource

    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        from mmap import mmap

        try:
            mmap(-1, ADDRESS_SPACE).close()
        except OSError:
            needed = f"{ADDRESS_SPACE // 2**20} MiB of address space"
            raise ConfigError(f"NumPy needs {needed} more than the limit leaves; raise it, as with ulimit -v") from None


def _explained(error: BaseException, words: Sequence[str]) -> BaseException:
    """The error; that of a command or option that does not exist also says what to write instead."""
    if isinstance(error, click.NoSuchCommand | click.NoSuchOption):
        from nncli.cli.usage_errors import explained

        return explained(error, words)
    return error


def _error_document(error: BaseException, message: str, code: int) -> dict[str, Any]:
    """An error as JSON values: the message without the usage, the exit code, the diagnostics of an invalid config."""
    text = error.format_message() if isinstance(error, click.ClickException) else message
    document: dict[str, Any] = {"message": text, "exit_code": code}
    if isinstance(error, NncliError) and error.path:
        document["run"] = str(error.path)
    if isinstance(error, ConfigError):
        from nncli.config.diagnostics import as_documents

        document["diagnostics"] = as_documents(error.diagnostics)
    return document


def _exit_message(error: BaseException) -> tuple[str, int]:
    """The message and the exit code of an error."""
    match error:
        case NncliError():
            result = str(error), error.exit_code
        case click.exceptions.Exit():
            result = "", error.exit_code
        case click.ClickException():
            result = _usage_text(error), error.exit_code
        case click.Abort() | KeyboardInterrupt():
            result = "interrupted", 130
        case BrokenPipeError():  # the reader has closed the pipe, as head does
            result = "", 0
        case OSError():
            result = f"{error.filename or 'operating system'}: {reason_of(error)}", 5
        case MemoryError():
            result = "out of memory; use fewer units, fewer rows or a smaller batch_size", 3
        case _:
            result = _crash_report(error), 1
    return result


def _usage_text(error: click.ClickException) -> str:
    """What click prints for a wrong command line: usage, a hint, and the message."""
    text = io.StringIO()
    error.show(text)
    return text.getvalue().rstrip("\n")


def _crash_report(error: BaseException) -> str:
    """Write the traceback to a file, and return a message of one line."""
    import tempfile
    import traceback

    message = f"internal error: {type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
    try:
        descriptor, path = tempfile.mkstemp(".txt", "nncli-crash-", text=True)
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123 (a file descriptor)
            file.write(f"nncli {__version__}\n{''.join(traceback.format_exception(error))}")
    except OSError as refused:
        return f"{message}; the crash report could not be written: {refused}"
    return f"{message}; crash report: {path}"
