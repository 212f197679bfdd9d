"""The parts of the document of ``python -m tests.benchmarks``, each a generator of blocks of Markdown.

This module and what it imports at the top do not load NumPy, so that the processes that it measures start from a small
one.
"""

import tempfile
from typing import NamedTuple

from tests.benchmarks import epochs as epochs_by_threads
from tests.benchmarks import memory, processes, time_to_accuracy, training
from tests.benchmarks import steps as one_step
from tests.benchmarks.baselines import BASELINES
from tests.benchmarks.machine import blas_kernels, date_and_versions, environment, pinned
from tests.benchmarks.processor_kinds import Kind

COMPARED = ("pytorch", "jax_scan", "scikit_learn")
EPOCH_THREADS = 2  # at most


class Options(NamedTuple):
    """What is measured.

    Args:
        kinds: the kinds of processor.
        threads: the largest number of threads.
        rounds: of each comparison, except of the time to an accuracy.
        seeds: of the trainings to an accuracy; each is a round.
        fashion: the directory of Fashion-MNIST; None leaves it out.
        names: nncli and the baselines whose library is installed.
    """

    kinds: tuple[Kind, ...]
    threads: int
    rounds: int
    seeds: int
    fashion: str | None
    names: tuple[str, ...]


def header(options):
    """The title, date, processor, kinds, and versions."""
    yield "# Benchmarks of nncli"
    yield f"{date_and_versions({BASELINES[name].package for name in options.names})}."
    yield "\n".join(
        f"- {kind.title}: NumPy's BLAS is {blas_kernels(variables(kind))}{_restrictions(kind)}"
        for kind in options.kinds
    )
    yield "Values are medians of the rounds, with minimum and maximum in parentheses; ratios are those within a round."


def variables(kind, threads=1):
    """The environment of measured processes on a kind of processor."""
    return environment(threads, kind_variables=kind.variables)


def _restrictions(kind):
    settings = ", ".join(f"`{name}={value}`" for name, value in kind.variables.items())
    return f"; {settings}" if settings else ""


def of_each_kind(options, blocks):
    """The blocks of each kind of processor under its title."""
    for kind in options.kinds:
        yield f"### {kind.title}"
        yield from blocks(kind)


def steps(options):
    """The steps of the four networks, by kind of processor and number of threads."""
    yield "## A training step"
    yield "float32, Adam, mean loss at each step; each process on as many cores as threads."

    def blocks(kind):
        results = {}
        for threads in range(1, options.threads + 1):
            with pinned(threads):
                found = one_step.compare(
                    options.names, one_step.SHAPES, variables(kind, threads), options.rounds, with_products=False
                )
            results |= {(shape, threads): rounds for shape, rounds in found.items()}
        rows = {
            (one_step.label(shape), str(threads)): results[shape, threads]
            for shape in one_step.SHAPES
            for threads in range(1, options.threads + 1)
        }
        yield from one_step.tables(["network", "threads"], options.names, rows)

    yield from of_each_kind(options, blocks)


def whole_processes(options):
    """The time of whole processes, and their peak memory."""
    yield "## Whole processes"
    yield f"{processes.EPOCHS:,} epochs of 2-64-3 with 300 rows, full batch, on one thread, with start-up."

    def blocks(kind):
        with pinned(1), tempfile.TemporaryDirectory() as directory:
            _, commands, least = next(processes.comparisons(directory, options.names, bare=False))
            yield processes.table(processes.in_rounds(commands, options.rounds, variables(kind), least))

    yield from of_each_kind(options, blocks)


def epochs(options):
    """An epoch in mini-batches compared with its bare steps, by kind of processor and number of threads."""
    yield "## An epoch and its steps"

    def blocks(kind):
        for threads in range(1, min(options.threads, EPOCH_THREADS) + 1):
            with pinned(threads):
                command = training.command("batches", options.rounds, threads)
                _, text = processes.completed(command, variables(kind, threads))
            yield f"{threads} thread{'s' if threads > 1 else ''}:"
            yield text.strip()
        names = [name for name in options.names if name in epochs_by_threads.NAMES]
        yield epochs_by_threads.compare(names, options.threads, options.rounds, kind.variables)

    yield from of_each_kind(options, blocks)


def peak_memory(options):
    """The growth of peak memory by a training, beside the estimate of ``nncli show``."""
    yield "## Peak memory"
    yield (
        "Growth of the resident memory of a training, with evaluations, checkpoints and files, on one thread, without "
        "the pages of mapped files; beside it the estimate of `nncli show`."
    )
    with pinned(1):
        yield memory.table(memory.NETWORKS, variables(options.kinds[0]), options.rounds)


def accuracy(options):
    """The time until networks reach an accuracy."""
    yield "## Time to an accuracy"
    yield (
        "Whole processes on one thread, with start-up and the reading of the data, until the accuracy is reached. A "
        "round is a seed of initial weights and order of rows. nncli also measures the loss, and the metrics of the "
        "training rows, and writes its run directory."
    )
    if not options.fashion:
        yield "Fashion-MNIST is left out: `--fashion DIRECTORY` names the directory of its four files."

    def blocks(kind):
        with pinned(1):
            yield from time_to_accuracy.sections(options.names, options.seeds, options.fashion, variables(kind))

    yield from of_each_kind(options, blocks)


PARTS = {
    "steps": steps,
    "processes": whole_processes,
    "epochs": epochs,
    "memory": peak_memory,
    "accuracy": accuracy,
}
