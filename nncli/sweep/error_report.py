"""The error of a worker as a message to the process that waits for it."""

from typing import NamedTuple

from nncli.errors import BusyError, CommandLineError, ConfigError, RunError, StorageError

ERRORS = {error.exit_code: error for error in (CommandLineError, ConfigError, RunError, StorageError, BusyError)}


class ErrorReport(NamedTuple):
    """The error that ended a worker: its exit code and its message; exit code 1 and a traceback if it is a bug."""

    exit_code: int
    message: str

    def error(self) -> Exception:
        """An exception of this process with this message."""
        return ERRORS[self.exit_code](self.message) if self.exit_code in ERRORS else RuntimeError(self.message)
