"""NaN and infinity injected into every component of a training: ``python -m tests.fault_injection.non_finite_values``.

Each time the command has to end with exit code 7 and one line that names the array and suggests a change; the run
directory has a last row of nan, no weights.npz, and earlier checkpoints of finite values.
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
from tests.fault_injection.in_process_commands import run
from tests.fault_injection.non_finite_injections import UPDATE, Injector, all_injections

VALUES = (math.nan, math.inf)
SUGGESTION = r"; (write|take|scale) \S.*[^.]$"


def problems_after(injection, value, config):
    """Problems of a training into which a value is injected."""
    injector, runs = Injector(value), config.parent / "runs"
    with injection.patched(injector):
        code, _, message = run(["train", str(config), *injection.changes, "--runs-dir", str(runs), "-q"])
    lines = message.splitlines()
    pattern = injection.message.replace("VALUE", str(value)).replace("ROW", str(injector.row))
    if not injector.times:
        yield "nothing was injected"
    if code != 7:
        yield f"the exit code is {code}"
    if len(lines) != 1 or not re.match(f"training diverged at {pattern}", lines[0]):
        yield f"{lines} is not one line with {pattern}"
    elif not re.search(SUGGESTION, lines[0]):
        yield f"{lines[0]} suggests nothing"
    for directory in runs.glob("*"):
        yield from file_problems(directory)


def file_problems(run):
    """Problems of the directory of a diverged run."""
    written = {int(path.stem): unpack(path.read_bytes()) for path in (run / "checkpoints").iterdir()}
    if not written or max(written) > UPDATE:
        yield f"the checkpoints are those of the updates {sorted(written)}"
    for updates, checkpoint in written.items():
        if not all(np.isfinite(vector).all() for vector in checkpoint.state.vectors.values()):
            yield f"the checkpoint of update {updates} is not finite"
    if {path.name for path in run.iterdir()} & {"weights.npz", "evaluation.json"}:
        yield "the run looks finished"
    _, *rows, last = (run / "metrics.csv").read_text(encoding="utf-8").splitlines()
    if set(last.split(",")[1:]) != {"nan"} or any("nan" in row or "inf" in row for row in rows):
        yield "the last row of metrics, and no other, has to be nan"


def main():
    """Print the table and the problems; the exit code is 1 if there is a problem."""
    tried, named = Counter(), Counter()
    for injection in all_injections():
        for value in VALUES:
            with tempfile.TemporaryDirectory() as directory:
                config = Path(directory) / "config.yaml"
                config.write_text(SPEC, encoding="utf-8")
                found = list(problems_after(injection, value, config))
            tried[injection.kind] += 1
            named[injection.kind] += not found
            for each in found:
                print(f"{injection}, {value}: {each}", file=sys.stderr)
    rows = [[kind, str(count), str(named[kind])] for kind, count in tried.items()]
    total = ["all", str(tried.total()), str(named.total())]
    print(markdown(["component kind", "injections", "named"], [*rows, total]))
    sys.exit(tried != named)


if __name__ == "__main__":
    main()
