"""Predictions out of fold, compared with what the runs have recorded and with the command predict."""

import csv
from shutil import rmtree

import pytest

from nncli.errors import RunError
from nncli.experiment.loading import load
from nncli.inference.opening import open_predictions
from nncli.runner.train import train
from nncli.store.group_files import (
    OUT_OF_FOLD,
    AxisRecord,
    FailureRecord,
    GroupRecord,
    create_group,
    trial_name,
    write_failure,
)
from nncli.store.run_reader import Run
from nncli.sweep import out_of_fold
from nncli.sweep.out_of_fold import write_out_of_fold
from tests.conftest import SPEC

TABLE = """\
data: {{type: table, path: rows.csv, target: {target}, columns: {{both: category}}}}
test: {{fraction: 0.1}}
layers: [{{type: dense, units: 4}}, relu, {{type: dense, units: {units}}}{last}]
loss: {loss}
optimizer: adam
training: {{epochs: 20}}
"""
REGRESSION = TABLE.format(target="height", units=1, last="", loss="mean_squared_error")
SEVERAL = TABLE.format(target="[height, width]", units=2, last="", loss="mean_squared_error")
BINARY = TABLE.format(target="both", units=1, last=", sigmoid", loss="binary_crossentropy")


@pytest.fixture
def group(tmp_path):
    """Train a group of folds of a config: each trial of a point, a seed and a fold, in this order."""

    def trained(config, *overrides, folds=3, seeds=(), axes=(), missing=(), **keys):
        rows = [f"{x},{(x * 7) % 11},p{x // 4},{(x * 5) % 13 + 0.5},{x % 7},{'ab'[x % 3 == 0]}" for x in range(40)]
        (tmp_path / "rows.csv").write_text("\n".join(["x,w,patient,height,width,both", *rows]) + "\n")
        (tmp_path / "config.yaml").write_text(config)
        axes = [AxisRecord(key=key, values=values) for key, values in axes]
        record = GroupRecord(
            config=config, config_path="../config.yaml", folds=folds, seeds=list(seeds), axes=axes, **keys
        )
        path = create_group(tmp_path / "runs", "group", record, is_numbered=False)
        points = [f"{axis.key}={value}" for axis in axes for value in axis.values or ()] or [None]
        trials = [(point, seed, fold) for point in points for seed in seeds or [None] for fold in range(folds or 1)]
        for number, (point, seed, fold) in enumerate(trials):
            changes = [*overrides, *([point] if point else []), *([] if seed is None else [f"seeds.weights={seed}"])]
            changes += [f"validation.fold={fold}"] if folds else []
            if number not in missing:
                loaded = load(tmp_path / "config.yaml", tuple(changes))
                train(loaded, "x", runs=path, name=trial_name(number))
        return path

    return trained


def table(path):
    """The lines of the file by their keys."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def validation(path, metric):
    """The number of validation rows of a run, and the recorded value of a metric."""
    run = Run(path)
    return run.record.data["validation"].rows, run.evaluation.splits["validation"][metric]


def test_accuracy_is_the_mean_of_the_folds(group):
    """For each seed, of all rows of the file: that of the recorded values, weighted by rows; each row occurs once."""
    path = group(SPEC, "validation={folds: 3}", "test={fraction: 0.2}", seeds=[4, 9])
    assert write_out_of_fold(path) == path / OUT_OF_FOLD
    rows = table(path / OUT_OF_FOLD)
    assert list(rows[0]) == [
        *("seed", "row", "fold", "target", "prediction"),
        *("probability_0", "probability_1", "probability_2"),
    ]
    for index, seed in enumerate(("4", "9")):
        of_seed = [each for each in rows if each["seed"] == seed]
        recorded = [validation(path / trial_name(3 * index + fold), "accuracy") for fold in range(3)]
        correct = sum(each["prediction"] == each["target"] for each in of_seed)
        assert correct == pytest.approx(sum(count * value for count, value in recorded))
        numbers = [int(each["row"]) for each in of_seed]
        assert numbers == sorted(set(numbers))
        assert len(numbers) == sum(count for count, _ in recorded) == 60 - 12
        for fold in range(3):
            assert sum(each["fold"] == str(fold) for each in of_seed) == recorded[fold][0]
    for each in rows:
        probabilities = [float(each[f"probability_{name}"]) for name in "012"]
        assert sum(probabilities) == pytest.approx(1, abs=1e-6)
        assert probabilities[int(each["prediction"])] == max(probabilities)


@pytest.mark.parametrize("config", [REGRESSION, SEVERAL, BINARY], ids=["regression", "two targets", "binary"])
@pytest.mark.parametrize("grouped", [False, True])
def test_predictions_are_those_of_the_command_predict(group, config, grouped):
    """For the rows of each fold; targets are those in the line of the file, and groups are whole if they should be."""
    path = group(config, "validation={folds: 3, group: patient}" if grouped else "validation={folds: 3}")
    with (path.parents[1] / "rows.csv").open() as file:
        written = list(csv.DictReader(file))
    rows, predicted = table(write_out_of_fold(path)), {}
    for number in range(3):
        run = Run(path / trial_name(number))
        predictions = open_predictions(run, [path.parents[1] / "rows.csv"], with_probabilities=config == BINARY)
        predicted[str(number)] = dict(zip(predictions.header, next(predictions.blocks()), strict=True))
        assert sum(each["fold"] == str(number) for each in rows) == run.record.data["validation"].rows
    for each in rows:
        index = int(each["line"]) - 2
        assert written[index]["x"] == str(index) == str(int(each["row"]) - 1)
        for name, value in each.items():
            if name.startswith(("prediction", "probability_")):
                assert same(value, predicted[each["fold"]][name][index])
            elif name.startswith("target"):
                column = {REGRESSION: "height", BINARY: "both"}.get(config, name.removeprefix("target_"))
                assert same(value, written[index][column])
    of_patients = {(written[int(each["row"]) - 1]["patient"], each["fold"]) for each in rows}
    assert (len(of_patients) == len({patient for patient, _ in of_patients})) == grouped


def same(text, expected):
    """Whether a text of the file is a value of a prediction, or a number within the rounding of float32."""
    return text == expected or float(text) == pytest.approx(float(expected), rel=1e-5, abs=1e-7)


def test_mean_absolute_error_is_the_mean_of_the_folds(group):
    """Of a regression, in the unit of the target."""
    path = group(REGRESSION, "validation={folds: 4}", folds=4)
    rows = table(write_out_of_fold(path))
    total = sum(abs(float(each["target"]) - float(each["prediction"])) for each in rows)
    recorded = [validation(path / trial_name(fold), "mean_absolute_error") for fold in range(4)]
    assert total == pytest.approx(sum(count * value for count, value in recorded), rel=1e-5)


def test_points_are_numbered(group):
    """A line says which of several points has predicted the row."""
    path = group(SPEC, "validation={folds: 2}", folds=2, axes=[("optimizer.learning_rate", [0.1, 0.01])])
    rows = table(write_out_of_fold(path))
    assert [each["point"] for each in rows] == ["0"] * 60 + ["1"] * 60
    assert [each["row"] for each in rows] == [str(row) for row in [*range(1, 61), *range(1, 61)]]


def test_trials_that_are_not_finished_have_no_rows(group):
    """Nor those that failed."""
    path = group(SPEC, "validation={folds: 3}", missing=[1])
    write_failure(path, 1, FailureRecord(exit_code=3, message="x"))
    (path / "0002" / "evaluation.json").unlink()
    assert {each["fold"] for each in table(write_out_of_fold(path))} == {"0"}
    rmtree(path / "0000")
    (path / OUT_OF_FOLD).unlink()
    assert write_out_of_fold(path) is None
    assert not (path / OUT_OF_FOLD).exists()


def test_group_without_folds_has_no_file(group):
    """Its validation sets are not parts of the data."""
    path = group(SPEC, folds=None, seeds=[1])
    assert write_out_of_fold(path) is None
    assert not (path / OUT_OF_FOLD).exists()


def test_one_seed_is_no_column(group):
    """As little as the only point."""
    rows = table(write_out_of_fold(group(SPEC, "validation={folds: 2}", folds=2, seeds=[7])))
    assert list(rows[0])[:3] == ["row", "fold", "target"]


def test_a_binary_prediction_follows_the_threshold(group):
    """That of the accuracy of the config."""
    accuracy = "metrics=[{type: accuracy, threshold: 0.01}]"
    rows = table(write_out_of_fold(group(BINARY, "validation={folds: 2}", accuracy, folds=2)))
    (positive,) = {each["prediction"] for each in rows}
    assert min(float(each[f"probability_{positive}"]) for each in rows) < 0.5


def test_rows_that_are_not_those_of_the_training_are_reported(group, monkeypatch):
    """Which are drawn again."""
    original = out_of_fold.part_indices
    turned = lambda *given: {name: rows[::-1] for name, rows in original(*given).items()}  # noqa: E731
    monkeypatch.setattr(out_of_fold, "part_indices", turned)
    with pytest.raises(RunError, match="0000: the rows of the validation fold are not those of the training"):
        write_out_of_fold(group(SPEC, "validation={folds: 2}", folds=2))


def test_changed_data_is_reported(group):
    """The predictions would belong to other rows."""
    path = group(REGRESSION, "validation={folds: 3}")
    file = path.parents[1] / "rows.csv"
    file.write_text(file.read_text().replace("7.5", "8.5"))
    with pytest.raises(RunError, match=r"0000: the \w+ data of .*rows.csv differs from what the run was trained on"):
        write_out_of_fold(path)
