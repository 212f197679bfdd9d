"""Kills at random moments: ``python -m tests.fault_injection.random_kills --runs 500 --seed 1``.

Each run has another config, drawn from all optimizers, schedules, dropout masks and orders; half of them divide their
steps among two processes. It is killed at up to three random moments, or stopped by a signal, which leaves it in the
middle of an epoch. After each of them no worker process may be left, and every command that reads a run must work; in
the end the results must equal those of the reference run byte for byte.
"""

import argparse
import ctypes
import multiprocessing
import os
import re
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path
from random import Random
from typing import NamedTuple

import nncli.nn
from nncli.nn import tensor_parallel
from nncli.registry import components
from tests.fault_injection import child_processes, run_checks, small_runs
from tests.fault_injection.child_processes import Outcome
from tests.fault_injection.harnesses import run_harness
from tests.fault_injection.small_runs import RESUME, RUN, TRAIN

STOPS = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 129}
FORK = multiprocessing.get_context("fork")
ENOUGH = FORK.Event()  # no more runs begin after too many have failed
MOST_KILLS = 3
MANY = 100  # runs; among this many some are resumed within an epoch
PR_SET_CHILD_SUBREAPER = 36  # of prctl
SECONDS = 10.0  # in which the workers of a command must end
LATEST = 0.6  # a kill comes within this fraction of the duration of a command
OPTIMIZERS = [each.name for each in components("optimizer")]
DENSE = "{type: dense, units: 8}"
NETWORKS = [
    f"[{DENSE}, relu, OUT]",
    f"[{DENSE}, relu, {{type: dropout, rate: 0.3}}, OUT]",
    f"[{DENSE}, tanh, {{type: dropout, rate: 0.001}}, {DENSE}, relu, {{type: dropout, rate: 0.5}}, OUT]",
    f"[{DENSE}, batch_normalization, relu, OUT]",
    "[{type: dense, units: 64, l1: 1e-4, l2: 1e-3, bias_l2: 1e-3}, relu, OUT]",
]
SCHEDULES = [
    "{type: step, every: 20, gamma: 0.5}",
    "{type: exponential, gamma: 0.99}",
    "cosine",
    "{type: warmup, updates: 30, then: {type: cosine, lowest: 0.1}}",
]
CLIPPINGS = ["{type: norm, limit: 0.5}", "{type: value, limit: 0.1}"]
STOPPING = "{metric: loss, min_delta: 1e-3, patience: 60}"

_TEMPLATE = """\
seed: {seed}
rng: {rng}
dtype: {dtype}
data: {{type: spiral, samples: {samples}, classes: 3}}
validation: {{type: spiral, samples: 10}}
{test}layers: {layers}
loss: categorical_crossentropy
optimizer: {{type: {optimizer}, learning_rate: 0.02, decay: 1e-3}}
{more}training:
  {{epochs: {epochs}, log_every: {log_every}, checkpoint_seconds: {seconds}, threads: {threads}{batches}{stopping}}}
"""


def draw_config(index: int, random: Random) -> str:
    """A config that trains for some tens of milliseconds; optimizers, networks and schedules take turns."""
    size = random.choice([None, 7, 16, 32])
    rng = random.choice(["derived", "derived", "nnfs"])
    threads = random.choice([1, 2])
    epochs = (random.choice([60, 120]) if size else random.choice([400, 800])) // threads**2
    more = random.choice(["", f"schedule: {SCHEDULES[index % len(SCHEDULES)]}\n"])
    more += random.choice(["", "", f"clipping: {random.choice(CLIPPINGS)}\n"])
    return _TEMPLATE.format(
        seed=random.randrange(10**6),
        rng=rng,
        dtype=random.choice(["float32", "float64"]),
        samples=random.choice([30, 60]),
        test=random.choice(["", "test: {type: spiral, samples: 10}\n"]),
        layers=NETWORKS[index % len(NETWORKS)].replace("OUT", "{type: dense, units: 3}, softmax"),
        optimizer=OPTIMIZERS[index % len(OPTIMIZERS)],
        more=more,
        epochs=epochs,
        log_every=random.choice([1, 7, 50]),
        seconds=random.choice([0, 0.005, 0.02, 10]),
        threads=threads,
        batches=f", batch_size: {size}" if size else "",
        stopping=random.choice(["", f", early_stopping: {STOPPING}"]),
    )


class Result(NamedTuple):
    """What happened to one run, counted, and its problems."""

    index: int
    counts: Counter[str]
    problems: list[str]


def check_run(index: int, seed: int, work: Path) -> Result | None:
    """Train, kill, read and resume a run up to its end; returns None if no more runs are to begin."""
    if ENOUGH.is_set():
        return None
    random, counts = Random(f"{seed}/{index}"), Counter[str]()
    text = draw_config(index, random)
    directory = small_runs.working_directory(work / f"run-{index}", text)
    began = time.monotonic()
    expected = small_runs.reference_run(directory / "reference", text)
    seconds = time.monotonic() - began
    problems: list[str] = []
    resume = _extension(directory, text, random) or RESUME
    counts["extended"] += resume != RESUME
    counts["on two processes"] += "threads: 2" in text
    signals = [signal.SIGKILL] * random.randint(1, MOST_KILLS) + random.sample([*STOPS], random.randint(0, 2))
    random.shuffle(signals)
    for signum in signals:
        problems += _interrupted(directory, expected, signum, random.uniform(0, LATEST * seconds), counts, resume)
    last = child_processes.run_forked(_next_command(directory, resume), directory)
    counts["resumed within an epoch"] += _is_within_an_epoch(last)
    if last.code != 0:
        problems.append(f"the last resume: {child_processes.summary(last)}")
    problems += [f"{name} differs" for name in run_checks.different_files(directory / RUN, expected)]
    shutil.rmtree(directory)
    return Result(index, counts, problems)


def _extension(directory: Path, text: str, random: Random) -> tuple[str, ...] | None:
    """Train a run of fewer epochs to its end, and return the command that extends it; None for half of the configs.

    Also None if the end of a schedule depends on the number of epochs, or early stopping keeps an extra row.
    """
    if random.random() < 0.5 or "cosine" in text or "early_stopping" in text:
        return None
    epochs = int(re.findall(r"epochs: (\d+)", text)[0])
    fewer = random.randrange(1, epochs)
    assert child_processes.run_forked((*TRAIN, f"training.epochs={fewer}", "-q"), directory).code == 0
    return small_runs.resume_with_epochs(epochs)


def _interrupted(
    directory: Path, expected: Path, signum: int, seconds: float, counts: Counter[str], resume: tuple[str, ...]
) -> Iterator[str]:
    """Send a signal to a training after some seconds; problems of its end, and of the commands that read the run."""
    child = child_processes.start_fork(_next_command(directory, resume), directory)
    time.sleep(seconds)
    os.kill(child.process, signum)  # also possible after the process has ended, before it is waited for
    outcome = child_processes.wait_for(child)
    counts["workers ended after a kill"] += _ended_workers()
    for process in child_processes.children():
        yield "a worker process is left"
        os.kill(process, signal.SIGKILL)
    counts["resumed within an epoch"] += _is_within_an_epoch(outcome)
    if signum == signal.SIGKILL and outcome.code == -signum:
        counts["kills"] += 1
    elif signum in STOPS and outcome.code in (
        STOPS[signum],
        -signum,
    ):  # it ends the process at once before handlers are installed
        counts["stops"] += 1
    elif outcome.code == 0:
        counts["too late"] += 1
    else:
        yield f"{signal.Signals(signum).name} led to {child_processes.summary(outcome)}"
    if (directory / RUN).is_dir():
        yield from run_checks.reader_problems(directory, expected)


def _adopt_workers() -> None:
    """Become the parent of the worker processes that a killed command leaves."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _ended_workers() -> int:
    """Wait some seconds for the end of the worker processes that a command has left; how many have ended."""
    ended, deadline = 0, time.monotonic() + SECONDS
    with suppress(ChildProcessError):  # none is left
        while time.monotonic() < deadline:
            process, _ = os.waitpid(-1, os.WNOHANG)
            ended += process > 0
            time.sleep(0 if process else 1e-3)
    return ended


def _next_command(directory: Path, resume: tuple[str, ...]) -> tuple[str, ...]:
    """The command that resumes the run, or starts it if it does not exist yet."""
    return resume if (directory / RUN).is_dir() else TRAIN


def _is_within_an_epoch(outcome: Outcome) -> bool:
    start = run_checks.resumed_at(outcome)
    return start is not None and start[1] > 0


def run_all(arguments: argparse.Namespace, work: Path) -> int:
    """Run the test cases; returns how many failed, or 1 if no run or no worker was killed, or never within an epoch."""
    child_processes.import_everything()
    tensor_parallel.MIN_DIVIDED_MACS = -inf  # steps are divided however short they are
    counts, failed = Counter[str](), 0
    with FORK.Pool(arguments.processes, _adopt_workers) as pool:
        indices = range(arguments.first, arguments.first + arguments.runs)
        for result in pool.imap_unordered(partial(check_run, seed=arguments.seed, work=work), indices):
            if result is None:
                continue
            counts += result.counts
            if result.problems:
                failed += 1
                print(f"run {result.index}: {'; '.join(result.problems)}", flush=True)
                if failed >= arguments.max_failures:
                    ENOUGH.set()  # terminating the pool would leave commands running
    summary = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    print(f"{arguments.runs} runs, {len(OPTIMIZERS)} optimizers: {summary}; {failed} wrong")
    needed = ["kills", "workers ended after a kill", *(["resumed within an epoch"] if arguments.runs >= MANY else [])]
    is_meaningful = all(counts[name] for name in needed)
    return failed if is_meaningful else max(failed, 1)


def main() -> int:
    """Run the command line; returns 1 if a run fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="index of the first run, to repeat one run")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--max-failures", type=int, default=20, help="stop after this many runs have failed")
    return run_harness("random_kills", parser, run_all)


assert nncli.nn  # registers the components

if __name__ == "__main__":
    sys.exit(main())
