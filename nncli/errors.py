"""The errors that are meant for the user, as one tree with its exit codes; this module imports nothing of the package.

NncliError
├── WorkerError        1  a process among which steps are divided was ended, or cannot start
├── CommandLineError   2  the command line or the arguments are wrong
│   └── MissingExtraError         they need a package that is not installed          .extra
├── ConfigError        3  the config or the data is wrong              .diagnostics
├── RunError           4  a run directory is missing or damaged        .path
│   └── UnsupportedVersionError   it was made by a newer version of nncli
├── StorageError       5  storage failed: full, read-only, unreadable, input/output error
├── BusyError          6  in use by another process, or exists already
├── DivergedError      7  training diverged: NaN or infinity           .epoch .batch .layer .array .index .path
├── GateError          8  a check failed: a metric missed its threshold, or gradients are wrong
└── InterruptionError  128 + signal number: 129 SIGHUP, 130 Ctrl-C, 143 SIGTERM   .signum .path

A message says where, what is wrong with the value given, and what would be right; lower case, no full stop.
"""

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class NncliError(Exception):
    """An error that the user can fix.

    ``exit_code`` is the exit code of the process, and ``path`` the run directory that the error is about, if known.
    """

    exit_code = 1
    path: Path | None = None


class CommandLineError(NncliError):
    """The command line, or an argument of the Python API, is wrong."""

    exit_code = 2


class MissingExtraError(CommandLineError):
    """What is asked for needs an optional package that is not installed; neither config nor data has to be changed.

    Args:
        purpose: what needs it, such as ``images``.
        extra: the extra of nncli that installs it.
    """

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} need an extra that is not installed; install it: pip install 'nncli[{extra}]'")
        self.extra = extra


class ConfigError(NncliError):
    """The config or the data is wrong.

    Args:
        message: all problems as text, each beginning on a new line.
        diagnostics: the problems, each with its location in the config, its path and its message.
    """

    exit_code = 3

    def __init__(self, message: str, diagnostics: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)


class RunError(NncliError):
    """A run directory is missing or damaged, or does not belong to the config.

    Args:
        message: which file is wrong, and why.
        path: the run directory, if known.
    """

    exit_code = 4

    def __init__(self, message: str, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path


class UnsupportedVersionError(RunError):
    """A run was made by a newer version of nncli, whose files this version cannot read."""


class StorageError(NncliError):
    """Storage failed: full, read-only, unreadable, or an input/output error; the files of the run may be intact."""

    exit_code = 5


class BusyError(NncliError):
    """The run is in use, or the name to create exists already."""

    exit_code = 6


class DivergedError(NncliError):
    """Training met a value that is NaN or infinite.

    Args:
        message: when, which value was the first, and what may help.
        epoch: completed epochs.
        batch: completed batches of the epoch in progress; None between epochs and in full batch.
        layer: the index of the layer, if the value belongs to one.
        array: the name of the array, such as ``weights`` or ``outputs``.
        index: the index of the value in the array.

    If a training diverges, ``path`` is its run directory.
    """

    exit_code = 7

    def __init__(
        self,
        message: str,
        *,
        epoch: int | None = None,
        batch: int | None = None,
        layer: int | None = None,
        array: str | None = None,
        index: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(message)
        self.epoch, self.batch, self.layer, self.array, self.index = epoch, batch, layer, array, index


class WorkerError(NncliError):
    """A process among which the steps of a training are divided has ended, such as by a signal, or cannot start."""


class GateError(NncliError):
    """A check failed: a metric did not meet its threshold, or the gradient check did not pass."""

    exit_code = 8


class InterruptionError(NncliError):
    """A signal ended training; the run can be resumed from its newest checkpoint.

    The first signal ends it after a checkpoint of the current state, a second one at once.

    Args:
        message: how far training is, and how to resume it.
        signum: the number of the signal.
        path: the run directory.
    """

    def __init__(self, message: str, signum: int, path: Path | None = None) -> None:
        super().__init__(message)
        self.signum, self.exit_code, self.path = signum, 128 + signum, path


def reason_of(error: OSError) -> str:
    """The reason of an error of the operating system, with a fix if files are too many."""
    fix = "; raise the limit, as with 'ulimit -n 256'" if error.errno == errno.EMFILE else ""
    return f"{error.strerror or error}{fix}"
