"""The README's commands run, and what it says of the house is so.

``python -m tests.test_readme`` runs every transcript anew, at full length, and writes what is printed into the pages.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (nncli .*)$", README, re.MULTILINE)
PAGES = ["README.md", "configs/book/README.md"]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")
SAME_ANYWHERE = {"init", "check", "show", "components"}  # what these print depends on no rounding


def transcripts(page):
    """Every command that a page shows, with the lines that are shown below it."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def without_blanks(text):
    """The lines of a text without blanks at their ends."""
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip()


def test_the_two_commands_are_there():
    """One line trains, one runs the tests; both make their own environment."""
    for heading, last in (("Train", "nncli train configs/adam.yaml"), ("Test", "pytest")):
        (command,) = re.findall(rf"^## {heading}\n\n(?:[^#\n].*\n|\n)*?    (\S.*)$", README, re.MULTILINE)
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert command.endswith(last)


def ratios_to(page):
    """By network the medians of nncli's step as a share of each rival's, by the rival's name, from a page's table."""
    text = (ROOT / page).read_text(encoding="utf-8")
    table = re.search(r"^(\| network \| textbook .*\n)\|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    heads = [head.strip() for head in table[1].split("|")[2:-1]]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[2].splitlines()]
    return {name: dict(zip(heads, (cell.split()[0] for cell in cells), strict=True)) for name, *cells in rows}


def test_speed_is_that_of_the_benchmarks():
    """Each ratio stands in the benchmarks' own table, and no network is left out."""
    measured = ratios_to("tests/benchmarks/README.md")
    told = ratios_to("README.md")
    assert told == {name: {rival: shares[rival] for rival in told[name]} for name, shares in measured.items()}


def test_transcripts_run(workdir, run_cli, monkeypatch):
    """Every command ends with the exit code of the transcript; what is the same on any machine is as shown."""
    monkeypatch.setenv("COLUMNS", "80")
    (workdir / "configs").symlink_to(ROOT / "configs")
    (workdir / "config.yaml").unlink()
    assert len(COMMANDS) >= 7
    for command in COMMANDS:
        _, *words = shlex.split(command)
        if words[0] == "train":
            words += ["training.epochs=100", "training.log_every=50"]
        result = run_cli(*words)
        if words[0] in SAME_ANYWHERE:
            assert without_blanks(result.out) in without_blanks(README), command
        expected = re.search(rf"^\$ {re.escape(command)}\n(?:(?!\$ ).*\n)*?\$ echo \$\?\n(\d+)", README, re.MULTILINE)
        assert result.code == int(expected[1] if expected else 0), (command, result.err)


@pytest.mark.parametrize(
    ("command", "output"),
    [
        pytest.param(*transcript, id=transcript[0])
        for page in PAGES
        for transcript in transcripts(page)
        if transcript[0].startswith("nncli explain ")
    ],
)
def test_what_is_on_the_board_is_computed(command, output, run_cli, monkeypatch):
    """An explanation that a page shows is what the command prints, its numbers to three digits."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(ROOT)
    result = run_cli(*shlex.split(command)[1:])
    assert result.code == 0, result.err
    printed, shown = without_blanks(result.out), without_blanks(output)
    assert " ".join(NUMBER.sub("#", printed).split()) == " ".join(NUMBER.sub("#", shown).split())
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (printed, shown)]
    assert numbers[0] == pytest.approx(numbers[1], rel=2e-3, abs=1e-12)


def test_transcripts_show_every_command(run_cli):
    """No command is without a transcript."""
    listed = re.findall(r"^  (\w+) ", run_cli("--help").out.partition("Commands:")[2], re.MULTILINE)
    shown = {command.split()[1] for command in COMMANDS}
    assert set(listed) == shown


def test_the_optimizer_of_the_example_works():
    """The block that shows how to add an optimizer, pasted as it is, descends by its formula."""
    (block,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    use = """
from nncli.registry import names
optimizer = names("optimizer")["heavy_ball"].model.model_validate({"type": "heavy_ball", "learning_rate": 0.5}).build()
values, gradients = np.zeros(1), np.ones(1)
optimizer.attach(values, gradients)
optimizer.step()
optimizer.step()
assert values[0] == -0.5 - 0.5 * 1.9, values
"""
    subprocess.run([sys.executable, "-c", block + use], check=True, cwd=ROOT)


@pytest.mark.parametrize("page", [*PAGES, "configs/README.md", "runs/README.md", "tests/README.md"])
def test_named_paths_exist(page):
    """A path that a page names is there."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for path in re.findall(r"`((?:nncli|configs|tests|runs)/[\w/.]*\w/?)`", text):
        if not path.startswith("runs/") or path == "runs/README.md":
            assert (ROOT / path).exists(), path


def test_whats_where_names_every_module():
    """The table of rooms has each module of the package."""
    for path in (ROOT / "nncli").rglob("*.py"):
        if path.stem not in {"__init__", "__main__"}:
            assert f"{path.stem}.py" in README or path.parent.name in {"optimizers"}, path


def rewritten(page, folder):
    """A page with its transcripts as the commands print them now, one after another in one folder."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm-256color"}
    code = 0

    def run(block):
        nonlocal code
        lines = []
        for command in re.findall(r"^\$ (.*)$", block[1], re.MULTILINE):
            if command == "echo $?":
                printed = str(code)
            else:
                done = subprocess.run(
                    command, shell=True, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False
                )
                code = done.returncode
                printed = done.stdout + (done.stderr if code else "")
            lines += [f"$ {command}", *without_blanks(printed).splitlines()]
        return "```console\n" + "".join(f"{line}\n" for line in lines) + "```"

    return BLOCK.sub(run, (ROOT / page).read_text(encoding="utf-8"))


if __name__ == "__main__":
    for _page in PAGES:
        with tempfile.TemporaryDirectory() as _folder:
            Path(_folder, "configs").symlink_to(ROOT / "configs")
            (ROOT / _page).write_text(rewritten(_page, _folder), encoding="utf-8")
