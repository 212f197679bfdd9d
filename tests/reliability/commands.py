"""Commands run in this process, their output caught, and what a user must never see of one."""

import io
import os
import re
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

from nncli.cli import main

DOCUMENTED = {0, 2, 3, 4, 5, 6, 7, 8, 129, 130, 143}
MOST_LINES = 6  # of an error; a spec's problems are told one by one, and counted by themselves
CONTROL = {*map(chr, (*range(32), *range(127, 160)))} - {"\n"}
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
    out, err, kept = io.StringIO(), io.StringIO(), os.dup(1)
    try:
        with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("always")
            code = main(list(words))
    finally:
        os.dup2(kept, 1)  # which a refused output closes
        os.close(kept)
    return Outcome(code, out.getvalue(), err.getvalue())


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
    if found := CONTROL & set(outcome.out + outcome.err):
        return f"control characters {sorted(found)}"
    return None
