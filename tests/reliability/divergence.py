"""Put NaN and infinity into every place of a training, and see what it makes of them.

Each time the command has to end with 7 and one line that names what was put in and says what to write, the run
directory with a last row of nan, no weights.npz, and checkpoints of finite numbers that are older.

Usage: python -m tests.reliability.divergence
"""

import math
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from nncli.store.checkpoint import unpack
from tests.benchmarks.tables import markdown
from tests.conftest import SPEC
from tests.reliability.commands import run
from tests.reliability.injections import UPDATE, Put, every

VALUES = (math.nan, math.inf)
CURE = r"; (write|take|scale) \S.*[^.]$"


def broken(injection, value, config):
    """The promises that a training with a number put into it does not keep, in words; none if all is well."""
    put, runs = Put(value), config.parent / "runs"
    with injection.patched(put):
        code, _, told = run(["train", str(config), *injection.changes, "--runs", str(runs), "-q"])
    lines = told.splitlines()
    pattern = injection.told.replace("VALUE", str(value)).replace("ROW", str(put.row))
    if not put.times:
        yield "nothing was put in"
    if code != 7:
        yield f"the exit code is {code}"
    if len(lines) != 1 or not re.match(f"training diverged at {pattern}", lines[0]):
        yield f"{lines} is not one line with {pattern}"
    elif not re.search(CURE, lines[0]):
        yield f"{lines[0]} says nothing to write"
    for folder in runs.glob("*"):
        yield from wrong_files(folder)


def wrong_files(run):
    """What should not be in the directory of a run that has diverged, in words."""
    written = {int(path.stem): unpack(path.read_bytes()) for path in (run / "checkpoints").iterdir()}
    if not written or max(written) > UPDATE:
        yield f"the checkpoints are those of the updates {sorted(written)}"
    for updates, checkpoint in written.items():
        if not all(np.isfinite(vector).all() for vector in checkpoint.state.vectors.values()):
            yield f"the checkpoint of update {updates} is not finite"
    if {path.name for path in run.iterdir()} & {"weights.npz", "evaluation.json"}:
        yield "it looks finished"
    _, *rows, last = (run / "metrics.csv").read_text(encoding="utf-8").splitlines()
    if set(last.split(",")[1:]) != {"nan"} or any("nan" in row or "inf" in row for row in rows):
        yield "the last row of metrics, and no other, should be nan"


def main():
    """Print the table, and what is not as it should be; the exit code says whether all is well."""
    tried, named = Counter(), Counter()
    for injection in every():
        for value in VALUES:
            with tempfile.TemporaryDirectory() as folder:
                config = Path(folder) / "config.yaml"
                config.write_text(SPEC, encoding="utf-8")
                found = list(broken(injection, value, config))
            tried[injection.kind] += 1
            named[injection.kind] += not found
            for each in found:
                print(f"{injection}, {value}: {each}", file=sys.stderr)
    rows = [[kind, str(number), str(named[kind])] for kind, number in tried.items()]
    total = ["all", str(tried.total()), str(named.total())]
    print(markdown(["component kind", "injections", "named"], [*rows, total]))
    sys.exit(tried != named)


if __name__ == "__main__":
    main()
