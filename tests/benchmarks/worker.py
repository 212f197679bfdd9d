"""A process per baseline, so that threads and allocators are separate; it trains on request, and waits otherwise.

    python -m tests.benchmarks.worker THREADS

reads one request per line, JSON on standard input, ``[baseline, widths, rows, steps]``, and answers each with one line
on standard output, ``{"seconds": …, "losses": […]}``; the losses are those of the first 20 steps of a request.
"""

import json
import subprocess
import sys
import time
from functools import lru_cache
from importlib import import_module

from tests.benchmarks.machine import ROOT

SECONDS = 0.2  # duration of a turn
SHOWN = 20


class Worker:
    """A process that trains one baseline.

    Raises:
        SystemExit: in ``ask``, if the process has ended; its message is on standard error.
    """

    def __init__(self, variables):
        command = [sys.executable, "-m", "tests.benchmarks.worker", variables["OMP_NUM_THREADS"]]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, **pipes, encoding="utf-8", cwd=ROOT, env=variables)

    def ask(self, baseline, shape, steps):
        """Seconds and first losses of some steps."""
        print(json.dumps([baseline, *shape, steps]), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{baseline} has ended at {shape.name} with {shape.rows} rows")
        answer = json.loads(line)
        return answer["seconds"], answer["losses"]

    def timed(self, baseline, shape):
        """A function that trains for one turn, and returns the microseconds per step."""
        steps = SHOWN
        while (seconds := self._warm(baseline, shape, steps)) < SECONDS / 4:
            steps *= 4
        steps = max(1, round(steps * SECONDS / seconds))
        self._warm(baseline, shape, steps)
        return lambda: self.ask(baseline, shape, steps)[0] / steps * 1e6

    def _warm(self, baseline, shape, steps):
        """Seconds of the second call; the first one may compile a loop of this length."""
        self.ask(baseline, shape, steps)
        return self.ask(baseline, shape, steps)[0]

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@lru_cache(maxsize=2)  # nncli's steps and its products, for the current network
def prepared(baseline, shape, threads):
    """The function that trains."""
    from tests.benchmarks.workloads import draw

    run, _ = import_module(f"tests.benchmarks.baselines.{baseline}").prepare(draw(shape), threads)
    return run


def serve(threads):
    """Answer all requests; output of libraries goes to standard error."""
    from tests.benchmarks.shapes import Shape

    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        baseline, widths, rows, steps = json.loads(line)
        run = prepared(baseline, Shape(tuple(widths), rows), threads)
        start = time.perf_counter()
        losses = run(steps)
        seconds = time.perf_counter() - start
        answer = {"seconds": seconds, "losses": [float(loss) for loss in losses[:SHOWN]]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
