"""What the harnesses share: small runs, commands as processes and as forks, and runs held against each other."""

import gc
import os
import pkgutil
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

NAME = "trial"  # of the run that something happens to
RUN = f"runs/{NAME}"
REFERENCE = "reference"  # of the run that nothing happens to
TOLD = 160  # characters of standard error that are repeated
RESULTS = ("weights.npz", "metrics.csv", "evaluation.json")
TRAIN = ("train", "config.yaml", "--name", NAME)
RESUME = ("train", "--resume", RUN)
RAISED = 9  # epochs to which a run of RAISES is raised


def extended(epochs: int) -> tuple[str, ...]:
    """The command that resumes the run with a larger number of epochs."""
    return (*RESUME, f"training.epochs={epochs}")


EXTEND = extended(6)  # of the plain spec, which becomes the longer one

_SPEC = """\
seed: 3
data: {{type: spiral, samples: {samples}, classes: 3}}
layers: [{layers}{{type: dense, units: 3}}, softmax]
loss: categorical_crossentropy
optimizer: {{type: adam, learning_rate: 0.05}}
training: {{epochs: {epochs}, log_every: {log_every}, checkpoint_seconds: {seconds}{more}}}
metrics: [accuracy]
"""


def spec(
    samples: int = 8, epochs: int = 4, log_every: int = 1, seconds: float = 0, layers: str = "", more: str = ""
) -> str:
    """A small spec; ``layers`` stand before the last one, and ``more`` at the end of the section training."""
    hidden = layers or "{type: dense, units: 4}, relu, "
    return _SPEC.format(samples=samples, layers=hidden, epochs=epochs, log_every=log_every, seconds=seconds, more=more)


DROPOUT = "{type: dense, units: 4}, relu, {type: dropout, rate: 0.2}, "
SPECS = {
    "plain": spec(),
    "longer": spec(epochs=6),
    "batches": spec(layers=DROPOUT, epochs=14, seconds=0.008, more=", batch_size: 8"),
    "stopping": spec(epochs=30, seconds=0.008, more=", early_stopping: {patience: 2, metric: loss, min_delta: 0.02}"),
    "nnfs": spec(layers=DROPOUT, epochs=5) + "rng: nnfs\n",
}
PATIENT = ", early_stopping: {patience: 30, metric: loss, min_delta: 9}"  # keeps the weights of epoch 0
RAISES: Mapping[str, Callable[[int], str]] = {  # specs by a number of epochs, the last of which is off the interval
    "raise": lambda epochs: spec(epochs=epochs, log_every=2),
    "raise again": lambda epochs: spec(epochs=epochs, log_every=2),
    "raise with early stopping": lambda epochs: spec(epochs=epochs, log_every=2, more=PATIENT),
    "raise with a schedule": lambda epochs: spec(epochs=epochs, log_every=2) + "schedule: {type: cosine, updates: 7}\n",
    "raise with nnfs": lambda epochs: (
        spec(epochs=epochs, log_every=2, layers=DROPOUT) + "rng: nnfs\ntest: {type: spiral, samples: 5}\n"
    ),
}


class Outcome(NamedTuple):
    """How a command ended: exit code, or minus the signal that ended it; standard output; standard error."""

    code: int
    out: str
    err: str


def environment() -> dict[str, str]:
    """The environment of a command that imports the nncli beside these tests."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}


def command(arguments: Iterable[str]) -> list[str]:
    """The words that start a command."""
    return [sys.executable, "-m", "nncli", *arguments]


def run(arguments: Iterable[str], cwd: Path, before: Callable[[], None] | None = None) -> Outcome:
    """Run a command as a process of its own, in which ``before`` is called first."""
    done = subprocess.run(
        command(arguments),
        cwd=cwd,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        preexec_fn=before,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def prepare() -> None:
    """Import all of nncli into this process, for ``forked``."""
    os.environ["COLUMNS"] = "200"
    main = import_module("nncli.cli.main")
    os.environ.update(main.SINGLE_THREAD_ENV)
    top = import_module("nncli")
    assert Path(top.__file__).parent.parent == ROOT, f"nncli was imported from {top.__file__}"
    for module in pkgutil.walk_packages(top.__path__, "nncli."):
        if module.name != "nncli.__main__":
            import_module(module.name)
    for name in ("rich.live", "rich.progress_bar", "plotext", "numpy.random", "zipfile"):
        import_module(name)
    gc.collect()
    gc.freeze()


def forked(arguments: Sequence[str], cwd: Path) -> Outcome:
    """Run a command in a fork of this process, which ``prepare`` has made ready: in milliseconds, with no start."""
    return ended(started(arguments, cwd))


class Child(NamedTuple):
    """A command that runs in a fork: the number of its process, and the files that take its output."""

    process: int
    files: Sequence[int]


def started(arguments: Sequence[str], cwd: Path) -> Child:
    """Start a command in a fork of this process."""
    files = [os.memfd_create(name) for name in ("out", "err")]
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        _be(arguments, cwd, files)
    return Child(process, files)


def ended(child: Child) -> Outcome:
    """Wait for the end of a command."""
    _, status = os.waitpid(child.process, 0)
    return Outcome(os.waitstatus_to_exitcode(status), *map(_content, child.files))


def _be(arguments: Sequence[str], cwd: Path, files: Sequence[int]) -> None:
    """Be the command, to the end of this process."""
    code = 70
    try:
        os.chdir(cwd)
        for number, descriptor in enumerate(files, 1):
            os.dup2(descriptor, number)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
        code = import_module("nncli.cli.main").main(list(arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:  # before the command began
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _content(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, encoding="utf-8") as file:
        return file.read()


def lay_out(folder: Path, text: str) -> Path:
    """A folder to run commands in, with a config of this text and an empty folder of runs."""
    (folder / "runs").mkdir(parents=True)
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return folder


def reference(folder: Path, text: str) -> Path:
    """The run that nothing happens to, in a folder of its own; ``prepare`` was called."""
    lay_out(folder, text)
    outcome = forked(("train", "config.yaml", "--name", REFERENCE, "-q"), folder)
    assert outcome.code == 0, outcome.err
    return folder / "runs" / REFERENCE


def to_be_raised(folder: Path, name: str) -> Path:
    """A folder with a finished run of one of RAISES, of 3 epochs, or raised from these to 5; ``prepare`` was called."""
    lay_out(folder, RAISES[name](3))
    for words in (TRAIN, extended(5)) if name == "raise again" else (TRAIN,):
        outcome = forked((*words, "-q"), folder)
        assert outcome.code == 0, outcome.err
    return folder


def readers(whole: Path) -> Mapping[str, tuple[str, ...]]:
    """Every command that reads a run directory; ``whole`` is another run, to compare it with."""
    return {
        "evaluate": ("evaluate", RUN),
        "compare": ("compare", RUN, str(whole), "--json"),
        "runs": ("runs", "--json"),
        "verify": ("verify", RUN),
    }


def reads_well(name: str, outcome: Outcome) -> bool:
    """Whether a reader found a whole run."""
    return outcome.code == 0 and (name != "runs" or '"problem": null' in outcome.out)


def differences(one: Path, other: Path) -> list[str]:
    """The results that are not the same bytes in two run directories."""
    return [name for name in RESULTS if _bytes(one / name) != _bytes(other / name)]


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


RESUMED = re.compile(r"resumed at epoch (\d+)(?:, batch (\d+))?")


def resumed_at(outcome: Outcome) -> tuple[int, int] | None:
    """Epoch and batch that a command says to have gone on from; None where it says no such thing."""
    found = RESUMED.search(outcome.err)
    return (int(found[1]), int(found[2] or 0)) if found else None


def finished_already(outcome: Outcome) -> bool:
    """Whether a command says that nothing was left to do."""
    return "finished already" in outcome.err


def told(outcome: Outcome) -> str:
    """How a command ended, in a line: what it said last, and which checks failed."""
    failed = [" ".join(line.split())[:TOLD] for line in outcome.out.splitlines() if "WRONG" in line]
    return f"exit {outcome.code}: {outcome.err.strip()[-TOLD:]!r}" + "".join(f" ({each})" for each in failed)


def unreadable(folder: Path, whole: Path) -> list[str]:
    """What is wrong with the readers of the run in ``folder``, a line each; a run that is there can be read."""
    wrong = []
    for name, words in readers(whole).items():
        outcome = forked(words, folder)
        if not reads_well(name, outcome):
            wrong.append(f"{name}: {told(outcome)}")
    return wrong


def lost(folder: Path, before: Path) -> list[str]:
    """Whether the run in ``folder`` has lost the result that it had in ``before``, though it is no other run yet."""
    kept, now = (_bytes(each / RUN / "evaluation.json") for each in (before, folder))
    is_raised = _bytes(folder / RUN / "run.json") != _bytes(before / RUN / "run.json")
    return ["the evaluation of a finished run is gone"] if kept not in (None, now) and not is_raised else []


def not_resumed(
    folder: Path, whole: Path, at_least: tuple[int, int] = (0, 0), again: Sequence[str] = RESUME
) -> list[str]:
    """What is wrong with resuming the run in ``folder`` up to the bytes of ``whole``, a line each."""
    outcome = forked(again, folder)
    wrong = [] if outcome.code == 0 else [f"resume: {told(outcome)}"]
    wrong += [f"{name} is another after the resume" for name in differences(folder / RUN, whole)]
    start = resumed_at(outcome)
    if start is None and not finished_already(outcome):
        wrong.append("the resume does not say where it begins")
    if start is not None and start < at_least:
        wrong.append(f"the resume goes on from {start}, though {at_least} had been saved")
    return wrong


def not_anew(folder: Path, whole: Path) -> list[str]:
    """What is wrong with training anew in ``folder``, where no run was left, a line each."""
    outcome = forked((*TRAIN, "-q"), folder)
    wrong = [] if outcome.code == 0 else [f"a new training: {told(outcome)}"]
    return wrong + [f"{name} of a new training is another" for name in differences(folder / RUN, whole)]
