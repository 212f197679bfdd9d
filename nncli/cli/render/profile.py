"""The profile of a step as a table, and what it says in words."""

import os
from typing import TYPE_CHECKING

from nncli.analysis.profiling import UPDATE
from nncli.cli.render.console import Output
from nncli.cli.render.table import table
from nncli.runner.blas_threads import cores

if TYPE_CHECKING:
    from nncli.analysis.profiling import Profile
    from nncli.config.model import TrainingConfig

MUCH = 0.25  # the share of the whole from which something is worth a word
FEW_CALLS = 60e-6  # seconds of a step up to which calls of NumPy, about forty of them, are most of it
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}


def show_profile(found: "Profile", settings: "TrainingConfig") -> None:
    """A row for each part of a step, then what the figures mean for the whole training."""
    out = Output()
    made = table("part of a step", "forward", "backward", "share", "floor", "times floor")
    for part in found.parts:
        share, floor = percent(part.seconds / found.step), _floor(part.seconds, part.floor)
        made.add_row(part.name, _cell(part.forward), _cell(part.backward), share, *floor)
    made.add_row("between them", "–", "–", percent(found.between / found.step), "–", "–", end_section=True)
    made.add_row("step", "", duration(found.step), "100 %", *_floor(found.step, found.floor))
    out.print(made)
    out.print()
    for line in (*totals(found, settings), advice(found, settings), *held_back()):
        out.print(line)


def totals(found: "Profile", settings: "TrainingConfig") -> list[str]:
    """What a step, an epoch and the training of a config take."""
    rows = "row" if found.rows == 1 else "rows"
    rate = f"{2 * found.rate / 1e9:,.0f} GFLOP/s, a product of two large matrices here"
    steps = f"an epoch of {found.steps:,} steps" if found.steps > 1 else "an epoch, which is one step,"
    each, logged = found.steps * found.step, found.metrics / settings.log_interval
    measuring = f"; {percent(logged / (each + logged))} of it measures" if logged >= each / 10 else ""
    return [
        f"floor: the matrix products of {found.rows:,.0f} {rows} at {rate}",
        f"{steps} takes {duration(each)}, a row of metrics {duration(found.metrics)}",
        f"{settings.epochs:,} epochs with metrics every {settings.log_interval:,} take about "
        f"{duration(settings.epochs * (each + logged))}{measuring}",
    ]


def advice(found: "Profile", settings: "TrainingConfig") -> str:
    """Why a step is as long as it is, and what would change that."""
    if found.floor >= (1 - MUCH) * found.step:
        threads = ", or training.threads," if settings.threads < cores() else ""
        return f"the step is hardly more than its matrix products: fewer units{threads} make it shorter"
    if found.step < FEW_CALLS:
        return "so short a step is mostly calls of NumPy, not numbers: twice the rows cost far less than twice as much"
    longest = max(found.parts, key=lambda part: part.seconds - part.floor)
    share = (longest.seconds - longest.floor) / found.step
    if share < MUCH:
        return "products, functions of single numbers and the update share the time"
    why = "; it is the same however many rows a step has, so that larger batches need less" * (longest.name == UPDATE)
    beyond = " beyond its products" if longest.floor else ""
    return f"{longest.name} takes {percent(share)} of the step{beyond}{why}"


def held_back() -> list[str]:
    """What in the environment keeps BLAS from the processor's best."""
    kernel = os.environ.get("OPENBLAS_CORETYPE")
    return [f"OPENBLAS_CORETYPE={kernel} is set: without it OpenBLAS may find a faster kernel"] if kernel else []


def duration(seconds: float) -> str:
    """Seconds in a unit that suits them, to three digits.

    >>> duration(2.54e-05), duration(0.0123), duration(4.7e-07), duration(8e-9), duration(4321.0)
    ('25.4 µs', '12.3 ms', '0.47 µs', '0.008 µs', '4,321 s')
    """
    unit = next((name for name, size in UNITS.items() if seconds >= size), "µs")
    value = seconds / UNITS[unit]
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:,.{digits}f} {unit}"


def percent(share: float) -> str:
    """A share in whole per cent.

    >>> percent(0.257)
    '26 %'
    """
    return f"{100 * share:.0f} %"


def _cell(seconds: float | None) -> str:
    return "–" if seconds is None else duration(seconds)


def _floor(seconds: float, floor: float) -> tuple[str, str]:
    return (duration(floor), f"{seconds / floor:,.1f}") if floor else ("–", "–")
