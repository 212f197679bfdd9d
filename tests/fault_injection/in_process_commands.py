"""Run commands in this process, capture their output, and check what a user must never see."""

import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from nncli.cli.main import main

EXIT_CODES = {0, 2, 3, 4, 5, 6, 7, 8, 129, 130, 143}
MAX_LINES = 6  # of an error message, except for diagnostics of a config
# messages of Python itself
INTERNAL = re.compile(
    r"Traceback|Warning|\w\(\) (argument|got|missing|takes)|\bobject (is not|has no)\b|values to unpack"
)


class Outcome(NamedTuple):
    """The result of a command: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


def run(arguments: Sequence[str]) -> Outcome:
    """Run a command of nncli."""
    with captured() as text, warnings.catch_warnings():
        warnings.simplefilter("always")
        code = main(list(arguments))
    return Outcome(code, *text)


@contextmanager
def captured() -> Iterator[list[str]]:
    """Capture the descriptors of standard output and standard error; the texts are in the list afterwards."""
    text: list[str] = []
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in range(2)]
        duplicates = [os.dup(descriptor) for descriptor in (1, 2)]
        try:
            for descriptor, file in enumerate(files, 1):
                os.dup2(file.fileno(), descriptor)
            yield text
        finally:
            for descriptor, duplicate in enumerate(duplicates, 1):
                os.dup2(duplicate, descriptor)
                os.close(duplicate)
        for file in files:
            file.seek(0)
            text.append(file.read())


def output_problem(outcome: Outcome, max_lines: int = MAX_LINES) -> str | None:
    """What a user must never see of a command, whatever its input is; None if there is no such thing."""
    lines = outcome.err.splitlines()
    if outcome.code not in EXIT_CODES:
        return f"exit code {outcome.code}: {lines[:3]}"
    if outcome.code and not lines:
        return f"exit code {outcome.code} without a message"
    if internal := [line for line in (*lines, *outcome.out.splitlines()) if INTERNAL.search(line)]:
        return f"a traceback, a warning or a message of Python's own: {internal[:5]}"
    if len(lines) > max_lines:
        return f"{len(lines)} lines of errors: {lines[:3]}"
    if found := {each for each in outcome.out + outcome.err if not each.isprintable() and each not in "\n\t"}:
        return f"control characters {sorted(found)}"
    return None
