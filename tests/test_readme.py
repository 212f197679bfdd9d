"""The commands in the documents run, and what the documents say about the package is true.

``python -m tests.test_readme`` runs every transcript at full length and writes the output into the documents.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import nncli
from nncli.cli.main import nncli as group
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAINTAINERS = (ROOT / "nncli" / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (nncli .*)$", README, re.MULTILINE)
PAGES = ["README.md", "configs/book/README.md"]
DOCUMENTS = [
    *PAGES,
    "configs/README.md",
    "runs/README.md",
    "nncli/README.md",
    "nncli/sweep/README.md",
    "tests/README.md",
]
PAGES_OF_TESTS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/**/README.md"))
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")


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
    for heading, last in (("Train", "nncli train configs/adam.yaml"), ("Test", "pytest -n auto")):
        (command,) = re.findall(rf"^## {heading}\n\n(?:[^#\n].*\n|\n)*?    (\S.*)$", README, re.MULTILINE)
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert command.endswith(last)


def test_readme_has_at_most_200_lines():
    """The README is a front page."""
    assert len(README.splitlines()) <= 200


@pytest.mark.slow
def test_transcripts_run(workdir, run_cli, monkeypatch):
    """Every command in the README ends with the exit code that is shown."""
    monkeypatch.setenv("COLUMNS", "80")
    (workdir / "configs").symlink_to(ROOT / "configs")
    assert len(COMMANDS) >= 4
    for command in COMMANDS:
        _, *words = shlex.split(command)
        if words[0] in {"train", "sweep"}:
            words += ["training.epochs=100", "training.log_every=50"]
        result = run_cli(*words)
        expected = re.search(rf"^\$ {re.escape(command)}\n(?:(?!\$ ).*\n)*?\$ echo \$\?\n(\d+)", README, re.MULTILINE)
        assert result.code == int(expected[1] if expected else 0), (command, result.err)


@pytest.mark.slow
def test_commands_of_see_it_run(workdir, run_cli):
    """Each command of that section, after shortened trainings of the runs that it names."""
    (workdir / "configs").symlink_to(ROOT / "configs")
    for name in ("adam", "sgd"):
        assert run_cli("train", "configs/adam.yaml", "training.epochs=500", "-q", "--name", name).code == 0
    section = README.partition("## See it")[2].partition("\n## ")[0]
    commands = re.findall(r"`nncli (.*?)`", section)
    assert {command.split()[0] for command in commands} == {"train", "plot", "report", "explain"}
    for command in commands:
        result = run_cli(*shlex.split(command), *(["training.epochs=50"] if command.startswith("train ") else []))
        assert result.code == 0, (command, result.err)


@pytest.mark.slow
def test_practitioner_gets_predictions_in_three_commands(workdir, run_cli):
    """The commands of that section, as they are: a config that trains, a good network, a prediction for each row."""
    (workdir / "configs").symlink_to(ROOT / "configs")
    section = README.partition("## From a CSV file to predictions")[2].partition("\n## ")[0]
    commands = re.findall(r"^\$ nncli (.*)$", section, re.MULTILINE)
    results = [run_cli(*shlex.split(command)) for command in commands]
    assert [result.code for result in results] == [0, 0, 0]
    lines = (workdir / "predictions.csv").read_text(encoding="utf-8").splitlines()
    assert (len(lines), lines[0]) == (151, "row,prediction,probability")
    assert lines[1].startswith("1,setosa,0.9")
    accuracy = re.search(r"accuracy (0\.\d+)", results[2].err)
    assert accuracy
    assert float(accuracy[1]) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("page", [README, MAINTAINERS], ids=["README.md", "nncli/README.md"])
def test_python_example_runs(workdir, page):
    """The first Python example of a document runs, and prints nothing but what it says."""
    block = re.search(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1]
    (workdir / "configs").symlink_to(ROOT / "configs")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=workdir, env=environment, capture_output=True, encoding="utf-8", check=True
    )
    assert (bool(done.stdout), done.stderr) == ("print(" in block, "")


FLOWERS = {
    "data": {"type": "table", "path": "flowers.csv", "target": "name"},
    "layers": [{"type": "dense", "units": 2}, "softmax"],
    "loss": "categorical_crossentropy",
    "optimizer": "adam",
    "training": {"epochs": 1},
}


@pytest.mark.slow
@pytest.mark.parametrize("heading", ["Predictions", "Estimators for scikit-learn"])
def test_python_example_of_a_section_runs(workdir, heading):
    """The example pasted as it is, where a run named flowers is."""
    block = re.search(rf"^### {heading}\n.*?^```python\n(.*?)^```", MAINTAINERS, re.MULTILINE | re.DOTALL)[1]
    (workdir / "flowers.csv").write_text("size,color,name\n3,red,rose\n1.5,blue,violet\n", encoding="utf-8")
    nncli.train(FLOWERS, name="flowers")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-W", "error", "-c", block], cwd=workdir, env=environment, check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "output"),
    [
        pytest.param(*transcript, id=transcript[0])
        for page in PAGES
        for transcript in transcripts(page)
        if transcript[0].startswith("nncli explain ")
    ],
)
def test_explain_transcripts_match(command, output, run_cli, monkeypatch):
    """The output of ``explain`` in a document is that of the command, its numbers to three digits."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(ROOT)
    result = run_cli(*shlex.split(command)[1:])
    assert result.code == 0, result.err
    printed, shown = without_blanks(result.out), without_blanks(output)
    assert " ".join(NUMBER.sub("#", printed).split()) == " ".join(NUMBER.sub("#", shown).split())
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (printed, shown)]
    assert numbers[0] == pytest.approx(numbers[1], rel=2e-3, abs=1e-12)


def test_table_of_commands_is_complete():
    """The README lists every command, each once."""
    assert sorted(re.findall(r"^\| `nncli (\w+)`", README, re.MULTILINE)) == sorted(group.commands)


def test_table_of_packages_is_complete():
    """Each package of nncli is in the table of nncli/README.md, which is in the order of imports."""
    text = (ROOT / "nncli/README.md").read_text(encoding="utf-8")
    packages = {path.name for path in (ROOT / "nncli").iterdir() if (path / "__init__.py").exists()}
    assert packages <= set(re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE))


@pytest.mark.slow
def test_optimizer_example_works():
    """The example of a new optimizer, pasted as it is, follows its formula."""
    block = next(
        b for b in re.findall(r"^```python\n(.*?)^```", MAINTAINERS, re.MULTILINE | re.DOTALL) if "@register" in b
    )
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


@pytest.mark.parametrize("page", DOCUMENTS)
def test_named_paths_exist(page):
    """A path that a document names exists."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for path in re.findall(r"`((?:nncli|configs|tests|runs)/[\w/.]*\w/?)`", text):
        if not path.startswith("runs/") or path == "runs/README.md":
            assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES_OF_TESTS)
def test_named_test_modules_exist(page):
    """A module that a README of the tests names exists: in its directory, in the repository, or in nncli/nn."""
    path = ROOT / page
    for name in re.findall(r"`([\w/]+\.py)`", path.read_text(encoding="utf-8")):
        assert any((directory / name).exists() for directory in (path.parent, ROOT, ROOT / "nncli" / "nn")), name


@pytest.mark.parametrize("page", sorted({*DOCUMENTS, *PAGES_OF_TESTS}))
def test_named_commands_exist(page):
    """A module, or a package with ``__main__``, that a document runs with ``python -m`` exists."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for module in re.findall(r"python -m\s+(tests(?:\.\w+)+)(?![\w.]*…)", text):
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


@pytest.mark.parametrize("page", [*DOCUMENTS, "nncli/CHANGES.md", "tests/benchmarks/README.md"])
def test_links_lead_somewhere(page):
    """The file that a relative link names exists."""
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert not [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]


def rewritten(page, directory):
    """A page with its transcripts as the commands print them now, one after another in one directory."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # nncli is beside the interpreter
    environment = {**os.environ, "PATH": path, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm-256color"}
    code = 0

    def run(block):
        nonlocal code
        lines = []
        for command in re.findall(r"^\$ (.*)$", block[1], re.MULTILINE):
            if command == "echo $?":
                printed = str(code)
            else:
                done = subprocess.run(
                    command,
                    shell=True,
                    cwd=directory,
                    env=environment,
                    capture_output=True,
                    encoding="utf-8",
                    check=False,
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
