"""The cost of what a run records for plots: snapshots of the weights, and the health of each layer.

The time in the functions that record, relative to the time of the whole training with its files. This varies less than
the difference of a training with recording and one without.

Usage: python -m tests.benchmarks.recording [--rounds 7]
"""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.benchmarks.machine import ROOT, arguments, description, environment, pin
from tests.benchmarks.tables import markdown, spread

TRAININGS = {  # the config and its overrides
    "adam.yaml": ("adam", ()),
    "regression.yaml": ("regression", ()),
    "minibatch.yaml, default interval": ("minibatch", ("training.log_every=null", "training.early_stopping=null")),
    "minibatch.yaml, every epoch logged": ("minibatch", ("training.early_stopping=null",)),
}
VALUES, FILES = "norms, dead units and snapshots", "files"  # what takes the time


class Stopwatch:
    """Seconds by name, of functions and contexts that are replaced by timed ones."""

    def __init__(self):
        self.seconds = Counter()

    def function(self, name, function):
        """The function, timed."""

        def timed(*given):
            start = time.perf_counter()
            result = function(*given)
            self.seconds[name] += time.perf_counter() - start
            return result

        return timed

    def context(self, name, manager):
        """The context manager, its beginning and its end timed."""

        @contextlib.contextmanager
        def timed():
            context = manager()
            self.function(name, context.__enter__)()
            try:
                yield
            finally:
                self.function(name, context.__exit__)(None, None, None)

        return timed


def trained(config, overrides):
    """Seconds of a training with its files, and the percentages of them that recording takes."""
    from nncli.experiment.assembly import assemble
    from nncli.experiment.loading import load
    from nncli.store.run_writer import RunWriter
    from nncli.training.constant_units import ConstantUnits
    from nncli.training.loop import Trainer

    loaded, watch, after = load(ROOT / "configs" / f"{config}.yaml", overrides), Stopwatch(), ConstantUnits.after
    trainer = Trainer(assemble(loaded.config))
    ConstantUnits.after = watch.function(VALUES, after)
    with (
        tempfile.TemporaryDirectory() as directory,
        RunWriter.create(Path(directory), "run", loaded, trainer) as writer,
    ):
        recording, health = writer._recording, trainer.health
        recording.add, recording.save = watch.function(VALUES, recording.add), watch.function(FILES, recording.save)
        health.before_step = watch.function(VALUES, health.before_step)
        health.outputs_observed = watch.context(VALUES, health.outputs_observed)
        start = time.perf_counter()
        for _ in writer.record():
            pass
        writer.finish()
        seconds = time.perf_counter() - start
    ConstantUnits.after = after
    return seconds, {name: 100 * watch.seconds[name] / seconds for name in (VALUES, FILES)}


def measure(rounds):
    """The table, in this process."""
    rows = []
    for name, training in TRAININGS.items():
        made = [trained(*training) for _ in range(rounds)]
        shares = [spread([fractions[part] for _, fractions in made]) for part in (VALUES, FILES)]
        rows.append([name, spread([seconds for seconds, _ in made]), *shares])
    print(markdown(("training", "s", f"{VALUES}, %", f"{FILES}, %"), rows))


def main():
    parser = arguments(__doc__, rounds=7)
    parser.add_argument("--here", action="store_true", help="measure in this process")
    given = parser.parse_args()
    if given.here:
        measure(given.rounds)
        return
    pin(1)
    variables = environment(1, given.keep_environment)
    print(description(variables, ["nncli"]), flush=True)
    command = [sys.executable, "-m", "tests.benchmarks.recording", "--here", f"--rounds={given.rounds}"]
    subprocess.run(command, check=True, cwd=ROOT, env=variables)


if __name__ == "__main__":
    main()
