"""The message for an interpreter that has removed the docstrings, which help and explanations are made of."""

import sys

from nncli.errors import CommandLineError

REMOVED = "python -OO and PYTHONOPTIMIZE=2 remove the docstrings that this command prints; use PYTHONOPTIMIZE=1"


def require_docstrings() -> None:
    """Refuse to run a command that prints docstrings without them.

    Raises:
        CommandLineError: the interpreter has removed them.
    """
    if sys.flags.optimize > 1:
        raise CommandLineError(REMOVED)
