"""A process for each rival, so that threads and allocators do not meet; it steps when it is asked, and else waits.

    python -m tests.benchmarks.worker THREADS

reads a request a line, JSON on standard input, ``[rival, widths, rows, steps]``, and answers each with a line on
standard output, ``{"seconds": …, "losses": […]}``; the losses are those of the first 20 steps of a request.
"""

import json
import subprocess
import sys
import time
from functools import lru_cache
from importlib import import_module

from tests.benchmarks.machine import ROOT

SECONDS = 0.2  # that a turn takes
SHOWN = 20


class Worker:
    """The driver's end: a process that trains one rival, or what else runs with it.

    Raises:
        SystemExit: in ``ask``, the process has ended; what it said is on standard error.
    """

    def __init__(self, variables):
        command = [sys.executable, "-m", "tests.benchmarks.worker", variables["OMP_NUM_THREADS"]]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, **pipes, encoding="utf-8", cwd=ROOT, env=variables)

    def ask(self, rival, shape, steps):
        """Seconds, and the first losses, of so many steps."""
        print(json.dumps([rival, *shape, steps]), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{rival} has ended at {shape.name} with {shape.rows} rows")
        answer = json.loads(line)
        return answer["seconds"], answer["losses"]

    def timed(self, rival, shape):
        """A function that makes as many steps as fit into a turn, and gives the microseconds of each."""
        steps = SHOWN
        while (seconds := self._warm(rival, shape, steps)) < SECONDS / 4:
            steps *= 4
        steps = max(1, round(steps * SECONDS / seconds))
        self._warm(rival, shape, steps)
        return lambda: self.ask(rival, shape, steps)[0] / steps * 1e6

    def _warm(self, rival, shape, steps):
        """Seconds of the second time; at the first a loop of this length may have to be compiled."""
        self.ask(rival, shape, steps)
        return self.ask(rival, shape, steps)[0]

    def close(self):
        """Let the process end."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@lru_cache(maxsize=2)  # nncli's steps and its products, of the network at hand
def prepared(rival, shape, threads):
    """What makes the steps."""
    from tests.benchmarks.works import draw

    run, _ = import_module(f"tests.benchmarks.rivals.{rival}").prepare(draw(shape), threads)
    return run


def serve(threads):
    """Answer until there is no more request; what a library prints goes to standard error."""
    from tests.benchmarks.works import Shape

    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        rival, widths, rows, steps = json.loads(line)
        run = prepared(rival, Shape(tuple(widths), rows), threads)
        start = time.perf_counter()
        losses = run(steps)
        seconds = time.perf_counter() - start
        answer = {"seconds": seconds, "losses": [float(loss) for loss in losses[:SHOWN]]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
