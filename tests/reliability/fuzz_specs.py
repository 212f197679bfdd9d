"""Mutated specs: each is read, or refused with file, line and column of every problem; nothing else happens."""

import re
from itertools import combinations
from pathlib import Path

from nncli.config.model import Config
from nncli.errors import ConfigError, NncliError
from nncli.experiment.assembly import assemble
from nncli.experiment.data_plan import open_data
from nncli.experiment.loading import load
from nncli.experiment.summary import memory_bytes, split_rows
from tests.conftest import ROOT, SPEC
from tests.reliability.commands import blemish, run
from tests.reliability.mutations import other_spec
from tests.reliability.tally import HangError, Portion, Tally, bounded_time, peak

LEAKING = SPEC.replace("samples: 20", "samples: 20, seed: 4")  # training and validation sets alike
SPECS = [SPEC, LEAKING, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "configs").rglob("*.yaml")))]
CHECKED = 0.02  # the share that goes through the command ``check`` too
MOST_ROWS = 10_000  # up to which the rows of an accepted spec are drawn and compared
DRAWN = 2**26  # bytes of arrays up to which they are
MOST_GROWTH = 2**27
MOST_LINES = 160  # fifty problems of three lines each, and how many more there are
SNIPPET = "    "

FAULTS = {
    "an error of the YAML parser is not caught": {
        "nncli/config/document.py": ("except (ValueError, OverflowError):", "except UnicodeError:")
    },
    "depth is not bounded": {"nncli/config/document.py": ("if depth > MAX_DEPTH:", "if depth > 10**9:")},
    "a problem is told without its column": {
        "nncli/config/diagnostics.py": (
            "{self.place.source.name}:{self.place.line}:{self.place.column}",
            "{self.place.source.name}:{self.place.line}",
        )
    },
    "an alias of nothing is looked up": {
        "nncli/config/document.py": ("if event.anchor not in self.anchors:", "if not event.anchor:")
    },
    "leaks between splits are not looked for": {
        "nncli/experiment/leakage.py": ('@needs("data"', '@needs("no section", "data"')
    },
    "a snippet steers the terminal": {
        "nncli/config/diagnostics.py": (
            "part = sanitized_line(line[start : start + SNIPPET_WIDTH])",
            "part = line[start : start + SNIPPET_WIDTH]",
        )
    },
}


def attack(portion: Portion) -> Tally:
    """Read so many mutated specs."""
    tally, before, random = Tally(), peak(), portion.random
    path = portion.folder / "spec.yaml"
    for _ in range(portion.count):
        data = other_spec(random, SPECS)
        path.write_bytes(data)
        wrong = judged(path, data, tally)
        if wrong is None and random.random() < CHECKED:
            wrong = checked(path, tally)
        if wrong:
            tally.fail(wrong, data, portion.kept)
    tally.bound_memory(before, MOST_GROWTH, portion.kept)
    return tally


def judged(path: Path, data: bytes, tally: Tally) -> str | None:
    """What is wrong with the way in which a config is read; None where that is nothing."""
    try:
        with bounded_time():
            spec = load(path).config
    except NncliError as error:
        tally.outcomes["refused"] += 1
        return (
            misplaced(str(error), path, data) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"
        )
    except (Exception, HangError) as error:
        tally.outcomes["failed"] += 1
        return f"{type(error).__name__}: {error}"[:500]
    tally.outcomes["accepted"] += 1
    return leakage(spec) if isinstance(spec, Config) else f"a config is a {type(spec).__name__}"


def leakage(spec: Config) -> str | None:
    """Which splits of an accepted spec have more than a single row in common."""
    plan = open_data(spec)
    if sum(split_rows(spec, plan).values()) > MOST_ROWS or memory_bytes(spec, plan) > DRAWN:
        return None
    rows = {name: {row.tobytes() for row in part.inputs + 0.0} for name, part in assemble(spec).data.items()}
    pairs = [pair for pair in combinations(rows, 2) if len(rows[pair[0]] & rows[pair[1]]) > 1]
    return f"common rows in {pairs}" if pairs else None


def misplaced(message: str, path: Path, data: bytes) -> str | None:
    """Which line of a message is neither a problem at a place in the text, nor a snippet."""
    last = len(re.split(rb"\r\n|[\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9]", data)) + 1
    if not message.startswith(f"{path}:"):
        return f"does not begin with the file: {message[:200]!r}"
    for line in message.split("\n"):
        if not line.isprintable():
            return f"control characters in {line[:200]!r}"
        if line.startswith(SNIPPET) or re.fullmatch(r"\.\.\. and \d+ more problems", line):
            continue
        found = re.match(rf"{re.escape(str(path))}:(\d+):(\d+): .", line)
        if not found or not 1 <= int(found[1]) <= last or not 1 <= int(found[2]) <= len(data) + 1:
            return f"no place of the text in {line[:200]!r}"
    return None


def checked(path: Path, tally: Tally) -> str | None:
    """What is wrong with what the command ``check`` says of a spec."""
    tally.outcomes["checked"] += 1
    with bounded_time():
        outcome = run(["check", str(path)])
    return blemish(outcome, MOST_LINES) or (f"exit code {outcome.code}" if outcome.code not in {0, 3} else None)
