"""The display of a training: a panel in a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from nncli.cli.output import has_cursor

if TYPE_CHECKING:
    from nncli.experiment.assembly import Experiment
    from nncli.report.live_boundary import LiveBoundary
    from nncli.store.run_writer import RunWriter
    from nncli.training.loop import Epoch


def progress_for(writer: "RunWriter", is_watched: bool = False) -> AbstractContextManager[Callable[["Epoch"], object]]:
    """Show the progress of a training: a panel in a terminal, plain lines elsewhere.

    Args:
        writer: the training, and its run directory.
        is_watched: whether the panel shows the decision boundary of a network with two inputs, or else larger curves.
    """
    from nncli.cli.render.progress import PlainView, shown

    trainer = writer.trainer
    if not has_cursor(sys.stderr):
        return nullcontext(PlainView(trainer.settings.epochs, next(iter(trainer.experiment.metrics), None)).show)

    from nncli.cli.render.panel import TrainingPanel
    from nncli.report.live_history import history_of

    boundary = _boundary(trainer.experiment) if is_watched else None
    return shown(TrainingPanel(trainer, writer.path.name, history_of(writer), is_watched, boundary))


def _boundary(experiment: "Experiment") -> "LiveBoundary | None":
    """The boundary of a network with two inputs."""
    from nncli.report.live_boundary import LiveBoundary, has_plane

    return LiveBoundary(experiment) if has_plane(experiment) else None
