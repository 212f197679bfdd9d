"""Fuzzing of configs: each is loaded, or rejected with file, line and column of every problem."""

import re
from itertools import combinations
from pathlib import Path

from nncli.config.model import Config
from nncli.errors import ConfigError, NncliError
from nncli.experiment.assembly import assemble
from nncli.experiment.data_plan import open_data
from nncli.experiment.loading import load
from nncli.experiment.memory import memory_bytes
from nncli.experiment.summary import split_rows
from tests.conftest import ROOT, SPEC
from tests.fault_injection.fuzz_mutators import mutated_config
from tests.fault_injection.in_process_commands import output_problem, run
from tests.fault_injection.result_counter import HangError, ResultCounter, Shard, peak_memory, time_limit

LEAKING = SPEC.replace("samples: 20", "samples: 20, seed: 4")  # equal training and validation sets
CONFIGS = [SPEC, LEAKING, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "configs").rglob("*.yaml")))]
CHECK_PROBABILITY = 0.02  # that the command ``check`` gets a config too
MAX_ROWS = 10_000  # rows of an accepted config that are sampled and compared
MAX_BYTES = 2**26  # of its arrays
MAX_GROWTH = 2**27
MAX_LINES = 160  # fifty diagnostics of three lines each, and the number of others
SNIPPET = "    "


def fuzz(shard: Shard) -> ResultCounter:
    """Load mutated configs."""
    results, before, random = ResultCounter(), peak_memory(), shard.random
    path = shard.directory / "config.yaml"
    for _ in range(shard.count):
        data = mutated_config(random, CONFIGS)
        path.write_bytes(data)
        problem = loading_problem(path, data, results)
        if problem is None and random.random() < CHECK_PROBABILITY:
            problem = check_command_problem(path, results)
        if problem:
            results.fail(problem, data, shard.failures)
    results.bound_memory(before, MAX_GROWTH, shard.failures)
    return results


def loading_problem(path: Path, data: bytes, results: ResultCounter) -> str | None:
    """What is wrong with how a config is loaded; None if nothing is."""
    try:
        with time_limit():
            config = load(path).config
    except NncliError as error:
        results.outcomes["rejected"] += 1
        return (
            location_problem(str(error), path, data)
            if isinstance(error, ConfigError)
            else f"{type(error).__name__}: {error}"
        )
    except (Exception, HangError) as error:
        results.outcomes["failed"] += 1
        return f"{type(error).__name__}: {error}"[:500]
    results.outcomes["accepted"] += 1
    return leakage(config) if isinstance(config, Config) else f"a config is a {type(config).__name__}"


def leakage(config: Config) -> str | None:
    """The splits of an accepted config that have more than one row in common."""
    plan = open_data(config)
    if sum(split_rows(config, plan).values()) > MAX_ROWS or memory_bytes(config, plan) > MAX_BYTES:
        return None
    rows = {name: {row.tobytes() for row in data.inputs + 0.0} for name, data in assemble(config).data.items()}
    pairs = [pair for pair in combinations(rows, 2) if len(rows[pair[0]] & rows[pair[1]]) > 1]
    return f"common rows in {pairs}" if pairs else None


def location_problem(message: str, path: Path, data: bytes) -> str | None:
    """The first line of a message that is neither a diagnostic with a location in the text nor a snippet."""
    last = len(re.split(rb"\r\n|[\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9]", data)) + 1
    if not message.startswith(f"{path}:"):
        return f"does not begin with the file: {message[:200]!r}"
    for line in message.split("\n"):
        if not line.isprintable():
            return f"control characters in {line[:200]!r}"
        if line.startswith(SNIPPET) or re.fullmatch(r"\.\.\. and \d+ more \w+", line):
            continue
        found = re.match(rf"{re.escape(str(path))}:(\d+):(\d+): .", line)
        if not found or not 1 <= int(found[1]) <= last or not 1 <= int(found[2]) <= len(data) + 1:
            return f"no location in {line[:200]!r}"
    return None


def check_command_problem(path: Path, results: ResultCounter) -> str | None:
    """What is wrong with the output of the command ``check``."""
    results.outcomes["checked"] += 1
    with time_limit():
        outcome = run(["check", str(path)])
    return output_problem(outcome, MAX_LINES) or (f"exit code {outcome.code}" if outcome.code not in {0, 3} else None)
