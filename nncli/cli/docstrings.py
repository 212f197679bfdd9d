"""What is printed where Python has removed the docstrings that help and explanations consist of."""

import sys

from nncli.errors import CommandLineError

REMOVED = "python -OO and PYTHONOPTIMIZE=2 remove the docstrings that are printed here; PYTHONOPTIMIZE=1 keeps them"


def require_docstrings() -> None:
    """Refuse a command that prints docstrings.

    Raises:
        CommandLineError: the interpreter has removed them.
    """
    if sys.flags.optimize > 1:
        raise CommandLineError(REMOVED)
