"""Fuzzing of run directories, through every command that reads one: a short message, and no wrong results."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.conftest import SPEC
from tests.examples import LATE_TEST
from tests.fault_injection.file_damage import FLIPS, OUTSIDE, REPLACEMENTS, TRAPS, missing, mutate, remove
from tests.fault_injection.in_process_commands import Outcome, output_problem, run
from tests.fault_injection.result_counter import ResultCounter, Shard, peak_memory, time_limit

NAME = "run\x1b]52;c;aGk=\x07\u202e"  # of the damaged run; if printed, it would write the terminal's clipboard

# every command that reads a run; {run} is the damaged one, {other} an intact one
READERS = (
    ("evaluate", "{run}", "--json"),
    ("evaluate", "{run}"),
    ("compare", "{run}", "{other}"),
    ("compare", "{other}", "{run}", "--all", "--json"),
    ("compare", "{run}", "{other}", "--csv"),
    ("compare", "{run}", "{other}", "--by", "seed", "--json"),
    ("runs", "{run}/..", "--json"),
    ("runs", "{run}/.."),
    ("runs", "{run}/..", "--csv"),
    ("note", "{run}"),
    ("verify", "{run}", "--json"),
    ("plot", "{run}"),
    ("plot", "{run}", "--confusion", "--weights", "--gradients", "--units", "--json"),
    ("report", "{run}", "-o", "{run}.html"),
    ("report", "{other}", "{run}", "-o", "{run}.html"),
    ("show", "{run}"),
    ("check", "{run}"),
)
KINDS = {  # overrides of each kind of run
    "finished": (),
    "unfinished": (),
    "diverged": ("optimizer={type: sgd, learning_rate: 1e30}",),
    "late test set": LATE_TEST,
}
CHECKSUMMED = {".npz", ".ckpt"}  # damage to these is always detected
EXIT_CODES = {0, 3, 4, 7}  # 3: the config of a run may ask for too much memory
MAX_GROWTH = 2**28
REPLACEMENT_PROBABILITY = 0.05  # that a file is replaced as a whole
SECONDS = 20  # time limit of a command, on a busy machine too


@dataclass(frozen=True)
class Example:
    """A run to be damaged, an intact one on the same data, the bytes of its files, and the output of each reader."""

    kind: str
    path: Path
    other: Path
    files: dict[Path, bytes]
    intact_outcomes: dict[tuple[str, ...], Outcome]

    def read(self, reader: tuple[str, ...]) -> Outcome:
        """Run a reader on the run as it is."""
        arguments = [each.format(run=self.path, other=self.other) for each in reader]
        with time_limit(SECONDS):
            return run(arguments)

    def restore(self) -> None:
        """Restore the files of the run."""
        for path, data in self.files.items():
            remove(path)
            path.write_bytes(data)
        remove(self.path.parent / OUTSIDE)


def examples(directory: Path) -> list[Example]:
    """A run of each kind, each with another one on the same data."""
    config = directory / "config.yaml"
    config.write_text(SPEC.replace("units: 8", "units: 200"), encoding="utf-8")  # weights make up most of a file
    found = [_example(kind, directory / kind.replace(" ", "-"), config) for kind in KINDS]
    for example in found:
        for reader in READERS:
            example.intact_outcomes[reader] = example.read(reader)
            assert output_problem(example.intact_outcomes[reader]) is None, example.intact_outcomes[reader]
    return found


def _example(kind: str, runs: Path, config: Path) -> Example:
    path, other = runs / NAME, runs / "other"
    for name in ("run", "other"):
        outcome = run(["train", str(config), *KINDS[kind], "-q", "--runs-dir", str(runs), "--name", name])
        assert outcome.code == (7 if kind == "diverged" else 0), outcome
    (runs / "run").rename(path)
    if kind == "unfinished":
        missing(path / "weights.npz")
        missing(path / "evaluation.json")
    files = [path / name for name in ("run.json", "metrics.csv", "health.csv", "evaluation.json")]
    files += [path / name for name in ("weights.npz", "snapshots.npz")]
    files += [] if kind == "finished" else [max((path / "checkpoints").iterdir())]  # if it is read
    return Example(kind, path, other, {each: each.read_bytes() for each in files if each.is_file()}, {})


def fuzz(shard: Shard) -> ResultCounter:
    """Damage a file of a run, run every reader, and restore the file."""
    runs, random = examples(shard.directory), shard.random
    results, before = ResultCounter(), peak_memory()
    if shard.index == 0:
        for example in runs:
            for path in example.files:
                for damage in (*REPLACEMENTS, *(FLIPS if path.suffix in CHECKSUMMED else ())):
                    _try(example, path, damage, results, shard.failures)
    for _ in range(shard.count):
        example = random.choice(runs)
        path = random.choice(list(example.files))
        damage = random.choice(REPLACEMENTS) if random.random() < REPLACEMENT_PROBABILITY else partial(mutate, random)
        _try(example, path, damage, results, shard.failures)
    results.bound_memory(before, MAX_GROWTH, shard.failures)
    return results


def _try(
    example: Example, path: Path, damage: Callable[[Path], bool | None], results: ResultCounter, failures: Path
) -> None:
    """Damage one file of a run, and run every reader."""
    try:
        is_sealed = damage(path)
        data = path.read_bytes() if damage not in REPLACEMENTS else b""
        outcomes = {reader: example.read(reader) for reader in READERS}
        may_differ = is_sealed or damage is missing or path.suffix not in CHECKSUMMED
        found = [*_output_problems(outcomes), *([] if may_differ else _wrong_results(example, path.name, outcomes))]
        if damage in TRAPS and all(outcome.code != 4 for outcome in outcomes.values()):
            found.append("no reader rejects it")
    finally:
        example.restore()
    results.outcomes["rejected" if any(outcome.code for outcome in outcomes.values()) else "accepted"] += 1
    for problem in found:
        kind = getattr(damage, "__name__", "other content")
        results.fail(f"{example.kind}: {path.name}: {kind}: {problem}", data, failures)


def _output_problems(outcomes: dict[tuple[str, ...], Outcome]) -> Iterator[str]:
    for reader, outcome in outcomes.items():
        problem = output_problem(outcome) or (f"exit code {outcome.code}" if outcome.code not in EXIT_CODES else None)
        if problem:
            yield f"{reader[0]}: {problem}"


def _wrong_results(example: Example, name: str, outcomes: dict[tuple[str, ...], Outcome]) -> Iterator[str]:
    """Readers that accept a damaged file, and print something else than for the intact run without naming the file."""
    for reader, outcome in outcomes.items():
        if outcome.code == 0 and outcome.out != example.intact_outcomes[reader].out and name not in outcome.out:
            yield f"{' '.join(reader)} prints something else: {outcome.out[:300]!r}"
