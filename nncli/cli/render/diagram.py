"""Line and scatter plots in the terminal: a color for each line, or a letter where there are no colors."""

import math
from collections.abc import Iterator, Sequence
from string import ascii_lowercase
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.report.colors import CLASS_COLORS, rgb

if TYPE_CHECKING:
    from nncli.nn.parameters import Array

PLOT_LIMIT = 1e100  # larger values, as before a divergence, overflow in plotext
CURVE_COLORS = (*CLASS_COLORS, "#999999")
MAX_CURVES = len(CURVE_COLORS)  # more cannot be distinguished
MAX_WIDTH, HEIGHT = 120, 16
BAND = "·"  # the ends of a band
STEPS = (1, 2, 5)  # of the numbers on a logarithmic axis, times a power of ten
MAX_TICKS = 7


class Line(NamedTuple):
    """A curve, or points that are not joined.

    Args:
        label: its name in the legend.
        x: its x values.
        y: its y values.
        is_joined: whether it is a curve.
        band: the lower and the upper end of a band around the curve; None without one.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    is_joined: bool = True
    band: tuple[Sequence[float], Sequence[float]] | None = None

    @classmethod
    def of(cls, label: str, x: "Array", y: "Array", is_joined: bool = True) -> "Line":
        """The line of two arrays (N,)."""
        return cls(label, x.astype(float).tolist(), y.astype(float).tolist(), is_joined)


class Axes(NamedTuple):
    """The axes of a diagram.

    Args:
        is_logarithmic: whether the vertical axis is logarithmic; all values are positive then.
        counts: whether the horizontal axis counts from 0, as epochs do.
        marks: where vertical lines are.
        zero: whether there is a horizontal line at 0.
    """

    is_logarithmic: bool = False
    counts: bool = True
    marks: Sequence[float] = ()
    zero: bool = False


def draws_blocks(out: Output) -> bool:
    """Whether block characters can be printed."""
    return out.encoding.startswith("utf")


def draws_colors(out: Output) -> bool:
    """Whether colors, and block characters in them, can be printed."""
    return out.color_system is not None and not out.no_color and draws_blocks(out)


def print_diagram(
    out: Output, lines: Sequence[Line], title: str, axes: Axes | None = None, height: int = HEIGHT
) -> None:
    """Print a diagram, and below it its legend, as that of plotext inside it would cover the curves."""
    import plotext

    axes, is_colored = axes or Axes(), draws_colors(out)
    plotext.clear_figure()
    plotext.theme("pro" if is_colored else "clear")
    drawable = [each for each in lines if len(each.y) and max(map(abs, each.y)) < PLOT_LIMIT]
    _draw(drawable, lines, is_colored)
    if axes.is_logarithmic and drawable:
        plotext.yscale("log")
        ticks = logarithmic_ticks(*_ends(drawable))
        plotext.yticks(ticks, [f"{tick:g}" for tick in ticks])
    if axes.counts:
        last = max((each.x[-1] for each in lines if len(each.x)), default=0)
        counts = sorted({round(last * quarter / 4) for quarter in range(5)})
        plotext.xticks(counts, [str(tick) for tick in counts])
    for mark in axes.marks:
        plotext.vline(mark, "gray")
    if axes.zero:
        plotext.hline(0, "gray")
    plotext.title(title)
    plotext.plotsize(min(out.width, MAX_WIDTH), height)
    plot = plotext.build()
    out.print(Text.from_ansi(plot) if is_colored else plotext.uncolorize(plot), soft_wrap=True)
    out.print(_legend([each.label for each in lines], is_colored, out.width), soft_wrap=True)


def _draw(drawable: Sequence[Line], lines: Sequence[Line], is_colored: bool) -> None:
    """Draw each line in its color with its letter at the end, or made of its letter."""
    import plotext

    channels_of = [tuple(rgb(color).astype(int).tolist()) for color in CURVE_COLORS]
    for line, channels in zip(lines, channels_of, strict=False):
        for end in (line.band or ()) if line in drawable else ():
            plotext.scatter(list(line.x), list(end), color=channels, marker=BAND)
    for line, letter, channels in zip(lines, ascii_lowercase, channels_of, strict=False):
        if line not in drawable:
            continue
        draw = plotext.plot if line.is_joined else plotext.scatter
        draw(list(line.x), list(line.y), color=channels, marker="braille" if is_colored else letter)
        if is_colored and line.is_joined:
            plotext.scatter([line.x[-1]], [line.y[-1]], color=channels, marker=letter)


def _ends(lines: Sequence[Line]) -> tuple[float, float]:
    return min(min(each.y) for each in lines), max(max(each.y) for each in lines)


def logarithmic_ticks(low: float, high: float) -> list[float]:
    """Round numbers from ``low`` to ``high``: 1, 2 and 5 times powers of ten, or powers of ten alone if there are many.

    >>> logarithmic_ticks(0.03, 1.2)
    [0.05, 0.1, 0.2, 0.5, 1.0]
    >>> logarithmic_ticks(3e-6, 20)
    [1e-05, 0.0001, 0.001, 0.01, 0.1, 1.0, 10.0]
    """
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    ticks = [tick for tick in _rounded(powers) if low <= tick <= high]
    if len(ticks) > MAX_TICKS:
        ticks = [float(f"1e{power}") for power in powers if low <= float(f"1e{power}") <= high]
    return ticks[:: -(-len(ticks) // MAX_TICKS)] if ticks else [low, high]


def _rounded(powers: range) -> Iterator[float]:
    return (float(f"{step}e{power}") for power in powers for step in STEPS)


def _legend(labels: Sequence[str], is_colored: bool, width: int) -> Text:
    """The letter of each curve, and its color."""
    entries = [
        Text.assemble((f"{'━' if is_colored else ''}{letter}", color), f" {label}")
        for label, letter, color in zip(labels, ascii_lowercase, CURVE_COLORS, strict=False)
    ]
    line = Text("   ").join(entries)
    return line if line.cell_len <= width else Text("\n").join(entries)
