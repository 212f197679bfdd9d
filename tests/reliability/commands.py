"""Commands run in this process, their output caught, and what a user must never see of one."""

import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from nncli.cli.main import main

DOCUMENTED = {0, 2, 3, 4, 5, 6, 7, 8, 129, 130, 143}
MOST_LINES = 6  # of an error; a spec's problems are told one by one, and counted by themselves
# what Python itself says of an error
INTERNAL = re.compile(
    r"Traceback|Warning|\w\(\) (argument|got|missing|takes)|\bobject (is not|has no)\b|values to unpack"
)


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def run(words: Sequence[str]) -> Outcome:
    """Run a command as ``nncli`` with these words."""
    with captured() as text, warnings.catch_warnings():
        warnings.simplefilter("always")
        code = main(list(words))
    return Outcome(code, *text)


@contextmanager
def captured() -> Iterator[list[str]]:
    """What the descriptors of standard output and standard error take meanwhile, known at the end."""
    text: list[str] = []
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in range(2)]
        kept = [os.dup(descriptor) for descriptor in (1, 2)]
        try:
            for descriptor, file in enumerate(files, 1):
                os.dup2(file.fileno(), descriptor)
            yield text
        finally:
            for descriptor, before in enumerate(kept, 1):
                os.dup2(before, descriptor)
                os.close(before)
        for file in files:
            file.seek(0)
            text.append(file.read())


def blemish(outcome: Outcome, most_lines: int = MOST_LINES) -> str | None:
    """What a user must never see of a command, whatever its input was; None where there is nothing."""
    lines = outcome.err.splitlines()
    if outcome.code not in DOCUMENTED:
        return f"exit code {outcome.code}: {lines[:3]}"
    if outcome.code and not lines:
        return f"exit code {outcome.code} without a word"
    if internal := [line for line in (*lines, *outcome.out.splitlines()) if INTERNAL.search(line)]:
        return f"a traceback, a warning or a message of Python's own: {internal[:5]}"
    if len(lines) > most_lines:
        return f"{len(lines)} lines of errors: {lines[:3]}"
    if found := {each for each in outcome.out + outcome.err if not each.isprintable() and each not in "\n\t"}:
        return f"control characters {sorted(found)}"
    return None
