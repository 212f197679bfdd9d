"""The tables of configs/book/README.md: each command draws its figure, or prints the values of the book."""

import json
import re
import shlex

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.test_configs import shortened, stand_ins

PAGE = (ROOT / "configs" / "book" / "README.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Chapters 2 to 9, by hand")[2].partition("\n## ")[0]
FIGURES = re.findall(r"^\| ([\d, ]+) \| .* \| `nncli (.*?)` \|$", PAGE, re.MULTILINE)
EXAMPLES = re.findall(r"^\| (\d+) \| (.*?) \| `(.*?)` \| (.*?) \| `(.*?)` \|$", SECTION, re.MULTILINE)


def test_table_has_the_chapters_that_compute():
    """Forty-one examples, in the order of the chapters; 6 to 8 have none."""
    assert [int(example[0]) for example in EXAMPLES] == [2] * 5 + [3] + [4] * 6 + [5] * 8 + [9] * 21


@pytest.mark.parametrize(
    ("command", "array", "values"), [pytest.param(*each[2:], id=f"{each[0]}: {each[1]}") for each in EXAMPLES]
)
def test_example_has_the_values_of_the_book(run_cli, command, array, values):
    """The array has the values that the book prints, to its eight digits."""
    result = run_cli("explain", *shlex.split(command), "--json")
    assert (result.code, result.err) == (0, "")
    (computed,) = json.loads(result.out)
    (found,) = [step["arrays"][array] for step in computed["steps"] if array in step["arrays"]]
    np.testing.assert_allclose(found, json.loads(values), rtol=1e-7, atol=2e-8)


def test_values_of_the_book_are_those_of_numpy():
    """The minimal step of chapter 9 in plain NumPy has the gradients and parameters of the table."""
    inputs = np.array([[1, 2, 3, 2.5], [2, 5, -1, 2], [-1.5, 2.7, 3.3, -0.8]])
    weights = np.array([[0.2, 0.8, -0.5, 1], [0.5, -0.91, 0.26, -0.5], [-0.26, -0.27, 0.17, 0.87]]).T
    outputs = inputs @ weights + [2, 3, 0.5]
    grad = np.where(outputs > 0, np.maximum(outputs, 0), 0)
    listed = {each[1]: np.array(json.loads(each[4])) for each in EXAMPLES}
    np.testing.assert_allclose(listed["a layer on a batch"], outputs, rtol=1e-12)
    np.testing.assert_allclose(listed["the layer, backward"], inputs.T @ grad, rtol=1e-12)
    np.testing.assert_allclose(listed["the update of the weights"], weights - 0.001 * inputs.T @ grad, rtol=1e-12)
    np.testing.assert_allclose(listed["the update of the biases"], [2, 3, 0.5] - 0.001 * grad.sum(axis=0), rtol=1e-12)


@pytest.fixture
def train(workdir, run_cli):
    """Train a config of the book with less data and for 100 epochs: ``train(path, *options)`` returns the output."""
    (workdir / "configs").symlink_to(ROOT / "configs")

    def run(path, *options):
        config = workdir / path
        names = (*shortened(config), *stand_ins(config, workdir), "training.epochs=100")
        result = run_cli("train", path, *options, *names)
        assert result.code == 0, result.err
        return result.out

    return run


def test_figures_are_listed_by_chapter():
    """Every chapter from 3 to 20 that has a figure, in order; 13 prepares data."""
    chapters = [int(chapter) for chapters, _ in FIGURES for chapter in chapters.split(", ")]
    assert chapters == sorted(chapters)
    assert set(chapters) == {*range(3, 21)} - {13}


@pytest.mark.slow
def test_commands_of_figures_run(workdir, run_cli, train):
    """Each command draws something, from runs of the configs that are named as the runs."""
    commands = [shlex.split(command) for _, command in FIGURES]
    runs = {word for command in commands for word in command if re.fullmatch(r"chapter\w+", word)}
    for run in sorted(runs):
        train(f"configs/book/{run}.yaml", "-q")
    for command, *words in commands:
        if command == "train":
            assert train(*words)
            continue
        result = run_cli(command, *words)
        assert (result.code, result.err) == (0, ""), words
        assert len(result.out) > 200 or (workdir / words[-1]).stat().st_size > 100_000
