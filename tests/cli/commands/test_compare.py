"""``nncli compare``: the same comparison as text, JSON, CSV and Markdown."""

import csv
import io
import json
import shutil

import pytest

from tests.examples import BINARY, LATE_TEST, SINE, put_record

NAMES = ["first", "second-with-a-much-longer-name", "third"]


@pytest.fixture
def runs(workdir, run_cli):
    """Three runs with different units, learning rates, and lengths of their names."""
    for name, units in zip(NAMES, (8, 16, 8), strict=True):
        change = [f"layers[0].units={units}", *(["optimizer.learning_rate=0.001"] if name == "third" else [])]
        assert run_cli("train", "config.yaml", *change, "--quiet", "--name", name).code == 0
    return workdir / "runs"


def evaluations(runs):
    return [json.loads((runs / name / "evaluation.json").read_text(encoding="utf-8")) for name in NAMES]


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 80, 120])
def test_text_fits_the_terminal(runs, run_cli, terminal_width, width):
    """No line is wider than the terminal; every run, difference and metric is printed, and a plot."""
    terminal_width(width)
    result = run_cli("compare", *NAMES)
    assert (result.code, result.err) == (0, "")
    assert max(map(len, result.out.splitlines())) <= width
    for word in ("layers[0].units", "optimizer.learning_rate", "data_loss ↓", "validation_accuracy ↑", "by epoch"):
        assert word in result.out
    assert all(name in result.out for name in NAMES if width > 40 or len(name) < 10)
    assert "\x1b" not in result.out


@pytest.mark.slow
def test_best_value_is_marked_with_a_star(runs, run_cli, monkeypatch):
    """The best of each row has a star, also without colors."""
    monkeypatch.setenv("COLUMNS", "120")
    out = run_cli("compare", *NAMES).out
    losses = [each["splits"]["validation"]["loss"] for each in evaluations(runs)]
    row = next(line for line in out.splitlines() if line.startswith("validation_loss"))
    assert f"* {min(losses):.4g}" in row
    assert row.count("*") == 1
    assert f"* {min(losses)!r}" in run_cli("compare", *NAMES, "--exact").out
    assert f"**{min(losses)!r}**" in run_cli("compare", *NAMES, "--exact", "--markdown").out


def test_equal_configs_are_reported_as_the_same(runs, run_cli):
    """Nothing differs, and nothing is listed."""
    shutil.copytree("runs/first", "runs/same")
    out = run_cli("compare", "first", "same").out
    assert out.startswith("the configs are the same\n")
    assert "learning_rate" not in out


@pytest.mark.slow
def test_all_option_shows_every_key(runs, run_cli):
    """Keys with the same value in all runs are printed too."""
    assert "data.samples" not in run_cli("compare", *NAMES).out
    assert "data.samples" in run_cli("compare", *NAMES, "--all").out


def test_json_has_full_precision(runs, run_cli):
    """One document: each run with its recorded metrics, the differences, the best runs, and the verdict."""
    result = run_cli("compare", *NAMES, "--json")
    document = json.loads(result.out)
    assert result.err == ""
    assert [run["run"] for run in document["runs"]] == [f"runs/{name}" for name in NAMES]
    for run, evaluation in zip(document["runs"], evaluations(runs), strict=True):
        assert (run["status"], run["epoch"]) == ("finished", 30)
        assert run["metrics"]["data_loss"] == evaluation["splits"]["training"]["data_loss"]
        assert run["metrics"]["validation_accuracy"] == evaluation["splits"]["validation"]["accuracy"]
        gap = evaluation["splits"]["training"]["accuracy"] - evaluation["splits"]["validation"]["accuracy"]
        assert run["gap"]["size"] == gap
    assert document["differences"]["layers[0].units"] == [8, 16, 8]
    losses = [run["metrics"]["validation_loss"] for run in document["runs"]]
    assert document["best"]["validation_loss"] == [NAMES[losses.index(min(losses))]]
    assert document["verdict"]


def test_csv_has_one_row_per_run(runs, run_cli):
    """A header, then status, metrics at full precision, and the keys in which the configs differ."""
    rows = list(csv.DictReader(io.StringIO(run_cli("compare", *NAMES, "--csv").out)))
    assert [row["run"] for row in rows] == NAMES
    assert [row["layers[0].units"] for row in rows] == ["8", "16", "8"]
    assert [row["optimizer.learning_rate"] for row in rows] == ["0.05", "0.05", "0.001"]
    for row, evaluation in zip(rows, evaluations(runs), strict=True):
        assert row["validation_loss"] == repr(evaluation["splits"]["validation"]["loss"])
        assert None not in row
        assert None not in row.values()


def test_markdown_has_two_tables_and_a_list(runs, run_cli):
    """Each row of a table has one cell per run, and the best ones are bold."""
    out = run_cli("compare", *NAMES, "--markdown").out
    rows = [line.split(" | ") for line in out.splitlines() if line.startswith("|")]
    assert all(len(row) == 4 for row in rows)
    assert [row[0] for row in rows if row[1] == "first"] == ["| config", "| metric"]
    assert sum("**" in line for line in out.splitlines() if line.startswith("| validation_loss ↓")) == 1
    assert [line.split("**")[1] for line in out.splitlines() if line.startswith("- ")] == NAMES


@pytest.mark.slow
@pytest.mark.parametrize("form", ["--json", "--csv", "--markdown"])
def test_sort_orders_the_runs_in_every_format(runs, run_cli, form):
    """Each format lists the runs in the requested order."""
    losses = [each["splits"]["validation"]["loss"] for each in evaluations(runs)]
    expected = [name for _, name in sorted(zip(losses, NAMES, strict=True))]
    out = run_cli("compare", *NAMES, form, "--sort", "validation_loss").out
    positions = [out.index(name) for name in expected]
    assert positions == sorted(positions)


@pytest.mark.slow
def test_curve_option_selects_the_column(runs, run_cli):
    """--curve names a column; the validation loss is the default."""
    assert "validation_loss by epoch" in run_cli("compare", *NAMES).out
    assert " accuracy by epoch" in run_cli("compare", *NAMES, "--curve", "accuracy").out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["first"], 2, "compare needs at least two runs"),
        (["first", "third", "--sort", "speed"], 2, "no run has a metric 'speed'"),
        (["first", "third", "--curve", "speed"], 2, "no run has a column 'speed'"),
        (["first", "nothing"], 4, "run not found: nothing (looked in ./ and runs/); runs/ has: first, "),
        (["first", "third", "--csv", "--json"], 2, "--json, --csv and --markdown are mutually exclusive"),
        (["first", "third", "--markdown", "--csv"], 2, "--json, --csv and --markdown are mutually exclusive"),
    ],
)
def test_errors_have_their_exit_code_and_message(runs, run_cli, arguments, code, message):
    """Runs that cannot be compared are reported before anything is printed."""
    result = run_cli("compare", *arguments)
    assert result.code == code
    assert message in result.err
    if "--json" in arguments:
        assert json.loads(result.out) == {"error": {"message": message, "exit_code": code}}
    else:
        assert result.out == ""


def test_different_data_needs_an_option(runs, run_cli):
    """Refused with the name of the option; allowed with --different-data."""
    assert run_cli("train", "config.yaml", "seed=1", "--quiet", "--name", "other").code == 0
    refused = run_cli("compare", "first", "other")
    assert refused.code == 4
    assert "--different-data" in refused.err
    assert run_cli("compare", "first", "other", "--different-data").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"], ["--markdown"]])
def test_diverged_run_is_shown_in_every_format(runs, run_cli, form):
    """A run without metrics is compared in every format, and its status says why it has none."""
    huge = ("layers[0].initializer={type: normal, scale: 1e38}", "layers[2].initializer={type: normal, scale: 1e10}")
    assert run_cli("train", "config.yaml", *huge, "--quiet", "--name", "wild").code == 7
    result = run_cli("compare", "first", "wild", *form)
    assert (result.code, result.err) == (0, "")
    assert "diverged at epoch 0" in " ".join(result.out.split())
    assert "nan" not in result.out.lower()


@pytest.mark.slow
@pytest.mark.parametrize("directory", ["plain", "[red]", "[/x]"])
def test_label_with_brackets_is_no_markup(runs, run_cli, monkeypatch, directory):
    """A path that looks like a style of rich is printed unchanged above its column."""
    monkeypatch.setenv("COLUMNS", "120")
    assert run_cli("train", "config.yaml", "--quiet", "--runs-dir", directory, "--name", "first").code == 0
    result = run_cli("compare", "first", f"{directory}/first")
    assert result.code == 0
    assert f"{directory}/first" in next(line for line in result.out.splitlines() if line.startswith("metric "))


FORMS = [[], ["--json"], ["--csv"], ["--markdown"]]


@pytest.fixture
def train(workdir, run_cli):
    """Train the small config under a name, with some values changed."""

    def train_run(name, *changes):
        result = run_cli("train", "config.yaml", "--quiet", "--name", name, *changes)
        assert result.code == 0, result.err

    return train_run


@pytest.mark.slow
def test_regressions_are_compared_by_mean_absolute_error(train, run_cli, monkeypatch):
    """Overfitting and the verdict refer to the mean absolute error, and every metric has its direction."""
    monkeypatch.setenv("COLUMNS", "160")
    train("short", *SINE, "training.epochs=10")
    train("long", *SINE, "training.epochs=600")
    result = run_cli("compare", "short", "long")
    assert (result.code, result.err) == (0, "")
    for words in ("validation_r2 ↑", "mean_absolute_error ↓", "root_mean_squared_error ↓", "regression_accuracy ↑"):
        assert words in result.out
    assert "long shows no significant overfitting: mean_absolute_error " in result.out
    assert "long is significantly better than short: validation_mean_absolute_error " in result.out
    assert "r2 by epoch" in run_cli("compare", "short", "long", "--curve", "r2").out


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_runs_of_different_tasks_have_no_verdict(train, run_cli, form):
    """Three tasks side by side are printed in every format, and none is called better than another."""
    train("one")
    train("two", *SINE)
    train("three", *BINARY)
    assert run_cli("compare", "one", "two", "three", *form).code == 4
    result = run_cli("compare", "one", "two", "three", "--different-data", *form)
    assert (result.code, result.err) == (0, "")
    assert "better than" not in result.out
    if form == ["--json"]:
        assert json.loads(result.out)["verdict"] is None


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_test_set_sampled_after_training_is_compared(train, run_cli, form):
    """Its metrics are printed in every format."""
    train("one", *LATE_TEST)
    train("two", *LATE_TEST, "optimizer.learning_rate=0.01")
    result = run_cli("compare", "one", "two", *form)
    assert (result.code, result.err) == (0, "")
    assert "test_accuracy" in result.out


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_names_in_runs_are_sanitized(workdir, train, run_cli, form):
    """Names of directories and texts in files are printed without control characters."""
    train("one")
    first = workdir / "runs" / "one"
    names = ["\x1b[2Jtwo", "\x9b2Jthree", "\u202efour", "\x1b[2Jfolder/one"]
    for name in names:
        shutil.copytree(first, first.parent / name)
    paths = [first.parent / name for name in names]
    for command in (
        ["compare", first, *paths, *form],
        ["evaluate", paths[0]],
        ["evaluate", first.parent / "\x1b[2Jnone"],
    ):
        result = run_cli(*command)
        assert not {"\x1b", "\x9b", "\u202e"} & set(result.out + result.err), command
    record, evaluation = (json.loads((first / name).read_bytes()) for name in ("run.json", "evaluation.json"))
    record["versions"]["nncli"] = "\x1b[2J"
    record["data"]["training"]["sha256"] = "0" * 64
    del evaluation["identity"]
    put_record(paths[0] / "run.json", record)
    put_record(paths[0] / "evaluation.json", evaluation)
    result = run_cli("evaluate", paths[0])
    assert (result.code, "\x1b" in result.err) == (4, False)
    assert "the run was made with nncli �[2J" in result.err


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 60, 80])
def test_long_names_are_broken_after_separators(train, run_cli, terminal_width, width):
    """Neither names of runs nor values are broken within a word."""
    terminal_width(width)
    names = ["chapter10_momentum", "chapter10_with-nesterov", "chapter10_with-adaptive.rates"]
    for name, loss in zip(names, ["mean_squared_error", "mean_absolute_error", "mean_squared_error"], strict=True):
        train(name, *SINE, f"loss={loss}", "training.epochs=10")
    tables = run_cli("compare", *names).out.partition(" by epoch")[0]
    for word in ("momentum", "nesterov", "adaptive.", "rates", "squared_error", "absolute_"):
        assert word in tables


def test_legend_is_printed_below_the_plot(train, run_cli, monkeypatch):
    """It covers no curve, and has the letter of each run."""
    monkeypatch.setenv("COLUMNS", "80")
    train("one")
    train("two")
    out = run_cli("compare", "one", "two").out
    assert out.splitlines()[-1].split() == ["a", "one", "b", "two"]
    assert "one" not in out.partition(" by epoch")[2].rpartition("a one")[0]


def test_all_of_several_best_values_are_marked(train, run_cli, monkeypatch):
    """Two runs of one config have equal metrics."""
    monkeypatch.setenv("COLUMNS", "80")
    train("one")
    train("two")
    row = next(line for line in run_cli("compare", "one", "two").out.splitlines() if line.startswith("accuracy"))
    assert row.count("* ") == 2


def test_warnings_of_the_trainings_are_repeated(train, run_cli, monkeypatch):
    """Those of evaluation.json, after the sentences about overfitting."""
    monkeypatch.setenv("COLUMNS", "200")
    train("one")
    train("two", "optimizer.learning_rate=1e-9")
    one, two = (run["warnings"] for run in json.loads(run_cli("compare", "one", "two", "--json").out)["runs"])
    assert (one, len(two)) == ([], 1)
    assert f"\ntwo warning: {two[0]['message']}\n" in run_cli("compare", "one", "two").out
