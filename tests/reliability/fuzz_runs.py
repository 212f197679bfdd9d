"""Mutated run directories through every command that reads one: a short word, an exit code, and no other numbers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.conftest import SPEC
from tests.examples import LATE_TEST
from tests.reliability.commands import Outcome, blemish, run
from tests.reliability.run_damage import FLIPS, OUTSIDE, REPLACEMENTS, TRAPS, missing, mutate, remove
from tests.reliability.tally import Portion, Tally, bounded_time, peak

NAME = "run\x1b]52;c;aGk=\x07\u202e"  # of the run that is damaged: it would write a terminal's clipboard

# every command that reads a run; {run} is the damaged one, {other} a whole one that it is held against
READERS = (
    ("evaluate", "{run}", "--json"),
    ("evaluate", "{run}"),
    ("compare", "{run}", "{other}"),
    ("compare", "{other}", "{run}", "--all", "--json"),
    ("compare", "{run}", "{other}", "--csv"),
    ("runs", "{run}/..", "--json"),
    ("runs", "{run}/.."),
    ("verify", "{run}", "--json"),
)
KINDS = {  # a run of each: the overrides that it is trained with
    "finished": (),
    "unfinished": (),
    "diverged": ("optimizer={type: sgd, learning_rate: 1e30}",),
    "late test set": LATE_TEST,
}
DIGESTED = {".npz", ".ckpt"}  # files of which no damage gives other numbers
EXPECTED = {
    0,
    3,
    4,
    7,
}  # what a reader may end with: a spec out of a run may ask for more threads or memory than there is
MOST_GROWTH = 2**28
REPLACED = 0.05  # the share of files that something else takes the place of
SECONDS = 20  # in which any command ends, on a busy machine too

FAULTS = {
    "control characters are printed": {"nncli/cli/output.py": ("[0].isprintable() else", "[0] else")},
    "links are followed": {
        "nncli/store/safe_read.py": ("os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK", "os.O_NONBLOCK")
    },
    "a pipe is waited for": {"nncli/store/safe_read.py": ("os.O_NOFOLLOW | os.O_NONBLOCK", "os.O_NOFOLLOW")},
    "size is no matter": {"nncli/store/safe_read.py": ("if state.st_size > most:", "if state.st_size < 0:")},
    "a damaged archive is not caught": {
        "nncli/store/npz.py": (
            "except Exception as error:  # what a damaged archive",
            "except ArithmeticError as error:  # what a damaged archive",
        )
    },
    "depth of JSON is no matter": {"nncli/store/records.py": ("except RecursionError:", "except ArithmeticError:")},
    "other weights are taken": {
        "nncli/store/run_reader.py": (
            "if len(data) != told.bytes or hashlib.sha256(data).hexdigest() != told.sha256:",
            "if not told:",
        ),
        "nncli/store/npz.py": (
            "version = np.lib.format.read_magic(file)",
            "file._expected_crc = None\n        version = np.lib.format.read_magic(file)",
        ),
    },
}


@dataclass(frozen=True)
class Example:
    """A run to be damaged, a whole one of the same data, the files' bytes, and what each reader says of the whole."""

    kind: str
    path: Path
    other: Path
    files: dict[Path, bytes]
    said: dict[tuple[str, ...], Outcome]

    def ask(self, reader: tuple[str, ...]) -> Outcome:
        """What a reader says of the run as it is."""
        words = [word.format(run=self.path, other=self.other) for word in reader]
        with bounded_time(SECONDS):
            return run(words)

    def restore(self) -> None:
        """Make the run whole again."""
        for path, data in self.files.items():
            remove(path)
            path.write_bytes(data)
        remove(self.path.parent / OUTSIDE)


def examples(folder: Path) -> list[Example]:
    """A run of each kind, each beside one of the same data."""
    config = folder / "config.yaml"
    config.write_text(SPEC.replace("units: 8", "units: 200"), encoding="utf-8")  # so that weights are most of a file
    made = [_example(kind, folder / kind.replace(" ", "-"), config) for kind in KINDS]
    for example in made:
        for reader in READERS:
            example.said[reader] = example.ask(reader)
            assert blemish(example.said[reader]) is None, example.said[reader]
    return made


def _example(kind: str, runs: Path, config: Path) -> Example:
    path, other = runs / NAME, runs / "other"
    for name in ("run", "other"):
        outcome = run(["train", str(config), *KINDS[kind], "-q", "--runs", str(runs), "--name", name])
        assert outcome.code == (7 if kind == "diverged" else 0), outcome
    (runs / "run").rename(path)
    if kind == "unfinished":
        missing(path / "weights.npz")
        missing(path / "evaluation.json")
    files = [path / name for name in ("run.json", "metrics.csv", "evaluation.json", "weights.npz")]
    files += [] if kind == "finished" else [max((path / "checkpoints").iterdir())]  # where it is read
    return Example(kind, path, other, {each: each.read_bytes() for each in files if each.is_file()}, {})


def attack(portion: Portion) -> Tally:
    """Damage a file of a run, ask every reader, and put the file back, so many times."""
    known, random = examples(portion.folder), portion.random
    tally, before = Tally(), peak()
    if portion.number == 0:
        for example in known:
            for path in example.files:
                for damage in (*REPLACEMENTS, *(FLIPS if path.suffix in DIGESTED else ())):
                    _try(example, path, damage, tally, portion.kept)
    for _ in range(portion.count):
        example = random.choice(known)
        path = random.choice(list(example.files))
        damage = random.choice(REPLACEMENTS) if random.random() < REPLACED else partial(mutate, random)
        _try(example, path, damage, tally, portion.kept)
    tally.bound_memory(before, MOST_GROWTH, portion.kept)
    return tally


def _try(example: Example, path: Path, damage: Callable[[Path], bool | None], tally: Tally, kept: Path) -> None:
    """Ask every reader of a run in which one file is damaged."""
    try:
        is_sealed = damage(path)
        data = path.read_bytes() if damage not in REPLACEMENTS else b""
        outcomes = {reader: example.ask(reader) for reader in READERS}
        may_differ = is_sealed or damage is missing or path.suffix not in DIGESTED
        found = [*_blemishes(outcomes), *([] if may_differ else _other_numbers(example, path.name, outcomes))]
        if damage in TRAPS and all(outcome.code != 4 for outcome in outcomes.values()):
            found.append("no reader refuses it")
    finally:
        example.restore()
    tally.outcomes["refused" if any(outcome.code for outcome in outcomes.values()) else "accepted"] += 1
    for wrong in found:
        how = getattr(damage, "__name__", "other content")
        tally.fail(f"{example.kind}: {path.name}: {how}: {wrong}", data, kept)


def _blemishes(outcomes: dict[tuple[str, ...], Outcome]) -> Iterator[str]:
    for reader, outcome in outcomes.items():
        wrong = blemish(outcome) or (f"exit code {outcome.code}" if outcome.code not in EXPECTED else None)
        if wrong:
            yield f"{reader[0]}: {wrong}"


def _other_numbers(example: Example, name: str, outcomes: dict[tuple[str, ...], Outcome]) -> Iterator[str]:
    """The readers that have taken a damaged file, and say something else than of the whole run, not naming it."""
    for reader, outcome in outcomes.items():
        if outcome.code == 0 and outcome.out != example.said[reader].out and name not in outcome.out:
            yield f"{' '.join(reader)} says something else: {outcome.out[:300]!r}"
