"""Pictures of runs as SVG, PNG or PDF files, drawn by matplotlib, which is an extra.

Colours have a second channel beside them: markers, line styles, hatching or numbers.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nncli.cli.render import figure_diagrams as diagrams
from nncli.cli.render.figure_planes import draw_boundary, draw_confusion
from nncli.config.diagnostics import sanitized_line
from nncli.errors import MissingExtraError
from nncli.report.boundary import Boundary
from nncli.report.pictures import CURVES, Wish, picture

if TYPE_CHECKING:
    from nncli.report.trained_run import TrainedRun

WIDTH = 6.0  # inches
CELLS = 200  # of a boundary, to the right and upwards
RESOLUTION = 150  # dots per inch of PNG files
SETTINGS: dict[str, Any] = {
    "svg.hashsalt": "nncli",  # equal bytes for equal pictures
    "svg.fonttype": "none",  # texts stay texts
    "font.size": 9,
    "font.family": "DejaVu Sans",  # that of matplotlib itself, the same on each machine
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # names of runs, columns and classes are no formulas
}
METADATA: Mapping[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


def figure_bytes(trained: "Sequence[TrainedRun]", name: str, split: str | None, form: str) -> bytes:
    """A picture of runs as a file; the curves of all runs are in one diagram, other pictures below each other.

    Args:
        trained: the runs.
        name: one of the pictures of nncli.report.pictures.
        split: the split whose rows are shown; None for that of the picture.
        form: svg, png or pdf.

    Raises:
        CommandLineError: a run does not have the picture.
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("pictures as files", "plots") from None
    pictures = [picture(name, each, Wish(split, CELLS, CELLS)) for each in trained]
    with rc_context(SETTINGS):
        canvas, file = Figure(layout="constrained"), io.BytesIO()
        height = (
            diagrams.draw_curves(canvas, pictures) if name == CURVES else _draw_each(canvas, name, trained, pictures)
        )
        canvas.set_size_inches(WIDTH, height)
        canvas.savefig(file, format=form, dpi=RESOLUTION, metadata=METADATA[form])
    return file.getvalue()


def _draw_each(canvas: Any, name: str, trained: "Sequence[TrainedRun]", pictures: Sequence[Any]) -> float:
    """Each picture below the one before, with the name of its run; returns the height of all."""
    parts, height = canvas.subfigures(len(pictures), 1, squeeze=False)[:, 0], 0.0
    for part, each, data in zip(parts, trained, pictures, strict=True):
        height += _DRAWN[name](part, data)
        part.suptitle(f"{sanitized_line(each.run.name)}, epoch {each.epoch}", fontsize=10)
    return height


def _draw_plane(part: Any, data: Any) -> float:
    return draw_boundary(part, data) if isinstance(data, Boundary) else diagrams.draw_fit(part, data)


_DRAWN: Mapping[str, Callable[[Any, Any], float]] = {
    "boundary": _draw_plane,
    "confusion": draw_confusion,
    "calibration": diagrams.draw_calibration,
    "residuals": diagrams.draw_residuals,
    "weights": diagrams.draw_weights,
    "gradients": diagrams.draw_gradients,
    "units": diagrams.draw_units,
}
