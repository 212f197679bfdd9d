"""The terminal in the README: ``python -m tests.pictures.terminal`` trains a config and draws its progress as SVG."""

import io
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

from nncli.cli.render.progress import LiveView
from nncli.store.run_writer import RunWriter
from nncli.training.loop import Epoch
from tests.conftest import ROOT
from tests.examples import train_config

CONFIG = "configs/adam.yaml"
EPOCH = 6200  # at which the progress is drawn
WIDTH = 84  # columns
PICTURE = Path(__file__).with_name("training.svg")


def frame(config: Path) -> RenderableType:
    """The progress display of a real training, as it was at ``EPOCH``."""
    frames: list[RenderableType] = []

    @contextmanager
    def observer(writer: RunWriter) -> Iterator[Callable[[Epoch], None]]:
        view = LiveView(writer.trainer.settings.epochs, "accuracy")

        def show(epoch: Epoch) -> None:
            view.show(epoch)
            if epoch.number == EPOCH:
                frames.append(view.__rich__())

        yield show

    with tempfile.TemporaryDirectory() as runs:
        train_config(config, runs=Path(runs), observer=observer)
    return frames[0]


def draw() -> str:
    """The SVG, in the fonts of the reader."""
    console = Console(file=io.StringIO(), record=True, width=WIDTH, force_terminal=True, color_system="truecolor")
    console.print(Text(f"$ nncli train {CONFIG}", style="bold"))
    console.print(frame(ROOT / CONFIG))
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="nncli"), flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
