"""Killed at any moment: ``python -m tests.reliability.kills --runs 500 --seed 1``.

Each run is of another spec, drawn from all optimizers, schedules, masks and orders. It is killed at up to three random
moments, or told to stop, which leaves it in the middle of an epoch. After each of them every reader must work; in the
end the run must be, byte for byte, what it is when nothing happens to it.
"""

import argparse
import multiprocessing
import os
import re
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

import nncli.nn
from nncli.registry import components
from tests.reliability import trials
from tests.reliability.faults import conducted
from tests.reliability.trials import RESUME, RUN, TRAIN, Outcome

STOPS = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 129}
FORK = multiprocessing.get_context("fork")
ENOUGH = FORK.Event()  # so many runs were wrong that no more are to begin
MOST_KILLS = 3
MANY = 100  # runs, of which some must have been resumed in the middle of an epoch
EARLY = 0.6  # of the time of a whole training, which includes its start and its end
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

_SPEC = """\
seed: {seed}
rng: {rng}
dtype: {dtype}
data: {{type: spiral, samples: {samples}, classes: 3}}
validation: {{type: spiral, samples: 10}}
{test}layers: {layers}
loss: categorical_crossentropy
optimizer: {{type: {optimizer}, learning_rate: 0.02, decay: 1e-3}}
{more}training: {{epochs: {epochs}, log_every: {log_every}, checkpoint_seconds: {seconds}{batches}{stopping}}}
"""


def drawn_spec(number: int, random: Random) -> str:
    """A spec that trains for some tens of milliseconds; every optimizer, network and schedule has its turn."""
    size = random.choice([None, 7, 16, 32])
    rng = random.choice(["derived", "derived", "nnfs"])
    epochs = random.choice([60, 120]) if size else random.choice([400, 800])
    more = random.choice(["", f"schedule: {SCHEDULES[number % len(SCHEDULES)]}\n"])
    more += random.choice(["", "", f"clipping: {random.choice(CLIPPINGS)}\n"])
    return _SPEC.format(
        seed=random.randrange(10**6),
        rng=rng,
        dtype=random.choice(["float32", "float64"]),
        samples=random.choice([30, 60]),
        test=random.choice(["", "test: {type: spiral, samples: 10}\n"]),
        layers=NETWORKS[number % len(NETWORKS)].replace("OUT", "{type: dense, units: 3}, softmax"),
        optimizer=OPTIMIZERS[number % len(OPTIMIZERS)],
        more=more,
        epochs=epochs,
        log_every=random.choice([1, 7, 50]),
        seconds=random.choice([0, 0.005, 0.02, 10]),
        batches=f", batch_size: {size}" if size else "",
        stopping=random.choice(["", f", early_stopping: {STOPPING}"]),
    )


class Ended(NamedTuple):
    """What became of one run: counts of what happened to it, and what was wrong, a line each."""

    number: int
    counts: Counter[str]
    wrong: list[str]


def killed(number: int, seed: int, work: Path) -> Ended | None:
    """Train, kill, read, resume, up to the end; None where no more runs are to begin."""
    if ENOUGH.is_set():
        return None
    random, counts = Random(f"{seed}/{number}"), Counter[str]()
    text = drawn_spec(number, random)
    folder = trials.lay_out(work / f"run-{number}", text)
    began = time.monotonic()
    whole = trials.reference(folder / "whole", text)
    seconds = time.monotonic() - began
    wrong: list[str] = []
    resume = _raise(folder, text, random) or RESUME
    counts["raised"] += resume != RESUME
    signals = [signal.SIGKILL] * random.randint(1, MOST_KILLS) + random.sample([*STOPS], random.randint(0, 2))
    random.shuffle(signals)
    for signum in signals:
        wrong += _interrupted(folder, whole, signum, random.uniform(0, EARLY * seconds), counts, resume)
    last = trials.forked(_words(folder, resume), folder)
    counts["resumed in the middle of an epoch"] += _is_in_the_middle(last)
    if last.code != 0:
        wrong.append(f"the last resume: {trials.told(last)}")
    wrong += [f"{name} is another" for name in trials.differences(folder / RUN, whole)]
    shutil.rmtree(folder)
    return Ended(number, counts, wrong)


def _raise(folder: Path, text: str, random: Random) -> tuple[str, ...] | None:
    """For some specs a finished run of fewer epochs, and the command that raises it to all; else None.

    Not where the end of a schedule follows from the number of epochs, nor where early stopping keeps an extra row.
    """
    if random.random() < 0.5 or "cosine" in text or "early_stopping" in text:
        return None
    epochs = int(re.findall(r"epochs: (\d+)", text)[0])
    fewer = random.randrange(1, epochs)
    assert trials.forked((*TRAIN, f"training.epochs={fewer}", "-q"), folder).code == 0
    return trials.extended(epochs)


def _interrupted(
    folder: Path, whole: Path, signum: int, seconds: float, counts: Counter[str], resume: tuple[str, ...]
) -> Iterator[str]:
    """One end that was not the run's own, after so many seconds, and what every reader makes of what it has left."""
    child = trials.started(_words(folder, resume), folder)
    time.sleep(seconds)
    os.kill(child.process, signum)  # a process that has ended takes it too, as long as nobody has asked for its end
    outcome = trials.ended(child)
    counts["resumed in the middle of an epoch"] += _is_in_the_middle(outcome)
    if signum == signal.SIGKILL and outcome.code == -signum:
        counts["kills"] += 1
    elif signum in STOPS and outcome.code in (STOPS[signum], -signum):  # before it is heard, it is no wish
        counts["stops"] += 1
    elif outcome.code == 0:
        counts["came too late"] += 1
    else:
        yield f"{signal.Signals(signum).name} led to {trials.told(outcome)}"
    if (folder / RUN).is_dir():
        yield from trials.unreadable(folder, whole)


def _words(folder: Path, resume: tuple[str, ...]) -> tuple[str, ...]:
    """The command that resumes the run, or begins it where there is none yet."""
    return resume if (folder / RUN).is_dir() else TRAIN


def _is_in_the_middle(outcome: Outcome) -> bool:
    start = trials.resumed_at(outcome)
    return start is not None and start[1] > 0


def survey(arguments: argparse.Namespace, work: Path) -> int:
    """Kill so many runs; returns how many were wrong, or 1 where nothing was killed, or never within an epoch."""
    trials.prepare()
    counts, failed = Counter[str](), 0
    with FORK.Pool(arguments.processes) as pool:
        numbers = range(arguments.first, arguments.first + arguments.runs)
        for ended in pool.imap_unordered(partial(killed, seed=arguments.seed, work=work), numbers):
            if ended is None:
                continue
            counts += ended.counts
            if ended.wrong:
                failed += 1
                print(f"run {ended.number}: {'; '.join(ended.wrong)}", flush=True)
                if failed >= arguments.most:
                    ENOUGH.set()  # a pool that is terminated leaves commands that still write to their directory
    happened = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    print(f"{arguments.runs} runs, {len(OPTIMIZERS)} optimizers: {happened}; {failed} wrong")
    is_whole = counts["kills"] and (counts["resumed in the middle of an epoch"] or arguments.runs < MANY)
    return failed if is_whole else max(failed, 1)


def main() -> int:
    """Read the command line, and do it; 1 where any run was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first run, to repeat it alone")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--most", type=int, default=20, help="stop at so many runs that are wrong")
    return conducted("kills", parser, survey)


assert nncli.nn  # registers what is drawn from

if __name__ == "__main__":
    sys.exit(main())
