"""Plots of runs as SVG, PNG or PDF files, drawn by matplotlib, which is an extra.

Colors have a second channel beside them: markers, line styles, hatching or numbers.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nncli.cli.render import figure_diagrams as diagrams
from nncli.cli.render.figure_planes import draw_boundary, draw_confusion
from nncli.config.diagnostics import sanitized_line

WIDTH = 6.0  # inches
CURVES = "curves"
CELLS = 200  # of a boundary, along x and along y
RESOLUTION = 150  # dots per inch of PNG files
SETTINGS: dict[str, Any] = {
    "svg.hashsalt": "nncli",  # equal bytes for equal plots
    "svg.fonttype": "none",  # texts stay texts
    "font.size": 9,
    "font.family": "DejaVu Sans",  # that of matplotlib itself, the same on each machine
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # names of runs, columns and classes are no formulas
}
METADATA: Mapping[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


def figure_bytes(
    names: Sequence[str], runs: Sequence[str], epochs: Sequence[int | None], plots: Sequence[Any], form: str
) -> bytes:
    """The plots of runs as a file: curves in one diagram, others below each other.

    Args:
        names: the name of each plot.
        runs: the name of the run of each.
        epochs: the epoch of the weights that each shows; None if it shows the whole training.
        plots: the data of each, as nncli.report.plots has it.
        form: svg, png or pdf.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(SETTINGS):
        canvas, file = Figure(layout="constrained"), io.BytesIO()
        if names[0] == CURVES:
            height = diagrams.draw_curves(canvas, plots)
            if len(runs) == 1:  # else the legend names them
                canvas.suptitle(sanitized_line(runs[0]), fontsize=10)
        else:
            titles = [
                run if epoch is None else f"{run}, epoch {epoch}" for run, epoch in zip(runs, epochs, strict=True)
            ]
            height = _draw_each(canvas, names, titles, plots)
        canvas.set_size_inches(WIDTH, height)
        canvas.savefig(file, format=form, dpi=RESOLUTION, metadata=METADATA[form])
    return file.getvalue()


def _draw_each(canvas: Any, names: Sequence[str], titles: Sequence[str], plots: Sequence[Any]) -> float:
    """Each plot below the one before; returns the height of all."""
    parts, height = canvas.subfigures(len(plots), 1, squeeze=False)[:, 0], 0.0
    for part, name, title, data in zip(parts, names, titles, plots, strict=True):
        height += _DRAWN[name](part, data)
        part.suptitle(sanitized_line(title), fontsize=10)
    return height


_DRAWN: Mapping[str, Callable[[Any, Any], float]] = {
    "boundary": draw_boundary,
    "fit": diagrams.draw_fit,
    "confusion": draw_confusion,
    "calibration": diagrams.draw_calibration,
    "residuals": diagrams.draw_residuals,
    "weights": diagrams.draw_weights,
    "gradients": diagrams.draw_gradients,
    "units": diagrams.draw_units,
}
