"""``nncli report``: one HTML file."""

import os
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import ROOT


@pytest.fixture
def trained(workdir, run_cli):
    """A directory with the runs ``config`` and ``fast``."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    assert run_cli("train", "config.yaml", "optimizer.learning_rate=0.1", "--name", "fast", "-q").code == 0
    return workdir


def test_report_is_written_and_named(trained, run_cli):
    """By default to report.html, which is replaced by the next one."""
    result = run_cli("report", "config")
    assert (result.code, result.out) == (0, "report.html\n")
    first = (trained / "report.html").read_bytes()
    assert first.startswith(b"<!doctype html>")
    assert b"<title>config</title>" in first
    assert run_cli("report", "config", "fast").code == 0
    assert b"<title>Comparison of runs</title>" in (trained / "report.html").read_bytes()
    assert run_cli("report", "config", "-o", "again.html").code == 0
    assert (trained / "again.html").read_bytes() == first


def test_report_says_what_is_not_compared(trained, run_cli):
    """Runs with other training rows are compared on the validation rows that they share."""
    assert run_cli("train", "config.yaml", "data.samples=21", "--name", "more", "-q").code == 0
    assert run_cli("report", "config", "more").code == 0
    page = (trained / "report.html").read_text(encoding="utf-8")
    assert "Training metrics are not compared: the rows of config and more differ." in page
    assert "exact McNemar test on the same 60 rows" in page


def test_errors_leave_no_file(trained, run_cli):
    """A run that does not exist, a run given twice, a directory in the place of the file."""
    assert run_cli("report", "missing").code == 4
    result = run_cli("report", "config", "config")
    assert (result.code, result.out) == (2, "")
    assert "given twice" in result.err
    result = run_cli("report", "config", "-o", "runs")
    assert (result.code, result.err) == (2, "runs: is a directory; name an HTML file in it with -o\n")
    assert run_cli("report", "config", "-o", "missing/report.html").code == 5
    assert not list(trained.glob("*.html"))


@pytest.mark.parametrize("name", ["config.yaml", "report.pdf", "-", "report"])
def test_other_formats_are_refused(trained, run_cli, name):
    """A report is HTML; a config of that name stays as it was."""
    before = (trained / "config.yaml").read_bytes()
    result = run_cli("report", "config", "-o", name)
    assert result.code == 2
    assert result.err == f"{name}: a report is written as .html; name a file such as report.html\n"
    assert (trained / "config.yaml").read_bytes() == before


def test_pipe_is_written_to(trained, run_cli):
    """A file is replaced by renaming; a pipe or a device stays, and gets the same bytes."""
    pipe = trained / "pipe.html"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        found = reader.submit(pipe.read_bytes)
        assert run_cli("report", "config", "-o", "pipe.html").code == 0
    assert run_cli("report", "config").code == 0
    assert found.result() == (trained / "report.html").read_bytes()
    assert pipe.is_fifo()


def test_runs_that_share_no_rows_need_the_option(trained, run_cli):
    """As for compare."""
    more = ("data.samples=21", "validation.samples=21", "--name", "more", "-q")
    assert run_cli("train", "config.yaml", *more).code == 0
    result = run_cli("report", "config", "more")
    assert (result.code, result.out) == (4, "")
    assert run_cli("report", "config", "more", "--different-data").code == 0


@pytest.mark.slow
def test_wheel_has_the_assets(tmp_path):
    """Script, style and frame of the page are installed with the package."""
    import subprocess
    import sys

    assets = {path.name for path in (ROOT / "nncli" / "report" / "page" / "assets").iterdir()}
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        found = {re.sub(".*/", "", name) for name in wheel.namelist() if "nncli/report/page/assets/" in name}
    assert found == assets
    assert {"page.html", "page.css", "page.js"} <= assets
