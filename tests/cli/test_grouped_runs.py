"""``nncli compare`` with groups: on one screen, in every form, its gate, and what it rejects."""

import csv
import io
import json
import shutil

import pytest

from tests.groups import FIXED_DATA, make_group, set_scores

LOSSES = [0.31, 0.32, 0.3, 0.33, 0.51, 0.5, 0.52, 0.49]


@pytest.fixture
def group(optimizer_group, workdir):
    """The group in the directory of runs, with losses by which adam is better, and a plain run."""
    shutil.copytree(optimizer_group, workdir / "runs" / "optimizers")
    set_scores(workdir / "runs" / "optimizers", LOSSES, "loss")
    return workdir / "runs" / "optimizers"


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 80, 120])
def test_groups_fit_the_terminal(group, run_cli, terminal_width, width):
    """No line of the table and the plot is wider; table, verdict and plot are printed in 40 lines."""
    terminal_width(width)
    result = run_cli("compare", "optimizers", "--metric", "validation_loss")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert len(lines) <= 40
    assert max(map(len, [*lines[:4], *lines[-18:]])) <= width
    for text in ("validation_loss", "↓", "adam", "0.31", "±", "adam is better than sgd: difference -0.19"):
        assert text in result.out
    assert "validation_loss by epoch" in result.out
    assert "\x1b" not in result.out


def test_json_has_the_numbers_of_the_table(group, run_cli):
    """At full precision, with the runs of each group."""
    document = json.loads(run_cli("compare", "optimizers", "--metric", "validation_loss", "--json").out)
    adam, sgd = document["groups"]
    assert (adam["label"], adam["n"], len(adam["runs"])) == ("adam", 4, 4)
    assert adam["mean"] == pytest.approx(sum(LOSSES[:4]) / 4)
    assert (sgd["min"], sgd["max"], sgd["failed"]) == (0.49, 0.52, 0)
    [found] = document["comparisons"]
    assert (found["first"], found["second"], found["verdict"], found["pairs"]) == ("adam", "sgd", "better", 4)
    assert (found["pairs_won"], found["probability"], found["sign_flip_p"]) == (1.0, 1.0, None)
    assert found["difference"] == pytest.approx(-0.19)
    low, high = found["interval_over_runs"]
    assert low < -0.19 < high < 0
    assert document["by"] == ["optimizer.type"]


def test_csv_has_a_row_per_group(group, run_cli):
    """The difference to the best group, or to the baseline, has the sign of the group."""
    rows = list(
        csv.DictReader(io.StringIO(run_cli("compare", "optimizers", "--metric", "validation_loss", "--csv").out))
    )
    assert [(row["group"], row["compared_with"], row["verdict"]) for row in rows] == [
        ("adam", "", ""),
        ("sgd", "adam", "worse"),
    ]
    assert float(rows[1]["low"]) < float(rows[1]["difference"]) == pytest.approx(0.19)
    arguments = ("compare", "optimizers", "--metric", "validation_loss", "--baseline", "sgd", "--csv")
    rows = list(csv.DictReader(io.StringIO(run_cli(*arguments).out)))
    assert [(row["compared_with"], row["verdict"]) for row in rows] == [("sgd", "better"), ("", "")]
    assert float(rows[0]["difference"]) == pytest.approx(-0.19)


def test_markdown_has_the_table_and_the_sentences(group, run_cli):
    """The same numbers as in the terminal."""
    out = run_cli("compare", "optimizers", "--metric", "validation_loss", "--markdown").out
    assert "| adam | 4 | 0.3150 ± 0.013 | 0.3000 | 0.3300 | 0 | 0 | 0 |" in out
    assert "\n- adam is better than sgd: difference -0.19 " in out


def test_latex_has_the_table_and_the_sentences_as_comments(group, run_cli):
    """One row per group, with special characters escaped."""
    lines = run_cli("compare", "optimizers", "--metric", "validation_loss", "--latex").out.splitlines()
    assert lines[0] == r"\begin{tabular}{lrrrrrrr}"
    assert lines[2].startswith(r"validation\_loss ")
    assert lines[4].startswith(r"adam & 4 & 0.3150 $\pm$ 0.013 ")
    assert any(line.startswith("% adam is better than sgd: ") for line in lines)


def test_plain_runs_are_grouped_by_keys(workdir, run_cli):
    """Runs of several directories are grouped by the values of a key."""
    for seed, (name, rate) in enumerate((("a", 0.05), ("b", 0.05), ("c", 0.01))):
        changes = (*FIXED_DATA, f"optimizer.learning_rate={rate}", f"seed={seed}")
        assert run_cli("train", "config.yaml", *changes, "-q", "--name", name).code == 0
    out = run_cli("compare", "a", "b", "c", "--by", "optimizer.learning_rate").out
    assert "learning_rate=0.05" in out
    assert "one seed of learning_rate=0.01: train more of it" in out


def test_curves_that_are_not_plotted_are_counted(workdir, run_cli):
    """A plot has the best five groups."""
    rates = "optimizer.learning_rate=0.01,0.02,0.03,0.04,0.05,0.06"
    assert run_cli("sweep", "config.yaml", rates, "training.epochs=3", "-q", "-n", "g").code == 0
    assert run_cli("compare", "g").out.endswith("\nplotting the best 5 of 6 groups\n")


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"], ["--markdown"], ["--latex"]])
def test_a_regression_has_exit_code_8(group, run_cli, form):
    """In every form, after the output, with the sentence; the other way round it passes."""
    gate = ("--metric", "validation_loss", "--fail-on-regression", "validation_loss")
    result = run_cli("compare", "optimizers", "--baseline", "adam", *gate, *form)
    assert result.code == 8
    assert "validation_loss: sgd is worse than adam: difference +0.19 " in result.err
    assert "sgd" in result.out
    assert run_cli("compare", "optimizers", "--baseline", "sgd", *gate, *form).code == 0
    assert run_cli("compare", "optimizers", "--baseline", "adam", *gate[:3], "validation_loss:0.2", *form).code == 0


def test_plain_runs_have_a_gate(group, run_cli):
    """A run is compared with its baseline by their rows; the output is that of two runs."""
    assert (
        run_cli(
            "train", "config.yaml", *FIXED_DATA, "-q", "--name", "good", "layers[0].units=64", "training.epochs=500"
        ).code
        == 0
    )
    assert run_cli("train", "config.yaml", *FIXED_DATA, "-q", "--name", "bad", "optimizer.learning_rate=1e-9").code == 0
    gate = ("--fail-on-regression", "validation_accuracy")
    result = run_cli("compare", "bad", "--baseline", "good", *gate)
    assert result.code == 8
    assert "bad is worse than good: difference 0." in result.err
    assert "optimizer.learning_rate" in result.out
    assert run_cli("compare", "good", "--baseline", "bad", *gate).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fail-on-regression", "accuracy"], "--fail-on-regression needs the run or group to compare with"),
        (["--rope", "-1"], "--rope -1: expected a width of at least 0"),
        (["--rope", "nan"], "--rope nan: expected a width of at least 0"),
        (["--by", ","], "--by needs a key of the config, such as optimizer.type"),
        (["--by", "optimiser"], "no run has a key 'optimiser' in its config; did you mean 'optimizer'?"),
        (["--metric", "acuracy"], "no finished run has a metric 'acuracy'"),
        (["--baseline", "adm"], "--baseline adm: neither a side of the comparison nor a run; did you mean 'adam'?"),
        (["--sort", "accuracy"], "--sort and --all apply to single runs"),
        (["--curve", "acuracy"], "no group has a column 'acuracy' in metrics.csv"),
        (["--baseline", "adam", "--fail-on-regression", "acuracy"], "unknown metric 'acuracy'; did you mean"),
    ],
)
def test_wrong_options_have_exit_code_2(group, run_cli, arguments, message):
    """With what is wrong and what is expected."""
    result = run_cli("compare", "optimizers", *arguments)
    assert result.code == 2
    assert message in result.err


def test_options_of_groups_are_rejected_for_runs(group, run_cli):
    """They would have no effect."""
    runs = ["runs/optimizers/0000", "runs/optimizers/0001"]
    for option in (["--metric", "validation_loss"], ["--rope", "0.1"]):
        result = run_cli("compare", *runs, *option)
        assert (result.code, option[0] in result.err) == (2, True)


@pytest.mark.slow
def test_fifty_runs_are_on_one_screen(workdir, run_cli, terminal_width):
    """Ten values and five seeds: a row for each value, and at most six sentences."""
    terminal_width(120)
    rates = [0.001 * 2**power for power in range(10)]
    make_group(workdir / "runs", "rates", rates, key="optimizer.learning_rate", seeds=range(5))
    out = run_cli("compare", "rates").out
    assert sum(line.startswith("learning_rate=") and "±" in line for line in out.splitlines()) == 10
    assert len(out.splitlines()) <= 48
