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
    """Three runs that differ in the number of units, in learning rate, and in the length of their names."""
    for name, units in zip(NAMES, (8, 16, 8), strict=True):
        change = [f"layers[0].units={units}", *(["optimizer.learning_rate=0.001"] if name == "third" else [])]
        assert run_cli("train", "config.yaml", *change, "--quiet", "--name", name).code == 0
    return workdir / "runs"


def evaluations(runs):
    return [json.loads((runs / name / "evaluation.json").read_text(encoding="utf-8")) for name in NAMES]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_text_fits_into_the_terminal(runs, run_cli, monkeypatch, width):
    """No line is wider than the terminal; every run, difference and metric is there, with a chart."""
    monkeypatch.setenv("COLUMNS", str(width))
    result = run_cli("compare", *NAMES)
    assert (result.code, result.err) == (0, "")
    assert max(map(len, result.out.splitlines())) <= width
    for word in ("layers[0].units", "optimizer.learning_rate", "data_loss ↓", "validation_accuracy ↑", "by epoch"):
        assert word in result.out
    assert all(name in result.out for name in NAMES if width > 40 or len(name) < 10)
    assert "\x1b" not in result.out


def test_text_marks_the_best(runs, run_cli, monkeypatch):
    """The best of each row has a star, also without colour."""
    monkeypatch.setenv("COLUMNS", "120")
    out = run_cli("compare", *NAMES).out
    losses = [each["splits"]["validation"]["loss"] for each in evaluations(runs)]
    row = next(line for line in out.splitlines() if line.startswith("validation_loss"))
    assert f"* {min(losses):.6g}" in row
    assert row.count("*") == 1


def test_text_says_where_the_specs_are_the_same(runs, run_cli):
    """Nothing differs, and nothing is listed."""
    shutil.copytree("runs/first", "runs/same")
    out = run_cli("compare", "first", "same").out
    assert out.startswith("the specs are the same\n")
    assert "learning_rate" not in out


def test_all_shows_every_key(runs, run_cli):
    """Keys on which the runs resolve_config are there too."""
    assert "data.samples" not in run_cli("compare", *NAMES).out
    assert "data.samples" in run_cli("compare", *NAMES, "--all").out


def test_json_has_everything_at_full_precision(runs, run_cli):
    """One document: each run with its metrics as recorded, the differences, the best, the verdict."""
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


def test_csv_is_a_line_a_run(runs, run_cli):
    """A header, then status, metrics at full precision, and the keys in which the specs differ."""
    rows = list(csv.DictReader(io.StringIO(run_cli("compare", *NAMES, "--csv").out)))
    assert [row["run"] for row in rows] == NAMES
    assert [row["layers[0].units"] for row in rows] == ["8", "16", "8"]
    assert [row["optimizer.learning_rate"] for row in rows] == ["0.05", "0.05", "0.001"]
    for row, evaluation in zip(rows, evaluations(runs), strict=True):
        assert row["validation_loss"] == repr(evaluation["splits"]["validation"]["loss"])
        assert None not in row
        assert None not in row.values()


def test_markdown_is_two_tables_and_the_words(runs, run_cli):
    """Every line of a table has a cell a run, and the best ones are bold."""
    out = run_cli("compare", *NAMES, "--markdown").out
    rows = [line.split(" | ") for line in out.splitlines() if line.startswith("|")]
    assert all(len(row) == 4 for row in rows)
    assert [row[0] for row in rows if row[1] == "first"] == ["| spec", "| metric"]
    assert sum("**" in line for line in out.splitlines() if line.startswith("| validation_loss ↓")) == 1
    assert [line.split("**")[1] for line in out.splitlines() if line.startswith("- ")] == NAMES


@pytest.mark.parametrize("form", ["--json", "--csv", "--markdown"])
def test_forms_sort_alike(runs, run_cli, form):
    """Every form has the runs in the order that was asked for."""
    losses = [each["splits"]["validation"]["loss"] for each in evaluations(runs)]
    wanted = [name for _, name in sorted(zip(losses, NAMES, strict=True))]
    out = run_cli("compare", *NAMES, form, "--sort", "validation_loss").out
    places = [out.index(name) for name in wanted]
    assert places == sorted(places)


def test_the_curve_that_is_asked_for_is_drawn(runs, run_cli):
    """--curve names a column; the validation loss is drawn without it."""
    assert "validation_loss by epoch" in run_cli("compare", *NAMES).out
    assert " accuracy by epoch" in run_cli("compare", *NAMES, "--curve", "accuracy").out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["first"], 2, "name at least two"),
        (["first", "third", "--sort", "speed"], 2, "no run has a metric 'speed'"),
        (["first", "third", "--curve", "speed"], 2, "no run has a column 'speed'"),
        (["first", "nothing"], 4, "run not found: 'nothing' (looked in ./ and runs/)"),
        (["first", "third", "--csv", "--json"], 2, "--json, --csv and --markdown exclude each other"),
        (["first", "third", "--markdown", "--csv"], 2, "--json, --csv and --markdown exclude each other"),
    ],
)
def test_each_failure_has_its_exit_code_and_message(runs, run_cli, arguments, code, message):
    """What cannot be compared is told before anything is printed."""
    result = run_cli("compare", *arguments)
    assert (result.code, result.out) == (code, "")
    assert message in result.err


def test_different_data_is_compared_when_asked_for(runs, run_cli):
    """Refused with the way around it; allowed with --different-data."""
    assert run_cli("train", "config.yaml", "seed=1", "--quiet", "--name", "other").code == 0
    refused = run_cli("compare", "first", "other")
    assert refused.code == 4
    assert "--different-data" in refused.err
    assert run_cli("compare", "first", "other", "--different-data").code == 0


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"], ["--markdown"]])
def test_a_run_that_diverged_is_shown_in_every_form(runs, run_cli, form):
    """No form stumbles over a run without numbers, or hides that there are none."""
    huge = ("layers[0].initializer={type: normal, scale: 1e38}", "layers[2].initializer={type: normal, scale: 1e10}")
    assert run_cli("train", "config.yaml", *huge, "--quiet", "--name", "wild").code == 7
    result = run_cli("compare", "first", "wild", *form)
    assert (result.code, result.err) == (0, "")
    assert "diverged at epoch 0" in " ".join(result.out.split())
    assert "nan" not in result.out.lower()


@pytest.mark.parametrize("folder", ["plain", "[red]", "[/x]"])
def test_a_label_is_printed_as_it_is(runs, run_cli, monkeypatch, folder):
    """A path that looks like a style is no style: it stands above its column."""
    monkeypatch.setenv("COLUMNS", "120")
    assert run_cli("train", "config.yaml", "--quiet", "--runs", folder, "--name", "first").code == 0
    result = run_cli("compare", "first", f"{folder}/first")
    assert result.code == 0
    assert f"{folder}/first" in next(line for line in result.out.splitlines() if line.startswith("metric "))


FORMS = [[], ["--json"], ["--csv"], ["--markdown"]]


@pytest.fixture
def train(workdir, run_cli):
    """Train the small spec under a name, with some values changed."""

    def trained(name, *changes):
        result = run_cli("train", "config.yaml", "--quiet", "--name", name, *changes)
        assert result.code == 0, result.err

    return trained


def test_regressions_are_compared_by_their_errors(train, run_cli, monkeypatch):
    """Who overfits and which is better is said in the mean absolute error, and every metric has its direction."""
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


@pytest.mark.parametrize("form", FORMS)
def test_runs_of_different_tasks_are_shown_where_asked_for(train, run_cli, form):
    """Three tasks side by side stumble over nothing, and none is called better than another."""
    train("one")
    train("two", *SINE)
    train("three", *BINARY)
    assert run_cli("compare", "one", "two", "three", *form).code == 4
    result = run_cli("compare", "one", "two", "three", "--different-data", *form)
    assert (result.code, result.err) == (0, "")
    assert "better than" not in result.out
    if form == ["--json"]:
        assert json.loads(result.out)["verdict"] is None


@pytest.mark.parametrize("form", FORMS)
def test_runs_that_draw_their_test_set_last_are_compared(train, run_cli, form):
    """It is among the metrics in every form."""
    train("one", *LATE_TEST)
    train("two", *LATE_TEST, "optimizer.learning_rate=0.01")
    result = run_cli("compare", "one", "two", *form)
    assert (result.code, result.err) == (0, "")
    assert "test_accuracy" in result.out


@pytest.mark.parametrize("form", FORMS)
def test_no_name_in_a_run_can_steer_the_terminal(workdir, train, run_cli, form):
    """A directory's name, and what is read out of its files, are printed without control characters."""
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
    assert "it was made with nncli �[2J" in result.err
