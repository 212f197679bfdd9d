"""Every error that is meant for the user, as one tree with its exit codes; it imports nothing of the package.

NncliError
├── CommandLineError   2  the command line is wrong
├── ConfigError          3  the config or the data is wrong
├── RunError           4  a run directory is missing, damaged or does not fit
│   └── UnsupportedVersionError   it was made by a newer version of nncli
├── StorageError       5  storage failed: full, read-only, unreadable, input/output error
├── BusyError          6  busy, or exists already
├── DivergedError      7  training diverged: NaN or infinity
├── GateError          8  a gate was not met
└── InterruptionError  128 + the signal's number: 129 after SIGHUP, 130 after Ctrl-C, 143 after SIGTERM

A message says where, what is wrong with the value it got, and what would be right; lower case, no full stop.
"""


class NncliError(Exception):
    """Something the user can mend; ``exit_code`` is what the process ends with."""

    exit_code = 1


class CommandLineError(NncliError):
    """The command line is wrong."""

    exit_code = 2


class ConfigError(NncliError):
    """The config or the data is wrong; the message may hold several problems, one a paragraph."""

    exit_code = 3


class RunError(NncliError):
    """A run directory is missing, damaged or does not fit."""

    exit_code = 4


class UnsupportedVersionError(RunError):
    """A run was made by a newer version of nncli, whose files this one does not understand."""


class StorageError(NncliError):
    """Storage failed: full, read-only, unreadable, an input/output error. It says nothing about what is stored."""

    exit_code = 5


class BusyError(NncliError):
    """Somebody else holds it, or it exists already."""

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


class GateError(NncliError):
    """A measured value is not what a gate asked for."""

    exit_code = 8


class InterruptionError(NncliError):
    """A signal ended training, after what was reached had been written.

    Args:
        message: what was kept, and where.
        signum: the number of the signal.
    """

    def __init__(self, message: str, signum: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signum
