"""Training on a table: splits, preprocessing fitted to the training rows, and predictions."""

import csv
import io
import json
import random
from pathlib import Path

import numpy as np
import pytest

import nncli
from nncli.analysis.evaluation import by_row
from nncli.data import cache
from nncli.data.table_warnings import warnings_of_splits
from nncli.experiment.loading import load
from nncli.inference.opening import open_predictions
from nncli.store.run_reader import Run
from tests.data.test_table_warnings import table

ROWS = 60
CONFIG = """\
seed: 0
data: {{type: table, path: data.csv, target: {target}{more}}}
validation: {validation}
test: {test}
layers: [{{type: dense, units: 8}}, relu, {{type: dense, units: {units}}}{softmax}]
loss: {loss}
optimizer: adam
training: {{epochs: 3, batch_size: 8}}
"""
CLASSES = {"target": "kind", "units": 3, "softmax": ", softmax", "loss": "categorical_crossentropy"}
PRICES = {"target": "price", "units": 1, "softmax": "", "loss": "mean_squared_error"}
TWO_CLASSES = {"target": "active", "units": 1, "softmax": ", sigmoid", "loss": "binary_crossentropy"}
FRACTIONS = {"validation": "{fraction: 0.2}", "test": "{fraction: 0.2}", "more": ""}


def rows(seed=0):
    """Rows of a table with all types of columns; each group of four rows has the same patient."""
    rng = random.Random(seed)
    return [
        {
            "age": f"{rng.gauss(40, 10):.2f}",
            "color": rng.choice(["red", "green", "blue"]),
            "active": rng.choice(["yes", "no"]),
            "joined": f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
            "patient": f"p{index // 4:02}",
            "part": "train" if index % 3 else rng.choice(["valid", "test"]),
            "price": f"{rng.gauss(1000, 300):.1f}",
            "kind": "abc"[index % 3],
        }
        for index in range(ROWS)
    ]


def text(table):
    """The table as CSV."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, table[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return stream.getvalue()


@pytest.fixture
def trained(tmp_path, monkeypatch, run_cli):
    """Write a table and a config, train, and return the run directory."""
    monkeypatch.chdir(tmp_path)

    def train(table=None, name="run", **values):
        (tmp_path / "data.csv").write_text(text(table or rows()), encoding="utf-8")
        (tmp_path / "config.yaml").write_text(CONFIG.format(**{**CLASSES, **FRACTIONS, **values}), encoding="utf-8")
        result = run_cli("train", "config.yaml", "-q", "--name", name)
        assert result.code == 0, result.err
        return tmp_path / "runs" / name

    return train


def held_out_rows(path, table):
    """The indices of the rows that are not in the training set, by encoding the training rows again."""
    run = Run(path)
    source = run.record.spec.data.build()
    source.open()
    from nncli.experiment.preparation import splits
    from nncli.experiment.rng import rngs

    spec = run.record.spec
    data = splits(spec, {"data": source}, rngs(spec))
    training = set(data["training"].inputs.rows.tolist())
    return [index for index in range(len(table)) if index not in training]


SPLITS = {
    "fractions": FRACTIONS,
    "groups": {
        "validation": "{fraction: 0.2, group: patient}",
        "test": "{fraction: 0.2, group: patient}",
        "more": ", ignore: [part]",
    },
    "order": {"validation": "{fraction: 0.2, last: true}", "test": "{fraction: 0.2, last: true}", "more": ""},
    "dates": {"validation": "{fraction: 0.2, last: joined}", "test": "{fraction: 0.1, last: joined}", "more": ""},
    "values": {"validation": "{where: {part: valid}}", "test": "{where: {part: test}}", "more": ""},
}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("task", [CLASSES, PRICES], ids=["classes", "prices"])
@pytest.mark.parametrize("is_cached", [False, True], ids=["memory", "cache"])
def test_held_out_rows_have_no_influence_on_the_weights(trained, tmp_path, monkeypatch, split, task, is_cached):
    """Every value of them changes but the ones that decide the split; the weights stay the same, byte for byte."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    if is_cached:
        monkeypatch.setattr(cache, "LARGE", 0)
    values = {**task, **SPLITS[split]}
    table = rows()
    first = trained(table, "first", **values)
    held_out, others = held_out_rows(first, table), rows(seed=1)
    assert 0 < len(held_out) < ROWS
    kept = {"patient", "part", "joined"} if split in {"groups", "dates", "values"} else set()
    kept |= {"kind"} if task is CLASSES else set()  # the split is stratified by it
    for index in held_out:
        table[index] = {key: value if key in kept else others[index][key] for key, value in table[index].items()}
    second = trained(table, "second", **values)
    assert (first / "weights.npz").read_bytes() == (second / "weights.npz").read_bytes()
    assert (first / "preprocessing.json").read_bytes() == (second / "preprocessing.json").read_bytes()
    assert (first / "metrics.csv").read_bytes() != (second / "metrics.csv").read_bytes()
    assert (tmp_path / "cache").exists() == is_cached


USED = {"fractions": set(), "groups": {"patient"}, "order": set(), "dates": {"joined"}, "values": {"part"}}


@pytest.mark.parametrize("split", SPLITS)
def test_columns_that_decide_the_split_are_no_inputs(trained, split):
    """The others are, but the target and those that are ignored."""
    path = trained(**SPLITS[split])
    columns = set(json.loads((path / "preprocessing.json").read_bytes())["columns"])
    ignored = {"part"} if split == "groups" else set()
    assert columns == set(rows()[0]) - {"kind"} - USED[split] - ignored


def test_rows_of_two_splits_are_equal_if_their_targets_are():
    """Repeated measurements with other results are no leakage."""
    data = {"training": table(x=[1, 2], y=[5, 6]), "validation": table(x=[1, 2], y=[7, 6])}
    expected = "1 of 2 rows of validation are equal to a row of training (data leakage)"
    assert warnings_of_splits(data, ["x"], ["y"]) == [expected]


def test_a_validation_file_may_lack_a_class(trained, run_cli, tmp_path):
    """Its classes are those of the training rows, in their order."""
    others = [row for row in rows(seed=1) if row["kind"] != "a"]
    (tmp_path / "valid.csv").write_text(text(others), encoding="utf-8")
    trained(validation="{path: valid.csv}", test="null")
    words = ("evaluate", "run", "--json", "--split", "validation")
    confusion = json.loads(run_cli(*words).out)["splits"]["validation"]["confusion"]
    assert np.sum(confusion, axis=1).tolist() == [0, 20, 20]


def test_a_validation_file_has_no_class_of_its_own(trained, run_cli, tmp_path):
    """It is an error that names the class and its line."""
    (tmp_path / "valid.csv").write_text(text(rows(seed=1)), encoding="utf-8")
    trained(validation="{path: valid.csv}", test="null")
    others = rows(seed=1)
    others[3]["kind"] = "z"
    (tmp_path / "valid.csv").write_text(text(others), encoding="utf-8")
    result = run_cli("train", "config.yaml", "-q")
    assert (result.code, "valid.csv:5: 'z' is not a class of the training data" in result.err) == (3, True)


def test_training_rows_have_influence(trained):
    """A single value of them changes the preprocessing and the weights."""
    table = rows()
    first = trained(table, "first")
    held_out = held_out_rows(first, table)
    index = next(each for each in range(ROWS) if each not in held_out)
    table[index]["age"] = "99"
    second = trained(table, "second")
    assert (first / "weights.npz").read_bytes() != (second / "weights.npz").read_bytes()


@pytest.mark.parametrize("task", [CLASSES, PRICES], ids=["classes", "prices"])
def test_predictions_are_those_of_the_evaluation(trained, run_cli, task):
    """For every row of the file, in its order, whatever the order of the columns; the metrics follow from them."""
    table = rows()
    path = trained(table, **{**task, **FRACTIONS})
    shuffled = [dict(reversed(row.items())) for row in table]
    (path.parents[1] / "new.csv").write_text(text(shuffled), encoding="utf-8")
    predicted = list(csv.DictReader(io.StringIO(run_cli("predict", "run", "new.csv").out)))
    assert [int(row["row"]) for row in predicted] == list(range(1, ROWS + 1))
    evaluated = json.loads(run_cli("evaluate", "run", "--json").out)["splits"]
    if task is CLASSES:
        right = sum(row["prediction"] == each["kind"] for row, each in zip(predicted, table, strict=True))
        assert right == sum(round(each["metrics"]["accuracy"] * each["rows"]) for each in evaluated.values())
    else:
        errors = [
            abs(float(row["prediction"]) - float(each["price"])) for row, each in zip(predicted, table, strict=True)
        ]
        absolute = sum(each["metrics"]["mean_absolute_error"] * each["rows"] for each in evaluated.values())
        assert sum(errors) == pytest.approx(absolute, rel=1e-5)


def test_threshold_of_the_config_decides_predictions(trained, run_cli):
    """The probability is that of the class that is predicted, and the loss is that of the probabilities."""
    table = rows()
    loss = "binary_crossentropy\nmetrics: [{type: accuracy, threshold: 0.45}]"
    path = trained(table, **{**TWO_CLASSES, "loss": loss}, validation="null", test="null")
    predicted = list(csv.DictReader(io.StringIO(run_cli("predict", "run", "data.csv", "--probabilities").out)))
    assert any(0.45 < float(row["probability_yes"]) < 0.5 for row in predicted)
    for row in predicted:
        assert row["prediction"] == ("yes" if float(row["probability_yes"]) > 0.45 else "no")
        assert row["probability"] == row[f"probability_{row['prediction']}"]
    assert nncli.load(path).predict(table).tolist() == [row["prediction"] for row in predicted]
    losses = [-np.log(float(row[f"probability_{each['active']}"])) for row, each in zip(predicted, table, strict=True)]
    metrics = json.loads(run_cli("evaluate", "run", "--json").out)["splits"]["training"]["metrics"]
    assert np.mean(losses) == pytest.approx(metrics["data_loss"], rel=1e-5)


def test_regression_is_in_the_unit_of_the_target(trained):
    """A network of targets around 1000 predicts around 1000 after few epochs."""
    path = trained(**{**PRICES, **FRACTIONS})
    evaluated = json.loads((path / "evaluation.json").read_bytes())["splits"]["training"]
    assert 100 < evaluated["mean_absolute_error"] < 900
    assert evaluated["data_loss"] < 10


def test_errors_of_rows_are_in_the_unit_of_the_target(trained):
    """Their mean is the metric."""
    path = trained(**PRICES)
    evaluated = json.loads((path / "evaluation.json").read_bytes())["splits"]["validation"]
    errors = by_row(Run(path), "validation", "mean_absolute_error")
    assert (len(errors), np.mean(errors)) == (12, pytest.approx(evaluated["mean_absolute_error"], rel=1e-6))


def test_run_needs_no_file_for_predictions(trained, run_cli):
    """It is listed, shown and used without the file that it was trained on."""
    path = trained()
    (path.parents[1] / "new.csv").write_text(text(rows(seed=2)), encoding="utf-8")
    (path.parents[1] / "data.csv").unlink()
    assert run_cli("predict", "run", "new.csv").code == 0
    assert run_cli("runs").code == 0
    assert run_cli("compare", "run", "run").code in {0, 2}
    verified = run_cli("verify", "run")
    assert verified.code == 5, verified.out
    assert "data.csv: no such file" in verified.out


def test_changed_file_is_noticed(trained, run_cli):
    """By evaluate and by resume; nothing is written."""
    path = trained()
    table = rows()
    table[0]["age"] = "99"
    (path.parents[1] / "data.csv").write_text(text(table), encoding="utf-8")
    for command in (("evaluate", "run"), ("train", "--resume", "run", "training.epochs=9")):
        result = run_cli(*command)
        assert result.code == 4, command
        assert f"data of {path.parents[1] / 'data.csv'} differs from what the run was trained on" in result.err


@pytest.mark.parametrize(("yes", "no"), [("yes", "no"), ("True", "False")])
def test_classes_of_true_and_false_have_the_words_of_the_file(trained, run_cli, yes, no):
    """Predictions are written as the target is."""
    table = [{**row, "kind": yes if index % 3 else no} for index, row in enumerate(rows())]
    trained(table, units=2)
    predicted = run_cli("predict", "run", "data.csv", "--probabilities").out.splitlines()
    assert predicted[0] == f"row,prediction,probability,probability_{no},probability_{yes}"
    assert {line.split(",")[1] for line in predicted[1:]} <= {yes, no}


def test_lacking_columns_are_named_at_once(trained, run_cli):
    """All of them, and the target is not needed."""
    path = trained()
    (path.parents[1] / "new.csv").write_text("color,other\nred,1\n", encoding="utf-8")
    result = run_cli("predict", "run", "new.csv")
    assert (result.code, result.out) == (3, "")
    assert "lacks 6 columns of the training data: 'age', 'active', 'joined', 'patient', 'part', 'price'" in result.err


def test_unseen_categories_are_counted(trained, run_cli):
    """They have no inputs, and a note names them with their numbers of rows and the first line."""
    path = trained()
    table = rows()
    table[3]["color"] = table[7]["color"] = "violet"
    (path.parents[1] / "new.csv").write_text(text(table), encoding="utf-8")
    result = run_cli("predict", "run", "new.csv")
    assert result.code == 0
    assert "column color has categories that no training row has: 'violet' (2 rows, first in line 5)" in result.err


def test_missing_value_is_an_error_with_its_line(trained, run_cli):
    """If the config does not say what to do about it."""
    path = trained()
    table = rows()
    table[3]["age"] = ""
    (path.parents[1] / "new.csv").write_text(text(table), encoding="utf-8")
    result = run_cli("predict", "run", "new.csv")
    assert (result.code, result.err.startswith("new.csv:5: column 'age': the value is missing; write")) == (3, True)


def test_chunks_are_predicted_alike(trained):
    """Bit for bit, in chunks of any size."""
    predictions = open_predictions(Run(trained()), [Path("data.csv")])
    (block,) = predictions.rows.blocks()
    predictor, table = predictions.predictor, block.rows
    outputs = predictor.predict_rows(table)
    assert len(np.unique(outputs)) > ROWS
    again = np.concatenate([predictor.predict_rows(table[slice(start, start + 7)]) for start in range(0, ROWS, 7)])
    assert np.array_equal(outputs, again)


def test_chunks_are_encoded_alike(trained, monkeypatch):
    """Every row has its inputs, also in the last chunk, which is smaller."""
    predictions = open_predictions(Run(trained()), [Path("data.csv")])
    (block,) = predictions.rows.blocks()
    preprocessing = predictions.predictor.preprocessing
    inputs = preprocessing.inputs(block.rows, "float64")
    monkeypatch.setattr("nncli.data.preprocessing.CHUNK", 7)
    assert np.array_equal(preprocessing.inputs(block.rows, "float64"), inputs)


def test_pieces_of_a_file_are_predicted_alike(trained, run_cli, monkeypatch):
    """Rows keep their numbers, and categories that no training row has are counted over all of them."""
    path, table = trained(), rows()
    table[3]["color"] = table[50]["color"] = "violet"
    (path.parents[1] / "new.csv").write_text(text(table), encoding="utf-8")
    whole = run_cli("predict", "run", "new.csv")
    monkeypatch.setattr("nncli.data.delimited.text_file.PIECE", 300)
    monkeypatch.setattr("nncli.data.delimited.rows.MIN_LINES", 1)
    assert len(list(open_predictions(Run(path), [Path("new.csv")]).blocks())) > 5
    assert run_cli("predict", "run", "new.csv") == whole
    assert "'violet' (2 rows, first in line 5)" in whole.err


def test_missing_values_are_those_of_the_config(trained, run_cli):
    """An empty field always, and the texts that the config names, in a file and in memory."""
    table, other = rows(), rows()
    table[0]["age"], table[1]["age"], other[0]["age"], other[1]["age"] = "-", "", "", "-"
    columns = "columns: {age: {type: number, missing: median}}"
    path = trained(table, validation="null", test="null", more=f', missing_values: ["-"], {columns}')
    (path.parents[1] / "new.csv").write_text(text(other), encoding="utf-8")
    predicted, expected = (run_cli("predict", "run", name) for name in ("new.csv", "data.csv"))
    assert (predicted.code, predicted.out) == (0, expected.out)
    run = nncli.load(path)
    assert np.array_equal(run.predict_proba(other), run.predict_proba(table))


@pytest.mark.parametrize("damage", [b"{}", b"x", None], ids=["empty", "junk", "deleted"])
def test_damaged_preprocessing_is_reported(trained, run_cli, damage):
    """With the file; exit code 4."""
    path = trained()
    file = path / "preprocessing.json"
    file.unlink() if damage is None else file.write_bytes(damage)
    (path.parents[1] / "new.csv").write_text(text(rows()), encoding="utf-8")
    result = run_cli("predict", "run", "new.csv")
    assert (result.code, "runs/run/preprocessing.json: " in result.err) == (4, True)


def test_preprocessing_of_another_run_is_reported(trained, run_cli):
    """Although its own checksum is right."""
    path, other = trained(), trained(rows(seed=1), "other")
    (path / "preprocessing.json").write_bytes((other / "preprocessing.json").read_bytes())
    result = run_cli("predict", "run", "data.csv")
    assert (result.code, "preprocessing.json: damaged: checksum mismatch with run.json" in result.err) == (4, True)


def test_rows_in_two_splits_are_told_before_training(trained, run_cli):
    """Also by check; inputs that decide the target too."""
    table = rows()
    for index, row in enumerate(table):
        row["code"] = {"a": "1", "b": "2", "c": "3"}[row["kind"]]
        table[index] = table[index % 20] if index >= 40 else row
    trained(table)
    result = run_cli("train", "config.yaml", "--name", "again")
    assert "of 12 rows of validation are equal to a row of training (data leakage)" in result.err
    assert "warning: code: alone predicts 'kind' in 100.0% of the rows" in result.err
    quiet = run_cli("train", "config.yaml", "--name", "quiet", "-q")
    assert (quiet.out, "(data leakage)" in quiet.err) == ("runs/quiet\n", True)
    checked = run_cli("check", "config.yaml", "--json")
    assert any("data leakage" in text for text in json.loads(checked.out)["configs"][0]["warnings"])


@pytest.mark.parametrize("is_cached", [False, True], ids=["memory", "cache"])
def test_categories_that_may_be_numbers_are_warned_of(trained, tmp_path, monkeypatch, run_cli, is_cached):
    """In ``check`` and ``train``, unless the config says that they are categories."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    if is_cached:
        monkeypatch.setattr(cache, "LARGE", 0)
    table = [{**row, "cost": f"${index % 4 + 1}"} for index, row in enumerate(rows())]
    trained(table)
    expected = "cost: read as categories, but in line 2 '$1' is not a number; write 1 without the currency"
    assert f"warning: {expected}" in run_cli("train", "config.yaml", "--name", "again").err
    assert expected in json.loads(run_cli("check", "config.yaml", "--json").out)["configs"][0]["warnings"][0]
    given = CONFIG.format(**{**CLASSES, **FRACTIONS, "more": ", columns: {cost: category}"})
    Path("given.yaml").write_text(given, encoding="utf-8")
    assert "cost" not in run_cli("check", "given.yaml").err


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("{fraction: 0.2, group: nope}", "group: no column 'nope' is read; the columns are 'age', 'color'"),
        ("{fraction: 0.2, last: nope}", "last: no column 'nope' is read; the columns are 'age', 'color'"),
        ("{where: {nope: 1}}", "where: no column 'nope' is read; the columns are 'age', 'color'"),
        ("{fraction: 0.2, last: color}", "last: column 'color' has no order; name one of numbers or dates"),
        ("{fraction: 0.2, last: true, group: patient}", "group and last exclude each other; remove one"),
        ("{fraction: 0.2, last: age}", "last: data.csv:5: column 'age' is missing in 1 row; write the values"),
    ],
)
def test_splits_that_are_not_possible_are_rejected(tmp_path, monkeypatch, run_cli, split, message):
    """At their section, with the fix."""
    monkeypatch.chdir(tmp_path)
    rows_ = rows()
    rows_[3]["age"] = ""
    Path("data.csv").write_text(text(rows_), encoding="utf-8")
    more = ", columns: {age: {type: number, missing: mean}}"
    values = {**CLASSES, "validation": split, "test": "null", "more": more}
    Path("config.yaml").write_text(CONFIG.format(**values), encoding="utf-8")
    result = run_cli("train", "config.yaml", "-q")
    assert (result.code, result.err.startswith("config.yaml:3:13: validation: "), message in result.err) == (
        3,
        True,
        True,
    )


def test_training_rows_of_one_class_are_rejected(tmp_path, monkeypatch, run_cli):
    """Although the file has several."""
    monkeypatch.chdir(tmp_path)
    table = [{**row, "part": "train" if row["kind"] == "b" else "valid"} for row in rows()]
    Path("data.csv").write_text(text(table), encoding="utf-8")
    values = {**CLASSES, "validation": "{where: {part: valid}}", "test": "null", "more": ""}
    Path("config.yaml").write_text(CONFIG.format(**values), encoding="utf-8")
    result = run_cli("train", "config.yaml", "-q")
    message = "config.yaml:3:13: validation: all 20 training rows are of class 'b'; a classifier needs rows"
    assert (result.code, message in result.err) == (3, True)


@pytest.mark.parametrize(
    ("column", "value", "fix"),
    [
        ("age", "old", "'old' is not a number; correct it, or train with it in missing_values"),
        ("age", "", "the value is missing; write it, remove the row, or train with missing: median"),
        ("active", "ja", "'ja' is neither true nor false; write true/false"),
        ("joined", "2024-02-30", "'2024-02-30' does not exist: day is out of range for month; correct it"),
        ("color", "", "the value is missing; write it, remove the row, or train with missing: mode"),
    ],
)
def test_wrong_rows_have_a_fix_and_no_predictions(trained, run_cli, column, value, fix):
    """The fix is one of the rows first, as the config cannot be changed any more; no header is printed."""
    trained()
    table = [{**row, column: value} if index == 2 else row for index, row in enumerate(rows())]
    Path("new.csv").write_text(text(table), encoding="utf-8")
    result = run_cli("predict", "run", "new.csv")
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith(f"new.csv:4: column '{column}': {fix}")


def test_paths_are_not_counted_as_overrides(trained, run_cli):
    """They are recorded as such, so that the config can be used elsewhere, but nobody has given them."""
    trained()
    assert run_cli("train", "config.yaml", "-q", "--name", "two", "training.epochs=2", "seed=1").code == 0
    for name, text_ in (("run", "matches run.json"), ("two", "matches run.json (with 2 overrides)")):
        checks = json.loads(run_cli("verify", name, "--json").out)["checks"]
        assert {each["what"]: each["words"] for each in checks}["config.original.yaml"] == text_


def test_predictions_do_not_overwrite_the_rows(trained, run_cli):
    """Nothing is written; also if the file has another name."""
    trained()
    content = Path("data.csv").read_bytes()
    Path("link.csv").symlink_to("data.csv")
    for output in ("data.csv", "./data.csv", "link.csv"):
        assert run_cli("predict", "run", "data.csv", "-o", output).code == 2
    assert Path("data.csv").read_bytes() == content


def test_rows_without_the_id_are_numbered(trained, run_cli):
    """The column of names is no input, so that predictions do not need it."""
    trained(more=", id: patient")
    assert run_cli("predict", "run", "data.csv").out.startswith("patient,prediction,probability\np00,")
    table = [{key: value for key, value in row.items() if key != "patient"} for row in rows()]
    Path("new.csv").write_text(text(table), encoding="utf-8")
    assert run_cli("predict", "run", "new.csv").out.startswith("row,prediction,probability\n1,")


def test_similar_columns_are_suggested(trained, run_cli):
    """For a name in other case."""
    trained()
    Path("new.csv").write_text(text(rows()).replace("age,", "Age,", 1), encoding="utf-8")
    assert (
        "lacks 1 column of the training data: 'age' (did you mean 'Age'?)" in run_cli("predict", "run", "new.csv").err
    )


def test_rows_of_the_test_set_do_not_depend_on_the_validation_set(trained):
    """They are taken from the other end of the permutation."""
    trained()
    with_both, alone = (load(Path("config.yaml"), words).plan.splits["test"] for words in ((), ("validation=null",)))
    assert np.array_equal(with_both.inputs.rows, alone.inputs.rows)
