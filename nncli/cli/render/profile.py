"""Renders the profile of a training step: a table, and sentences about what takes the time."""

import os
from typing import TYPE_CHECKING, Any

from nncli.analysis.profiling import UPDATE
from nncli.cli.render.console import Output
from nncli.cli.render.table import Table
from nncli.config.diagnostics import counted
from nncli.processes import CAN_FORK

if TYPE_CHECKING:
    from nncli.analysis.profiling import Profile
    from nncli.analysis.thread_profile import ThreadProfile
    from nncli.config.model import TrainingConfig

NOTABLE_FRACTION = 0.25  # of a step; what takes less is not mentioned
CALL_OVERHEAD = 60e-6  # seconds of a step below which about forty calls of NumPy dominate it
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}


def show_profile(profile: "Profile", by_threads: "ThreadProfile", settings: "TrainingConfig") -> None:
    """One row per operation of a step, then what the figures mean for the whole training."""
    out = Output()
    parts = Table("operation", "forward", "backward", "of step", "minimum", "× minimum")
    for part in profile.parts:
        fraction, minimum = percent(part.seconds / profile.step), _minimum(part.seconds, part.floor)
        parts.add_row(part.name, _cell(part.forward), _cell(part.backward), fraction, *minimum)
    parts.add_row("overhead", "–", "–", percent(profile.between / profile.step), "–", "–")
    parts.add_section()
    parts.add_row("step", "", duration(profile.step), "100 %", *_minimum(profile.step, profile.floor))
    parts.print(out)
    out.print()
    lines = (
        *totals(profile, by_threads, settings),
        advice(profile, by_threads, settings),
        *thread_lines(by_threads, settings),
        *kernel_note(),
    )
    for line in lines:
        out.print(line)


def totals(profile: "Profile", by_threads: "ThreadProfile", settings: "TrainingConfig") -> list[str]:
    """The minimum of a step, and the duration of an epoch and of the training of a config, on its number of threads."""
    rows = "row" if profile.rows == 1 else "rows"
    rate = f"{2 * profile.rate / 1e9:,.0f} GFLOP/s, the rate of a large matrix product on this machine"
    step = by_threads.seconds[settings.threads] if settings.threads in by_threads.divided else profile.step
    epoch, evaluation = profile.steps * step, profile.metrics / settings.log_interval
    is_long = evaluation >= epoch / 10
    note = f", of which {percent(evaluation / (epoch + evaluation))} is evaluation" if is_long else ""
    return [
        f"minimum: the matrix products of {profile.rows:,.0f} {rows} at {rate}",
        f"an epoch of {counted(profile.steps, 'step')} takes {duration(epoch)}, "
        f"an evaluation of the metrics {duration(profile.metrics)}",
        f"{settings.epochs:,} epochs with metrics every {settings.log_interval:,} take about "
        f"{duration(settings.epochs * (epoch + evaluation))}{note}",
    ]


def advice(profile: "Profile", by_threads: "ThreadProfile", settings: "TrainingConfig") -> str:
    """What dominates the step, and what would change that."""
    if profile.floor >= (1 - NOTABLE_FRACTION) * profile.step:
        seconds, own = by_threads.seconds, settings.threads
        is_faster = any(count > own and seconds[count] < seconds[own] for count in by_threads.divided)
        threads = " or a higher training.threads" if is_faster else ""
        return f"the step takes little more than its matrix products; fewer units{threads} would shorten it"
    if profile.step < CALL_OVERHEAD:
        return "the step is dominated by NumPy call overhead; larger batches are nearly free"
    longest = max(profile.parts, key=lambda part: part.seconds - part.floor)
    fraction = (longest.seconds - longest.floor) / profile.step
    if fraction < NOTABLE_FRACTION:
        return "time is split between matrix products, activations and the optimizer"
    beyond = " in addition to its matrix products" if longest.floor else ""
    per_row = "; its time does not depend on the batch size, so larger batches need less per row"
    return f"{longest.name} takes {percent(fraction)} of the step{beyond}{per_row if longest.name == UPDATE else ''}"


def thread_lines(found: "ThreadProfile", settings: "TrainingConfig") -> list[str]:
    """The kernels of BLAS, whether a step is divided, and its time on each number of threads."""
    own = found.seconds[settings.threads]
    others = [
        f"{duration(seconds)} on {counted(count, 'thread')} ({seconds / own:.2f} times as long)"
        for count, seconds in found.seconds.items()
        if count != settings.threads
    ]
    on = f"a step takes {duration(own)} on {counted(settings.threads, 'thread')}, as the config says"
    kernels = f"kernels of BLAS: {', '.join(found.kernels) or 'unknown'}"
    return ["; ".join([kernels, *_division(found)]), "; ".join([on, *others])]


def _division(found: "ThreadProfile") -> list[str]:
    """Whether processes divide a step on several threads, or why not; nothing if only one thread was measured."""
    if found.divided:
        return ["on several threads, processes divide the units of each layer"]
    if max(found.seconds) == 1:
        return []
    reason = "it is short, or its layers cannot be divided" if CAN_FORK else "this needs Linux"
    return [f"several threads do not divide a step, as {reason}"]


def thread_document(found: "ThreadProfile") -> dict[str, Any]:
    """The same as JSON values."""
    steps = [
        {"threads": count, "step": seconds, "divided": count in found.divided}
        for count, seconds in found.seconds.items()
    ]
    return {"kernels": found.kernels, "steps": steps}


def kernel_note() -> list[str]:
    """A note if the environment sets the kernel of OpenBLAS."""
    kernel = os.environ.get("OPENBLAS_CORETYPE")
    return [f"OPENBLAS_CORETYPE={kernel} is set; without it OpenBLAS may choose a faster kernel"] if kernel else []


def duration(seconds: float) -> str:
    """Seconds in a suitable unit, to three digits.

    >>> duration(2.54e-05), duration(0.0123), duration(4.7e-07), duration(8e-9), duration(4321.0)
    ('25.4 µs', '12.3 ms', '0.47 µs', '0.008 µs', '4,321 s')
    """
    unit = next((name for name, size in UNITS.items() if seconds >= size), "µs")
    value = seconds / UNITS[unit]
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:,.{digits}f} {unit}"


def percent(fraction: float) -> str:
    """A fraction in integer percent.

    >>> percent(0.257)
    '26 %'
    """
    return f"{100 * fraction:.0f} %"


def _cell(seconds: float | None) -> str:
    return "–" if seconds is None else duration(seconds)


def _minimum(seconds: float, minimum: float) -> tuple[str, str]:
    return (duration(minimum), f"{seconds / minimum:,.1f}") if minimum else ("–", "–")
