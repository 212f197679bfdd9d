"""The terminal in the README: ``python -m tests.pictures.terminal`` trains a config and draws its panel as SVG."""

import io
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from nncli.cli.render.panel import TrainingPanel
from nncli.report.live_history import history_of
from nncli.store.run_writer import RunWriter
from nncli.training.loop import Epoch
from tests.conftest import ROOT
from tests.examples import train_config

CONFIG = "configs/adam.yaml"
EPOCH = 6200  # whose panel is drawn
WIDTH, HEIGHT = 84, 24
PICTURE = Path(__file__).with_name("training.svg")


def print_panel(config: Path, console: Console) -> None:
    """Print the panel of a real training as it was at ``EPOCH``."""

    @contextmanager
    def observer(writer: RunWriter) -> Iterator[Callable[[Epoch], None]]:
        panel = TrainingPanel(writer.trainer, writer.path.name, history_of(writer))

        def show(epoch: Epoch) -> None:
            panel.show(epoch)
            if epoch.number == EPOCH and epoch.metrics is not None:
                console.print(panel)

        yield show

    with tempfile.TemporaryDirectory() as runs:
        train_config(config, runs=Path(runs), observer=observer)


def draw() -> str:
    """The SVG, in the fonts of the reader."""
    size = {"width": WIDTH, "height": HEIGHT}
    console = Console(file=io.StringIO(), record=True, force_terminal=True, color_system="truecolor", **size)
    console.print(Text(f"$ nncli train {CONFIG}", style="bold"))
    print_panel(ROOT / CONFIG, console)
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="nncli"), flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
