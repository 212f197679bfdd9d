"""The cost of checkpoints in a minute of training.

Each network is trained for a minute with a checkpoint every ten seconds, the default, and with only the first one, in
turns. The time per epoch is compared, and the time of writing checkpoints is related to the total.

Usage: python -m tests.benchmarks.checkpoints [--rounds 3] [--seconds 60]
"""

import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.interleaving import interleave
from tests.benchmarks.machine import ROOT, arguments, description, environment, pin
from tests.benchmarks.tables import markdown, ratios, spread

CONFIG = ROOT / "configs" / "adam.yaml"
WIDE = "layers=[{type: dense, units: 512}, relu, {type: dense, units: 512}, relu, {type: dense, units: 3}, softmax]"
STOPPING = "training.early_stopping={metric: validation_loss, patience: 1000000000}"
NETWORKS = {"2-64-3, 300 rows": (), "2-512-512-3, 300 rows, early stopping": (WIDE, STOPPING)}
DEFAULT, NEVER = 10.0, 1e9  # seconds between two checkpoints


class Trained(NamedTuple):
    """One training: seconds per epoch, the fraction of time in checkpoints, their number, and their size in bytes."""

    seconds_per_epoch: float
    saving: float
    saved: int
    size: int


def trained(overrides, seconds, interval):
    """Train for some seconds, with metrics and files like ``nncli train``."""
    from nncli.experiment.assembly import assemble
    from nncli.experiment.loading import load
    from nncli.store.run_writer import RunWriter
    from nncli.training.loop import Trainer

    settings = ("training.epochs=1000000000", "training.log_every=100", f"training.checkpoint_seconds={interval}")
    loaded = load(CONFIG, (*overrides, *settings))
    end = time.monotonic() + seconds
    training = Trainer(assemble(loaded.config), lambda: time.monotonic() > end)
    with tempfile.TemporaryDirectory() as directory:
        with RunWriter.create(Path(directory), "run", loaded, training) as writer:
            spent, save = [], writer.save
            writer.save = lambda: spent.append(timed(save))
            start = time.perf_counter()
            for _ in writer.record():
                pass
            took = time.perf_counter() - start
        size = max(path.stat().st_size for path in Path(directory).rglob("*.ckpt"))
    return Trained(took / training.epoch, sum(spent) / took, len(spent), size)


def timed(call):
    """Seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(rounds, seconds):
    """The table, in this process."""
    rows = []
    for name, overrides in NETWORKS.items():
        made = interleave({each: partial(trained, overrides, seconds, each) for each in (DEFAULT, NEVER)}, rounds)
        epochs = [{each: result.seconds_per_epoch for each, result in one.items()} for one in made]
        saving = [one[DEFAULT] for one in made]
        rows.append(
            [
                name,
                f"{saving[0].size / 1e6:.3g}",
                str(max(each.saved for each in saving)),
                spread([1e3 * each.saving * seconds / each.saved for each in saving]),
                f"{100 * max(each.saving for each in saving):.3f} %",
                spread(ratios(epochs, DEFAULT, NEVER)),
            ]
        )
    heads = (
        "network",
        "checkpoint, MB",
        "written",
        "each, ms",
        "fraction of the time",
        "time of an epoch, with to without",
    )
    print(markdown(heads, rows))


def main():
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each training")
    parser.add_argument("--here", action="store_true", help="measure in this process")
    given = parser.parse_args()
    if given.here:
        measure(given.rounds, given.seconds)
        return
    pin(1)
    variables = environment(1, given.keep_environment)
    print(description(variables, ["nncli"]), flush=True)
    command = [sys.executable, "-m", "tests.benchmarks.checkpoints", "--here", f"--rounds={given.rounds}"]
    subprocess.run([*command, f"--seconds={given.seconds}"], check=True, cwd=ROOT, env=variables)


if __name__ == "__main__":
    main()
