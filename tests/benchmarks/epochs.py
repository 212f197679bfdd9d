"""An epoch in mini-batches, and a prediction of all its rows, by number of threads: nncli compared with JAX.

Each program has a process of its own for each number of threads, on as many cores; they take turns. 60,000 rows of 784
columns, in batches of 128, through 784-128-128-10.

Usage: python -m tests.benchmarks.epochs [--rounds 5] [--threads 2]
"""

import subprocess
import sys
import time
from contextlib import ExitStack

from tests.benchmarks.baselines import BASELINES
from tests.benchmarks.interleaving import interleave
from tests.benchmarks.machine import ROOT, arguments, description, environment, pin
from tests.benchmarks.tables import column, markdown, ratios, spread

NAMES = ("nncli", "jax_scan")
TASKS = {"epoch": "an epoch", "prediction": "a prediction"}


class Program:
    """A process that computes a task on request; it has computed each of them once before.

    Args:
        name: that of the baseline.
        threads: its number of threads.
        variables: its environment.
    """

    def __init__(self, name, threads, variables):
        command = [sys.executable, "-m", "tests.benchmarks.epochs", name, "--threads", str(threads)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, **pipes, encoding="utf-8", cwd=ROOT, env=variables)
        for task in TASKS:
            self.seconds(task)

    def seconds(self, task):
        """The seconds of a task."""
        print(task, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def compare(names, most_threads, rounds, kind_variables=None):
    """A table with a row for each task and number of threads."""
    counts = range(1, most_threads + 1)
    programs = {
        (name, threads): Program(name, threads, environment(threads, kind_variables=kind_variables))
        for name in names
        for threads in counts
    }
    rows = []
    for task, title in TASKS.items():
        measures = {
            key: (lambda program=program, task=task: program.seconds(task)) for key, program in programs.items()
        }
        found = interleave(measures, rounds)
        rows += [_row(title, names, threads, found) for threads in counts]
    for program in programs.values():
        program.close()
    others = [f"nncli to {BASELINES[name].title}" for name in names[1:]]
    heads = [
        "60,000 rows",
        "threads",
        *(f"{BASELINES[name].title}, ms" for name in names),
        *others,
        "nncli to 1 thread",
    ]
    return markdown(heads, rows)


def _row(title, names, threads, found):
    times = [spread([1e3 * seconds for seconds in column(found, (name, threads))]) for name in names]
    to_others = [spread(ratios(found, ("nncli", threads), (name, threads))) for name in names[1:]]
    to_one = spread(ratios(found, ("nncli", threads), ("nncli", 1))) if threads > 1 else ""
    return [title, str(threads), *times, *to_others, to_one]


def nncli_tasks(threads):
    """The tasks of nncli, and what has to stay open meanwhile."""
    from nncli.nn.kernels.blas import one_blas_thread
    from nncli.threads import ThreadPool
    from tests.benchmarks import training

    trainer, contexts = training.training_of(training.rows_in()), ExitStack()
    trainer.network.use_threads(ThreadPool(threads))
    contexts.enter_context(one_blas_thread())
    contexts.enter_context(trainer.divided(threads))
    inputs = trainer.rows_of("training").inputs
    return {"epoch": lambda: training.epoch(trainer), "prediction": lambda: trainer.network.predict(inputs)}, contexts


def jax_tasks(threads):
    """The tasks of JAX's compiled loop; it has the number of threads of its environment."""
    import numpy as np

    from tests.benchmarks.baselines.jax_scan import prepare_epochs
    from tests.benchmarks.shapes import Shape
    from tests.benchmarks.training import BATCH, ROWS, WIDTHS, rows_in
    from tests.benchmarks.workloads import draw

    inputs, classes = rows_in(), np.random.default_rng(1).integers(0, WIDTHS[-1], ROWS)
    workload = draw(Shape(WIDTHS, BATCH))._replace(inputs=inputs, targets=classes)
    train, outputs = prepare_epochs(workload, BATCH, seed=0)

    def epoch():
        train(1)
        outputs(inputs[:BATCH])  # waits for the end of the epoch

    return {"epoch": epoch, "prediction": lambda: outputs(inputs)}, ExitStack()


def serve(name, threads):
    """Compute the tasks that are asked for on standard input, and answer with their seconds."""
    tasks, contexts = (nncli_tasks if name == "nncli" else jax_tasks)(threads)
    with contexts:
        for line in sys.stdin:
            start = time.perf_counter()
            tasks[line.strip()]()
            print(time.perf_counter() - start, flush=True)


def main():
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("name", nargs="?", choices=NAMES, help="in this process, in the environment as it is")
    given = parser.parse_args()
    if given.name:
        pin(given.threads)
        serve(given.name, given.threads)
        return
    installed = [name for name in NAMES if BASELINES[name].installed]
    packages = [BASELINES[name].package for name in installed]
    print(description(environment(1, given.keep_environment), packages), end="\n\n", flush=True)
    print(compare(installed, given.threads, given.rounds))


if __name__ == "__main__":
    main()
