"""``nncli compare``: the same comparison as text, JSON, CSV and Markdown."""

import csv
import io
import json
import re
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


def evaluations(runs, *names):
    return [json.loads((runs / name / "evaluation.json").read_text(encoding="utf-8")) for name in names or NAMES]


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
        (["first", "third", "--csv", "--json"], 2, "--json, --csv, --markdown and --latex are mutually exclusive"),
        (["first", "third", "--latex", "--csv"], 2, "--json, --csv, --markdown and --latex are mutually exclusive"),
        (["first", "third", "--latex", "--curve", "loss"], 2, "--curve cannot be combined with --latex"),
        (["first", "third", "--top", "0"], 2, "expected an integer of at least 1, got '0'"),
        (["first", "third", "--columns", "acuracy"], 2, "no run has a column 'acuracy'; did you mean 'accuracy'?"),
        (
            ["first", "third", "--columns", "layers"],
            2,
            "no run has a column 'layers'; did you mean 'layers[0].type'?",
        ),
        (["first", "third", "--columns", "seed,optimizer"], 2, "'optimizer'; did you mean 'optimizer.type'?"),
        (
            ["first", "third", "--columns", "x"],
            2,
            "no run has a column 'x'; known: accuracy, data_loss, loss, optimizer.l",
        ),
        (["first", "third", "--markdown", "--csv"], 2, "--json, --csv, --markdown and --latex are mutually exclusive"),
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


@pytest.mark.slow
@pytest.mark.parametrize("form", [*FORMS, ["--latex"]])
def test_top_shows_the_best_runs(runs, run_cli, form):
    """They are sorted by the validation accuracy, or by --sort; the verdict is on all runs."""
    values = [each["splits"]["validation"] for each in evaluations(runs)]
    for metric, sort in (("accuracy", []), ("loss", ["--sort", "validation_loss"])):
        ranked = sorted(range(3), key=lambda index: values[index][metric] * (-1 if metric == "accuracy" else 1))
        out = run_cli("compare", *NAMES, "--top", "2", *sort, *form).out
        assert form == ["--csv"] or "chosen as the best of 3 by these rows" in " ".join(out.split())
        if form == ["--json"]:
            document = json.loads(out)
            assert [run["run"] for run in document["runs"]] == [f"runs/{NAMES[index]}" for index in ranked[:2]]
            assert (document["left_out"], document["sorted_by"]) == (1, f"validation_{metric}")
            assert all(len(each) == 2 for each in document["differences"].values())
            continue
        table = re.split("\n.* is significantly|\nno significant|\n% ", out)[0]
        positions = [table.find(NAMES[index]) for index in ranked]
        assert 0 < positions[0] < positions[1]
        assert positions[2] == -1


@pytest.mark.parametrize("form", [*FORMS, ["--latex"]])
def test_columns_option_shows_only_these(runs, run_cli, form):
    """Config keys and metrics, in the order of their names, also keys that do not differ; one row per run."""
    out = run_cli("compare", *NAMES, "--columns", "accuracy, seed,layers[0].units", *form).out
    units, accuracies = [8, 16, 8], [each["splits"]["training"]["accuracy"] for each in evaluations(runs)]
    if form == ["--json"]:
        document = json.loads(out)
        assert document["differences"] == {"seed": [0, 0, 0], "layers[0].units": units}
        assert [run["metrics"] for run in document["runs"]] == [{"accuracy": value} for value in accuracies]
        return
    lines = [re.sub(r"[|,&*\\]|textbf|[{}]|---", " ", line).split() for line in out.splitlines()]
    heading = next(line for line in lines if line[:1] == ["run"])
    if form != ["--csv"]:
        heading = [word for word in heading if word not in {"status", "↑", "$", "uparrow$"}]
    assert heading == (
        ["run", "status", "epoch", "accuracy", "seed", "layers[0].units"]
        if form == ["--csv"]
        else ["run", "seed", "layers[0].units", "accuracy"]
    )
    for name, width in zip(NAMES, units, strict=True):
        row = next(line for line in lines if line[:1] == [name])
        assert str(width) in row


def test_latex_table_is_escaped(runs, run_cli):
    """A table for booktabs with the best values in bold, and the verdict as a comment."""
    hostile = "a_b 50% {x} #1 & c~^"
    shutil.move("runs/third", f"runs/{hostile}")
    out = run_cli("compare", "first", f"runs/{hostile}", "--latex", "--columns", "optimizer.learning_rate,accuracy").out
    values = [each["splits"]["training"]["accuracy"] for each in (evaluations(runs, "first", hostile))]
    first, second = (f"{value:.4f}" if value < 1 else f"{value:.3f}" for value in values)
    assert values[0] > values[1]
    assert out.splitlines()[:-1] == [
        r"\begin{tabular}{llr}",
        r"\toprule",
        r"run & optimizer.learning\_rate & accuracy $\uparrow$ \\",
        r"\midrule",
        rf"first & 0.05 & \textbf{{{first}}} \\",
        rf"a\_b 50\% \{{x\}} \#1 \& c\textasciitilde{{}}\textasciicircum{{}} & 0.001 & {second} \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]
    assert out.splitlines()[-1].startswith(f"% no significant difference between first and {hostile}: ")


def test_more_than_eight_runs_are_rows(runs, run_cli, terminal_width):
    """They are sorted, have short names, and are plotted only if a curve is named."""
    terminal_width(200)
    copies = [f"copy-{index}" for index in range(9)]
    for name in copies:
        shutil.copytree("runs/first", f"runs/{name}")
    eight, nine = (run_cli("compare", *copies[:count]).out for count in (8, 9))
    headings = ("run", "validation_accuracy ↑", "validation_loss ↓", "data_loss ↓", "accuracy ↑", "overfits")
    assert nine.splitlines()[0].split() == " ".join(headings).split()
    assert "9 runs; best validation_accuracy first; names begin with copy-\n" in nine
    assert [line[:1] for line in nine.splitlines()[2:11]] == list("012345678")
    assert "by epoch" not in nine
    assert eight.startswith("the configs are the same\n")
    assert "by epoch" in eight
    out = run_cli("compare", *copies, "--curve", "accuracy").out
    assert "plotting 8 of 9 runs" in out
    assert "accuracy by epoch" in out


def test_data_that_is_not_shared_is_not_compared(train, run_cli):
    """Every format says so, and the validation metrics are compared."""
    train("one")
    train("two", "data.samples=21")
    sentence = "training metrics are not compared: the rows of one and two differ"
    for form in ([], ["--markdown"], ["--latex"], ["--columns", "accuracy,validation_accuracy"]):
        out = run_cli("compare", "one", "two", *form).out
        assert sentence in out
    document = json.loads(run_cli("compare", "one", "two", "--json").out)
    assert document["not_compared"] == ["training"]
    assert set(document["best"]) == {"validation_loss", "validation_accuracy"}
