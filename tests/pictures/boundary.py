"""The boundary in the README: ``python -m tests.pictures.boundary`` trains a config and captures its report as PNG."""

import base64
import io
import json
import tempfile
from pathlib import Path

from PIL import Image

from nncli.report.page.content import report_of
from nncli.report.page.html import html
from nncli.store.run_reader import Run
from tests.conftest import ROOT
from tests.examples import train_config
from tests.report.page.browser import opened

CONFIG = ROOT / "configs" / "adam.yaml"
BLOCK = "#network article"  # the decision boundary with its player
WIDTH, SCALE = 1000, 2  # of the window, in CSS pixels; device pixels for each of them
COLORS = 128  # of the palette, so that the file is small
PICTURE = Path(__file__).with_name("boundary.png")
BOX = f"""(() => {{
    const box = document.querySelector({json.dumps(BLOCK)}).getBoundingClientRect();
    return {{x: box.left + scrollX, y: box.top + scrollY, width: box.width, height: box.height, scale: 1}};
}})()"""


def report(directory: Path) -> Path:
    """Train the config, and write its report into a directory."""
    train_config(CONFIG, runs=directory)
    path = directory / "report.html"
    path.write_bytes(html(report_of([Run(directory / CONFIG.stem)])))
    return path


def capture(path: Path, profile: Path) -> bytes:
    """The block of a report as PNG, in the light scheme.

    Args:
        path: the report.
        profile: an empty directory for the browser.
    """
    with opened(path, profile) as page:
        page.call("Emulation.setScrollbarsHidden", hidden=True)
        page.call(
            "Emulation.setDeviceMetricsOverride", width=WIDTH, height=WIDTH, deviceScaleFactor=SCALE, mobile=False
        )
        page.wait_for("document.querySelectorAll('#network .line').length > 0")
        captured = page.call("Page.captureScreenshot", captureBeyondViewport=True, clip=page.evaluate(BOX))
    return base64.b64decode(captured["data"])


def draw() -> bytes:
    """The PNG with a palette."""
    with tempfile.TemporaryDirectory() as runs, tempfile.TemporaryDirectory() as profile:
        captured = capture(report(Path(runs)), Path(profile))
    file = io.BytesIO()
    Image.open(io.BytesIO(captured)).convert("RGB").quantize(COLORS).save(file, "png", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    PICTURE.write_bytes(draw())
