"""The plan of a group: trials from group.json, and the config of each."""

from pathlib import Path

import pytest

from nncli.config.diagnostics import SourceText
from nncli.config.document import read
from nncli.errors import ConfigError
from nncli.store.group_files import create_group, read_group
from nncli.sweep.plan import Plan, record_from_command_line, record_from_file
from nncli.sweep.sweep_config import SweepOptions
from tests.conftest import SPEC


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    """A config with a comment in the current directory."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(SPEC.replace("training:", "# as long as it takes\ntraining:"))


def planned(*arguments, **options):
    """The plan of a command line, from the group.json that it writes."""
    record = record_from_command_line(Path("config.yaml"), arguments, SweepOptions(**options))
    path = create_group(Path("runs"), "group", record, is_numbered=True)
    return Plan(read_group(path), path)


def test_trials_of_a_grid():
    """A grid has every combination, in the order of the arguments; overrides hold for all trials."""
    plan = planned("optimizer=sgd,{type: adam, beta_1: 0.5}", "layers[0].units=4,8", "training.epochs=3")
    assert [plan.trial(number).overrides for number in range(len(plan))] == [
        ("optimizer=sgd", "layers[0].units=4"),
        ("optimizer=sgd", "layers[0].units=8"),
        ("optimizer={type: adam, beta_1: 0.5}", "layers[0].units=4"),
        ("optimizer={type: adam, beta_1: 0.5}", "layers[0].units=8"),
    ]
    loaded = plan.loaded(plan.trial(3))
    assert (loaded.config.optimizer.beta_1, loaded.config.layers[0].units) == (0.5, 8)
    assert loaded.overrides == ("training.epochs=3", *plan.trial(3).overrides)
    assert "# as long as it takes\ntraining: {epochs: 3, log_every: 10}" in loaded.trained_content.decode()
    assert plan.base.config.training.epochs == 3


def test_one_value_is_an_override():
    """A single value, a list in brackets among them, is an override; lists beside a comma are values."""
    plan = planned(
        "metrics=[accuracy]", "layers=[{type: dense, units: 3}, softmax],[{dense: 3}, relu, {dense: 3}, softmax]"
    )
    assert plan.record.overrides == ["metrics=[accuracy]"]
    assert [len(plan.loaded(plan.trial(number)).config.layers) for number in range(len(plan))] == [2, 4]


def test_seeds_and_folds_are_replicates():
    """Trial = point x (seeds x folds) + seed index x folds + fold; each is an ordinary config."""
    plan = planned("validation=null", "optimizer=sgd,adam", seeds="7,8", folds=5)
    assert (len(plan), plan.points, plan.replicates) == (20, 2, 10)
    number, point, _ = plan.trial(10 + 5 + 3)
    assert (number, point) == (18, 1)
    config = plan.loaded(plan.trial(18)).config
    assert (config.optimizer.type, config.seeds.weights, config.seeds.data) == ("adam", 8, None)
    assert (config.validation.folds, config.validation.fold) == (5, 3)
    assert len({plan.trial(number).overrides for number in range(20)}) == 20


def test_vary_all_sets_the_seed():
    """``vary: all`` sets the seed of the config, ``data`` those of data and splits."""
    assert planned(seeds="2", vary="all").trial(1).overrides == ("seed=1",)
    assert planned(seeds="2", vary="data").trial(1).overrides == ("seeds.data=1", "seeds.split=1")


def test_random_ranges_have_the_type_of_the_key():
    """A key that takes integers gets integers, whatever the limits look like; another one gets real numbers."""
    plan = planned(
        "layers[0].units={min: 2, max: 1e1}", "optimizer.beta_1={min: 0, max: 0.9}", method="random", trials=20
    )
    first, second = plan.record.axes
    assert ([first.min, first.max], [second.min, second.max]) == ([2, 10], [0.0, 0.9])
    assert {type(each) for each in (first.min, first.max)} == {int}
    points = [plan.point(number) for number in range(20)]
    assert {type(units) for units, _ in points} == {int}
    assert 0 < len({beta for _, beta in points}) == 20
    plan.loaded(plan.trial(19))


def test_random_points_may_be_fewer_than_combinations():
    """Their number is that of the trials."""
    plan = planned("layers[0].units=2,3,4", "optimizer.learning_rate=0.1,0.2", method="random", trials=4, seeds="2")
    assert (plan.points, len(plan)) == (4, 8)


def test_random_points_depend_on_the_seed_of_the_search():
    """Those of halving too, if their number is given."""
    rate = "optimizer.learning_rate={min: 0.01, max: 1}"
    found = [planned(rate, method="random", trials=3, seed=seed).point(0) for seed in (1, 2, 1)]
    assert found[0] == found[2] != found[1]
    assert planned(rate, method="halving", trials=3, seed=1).point(0) == found[0]


@pytest.mark.parametrize(
    ("arguments", "options", "trials"),
    [
        (["optimizer.learning_rate=0.1,0.2,0.3", "training.epochs=3"], {"method": "halving"}, 3),
        (["optimizer.learning_rate=0.1,0.2,0.3"], {"method": "random", "trials": 3}, 3),
        (["optimizer.learning_rate=0.1,0.2,0.3"], {"method": "tpe", "trials": 2, "batch": 2}, 2),
        (["optimizer.beta_1={min: 0.1, max: 0.2}"], {"trials": 100_000, "seeds": "10"}, 1_000_000),
        (["seeds.data=1,2"], {"seeds": "2"}, 4),
        (["validation={fraction: 0.2}"], {"folds": 3}, 3),
        (["validation={folds: 2, fold: 1}"], {"folds": 3}, 3),
    ],
)
def test_the_limits_of_settings_are_allowed(arguments, options, trials):
    """The smallest and largest numbers, seeds varied in another way, and parts of the data that folds replace."""
    if options.get("method") == "tpe":
        pytest.importorskip("optuna")
    assert len(planned(*arguments, **options)) == trials


def test_what_a_seed_varies_is_recorded_with_seeds_only():
    """And the metric of folds is that of the validation set, which they are."""
    assert planned("optimizer=sgd,adam").record.vary == []
    assert planned(seeds="2").record.vary == ["weights", "order", "dropout"]
    assert planned("validation=null", seeds="2").record.metric == "accuracy"
    assert planned("validation=null", folds=2).record.metric == "validation_accuracy"


def test_folds_and_seeds_are_trials():
    """Their number is limited, too."""
    wide = "optimizer.beta_1={min: 0.1, max: 0.2}"
    with pytest.raises(ConfigError, match="2,000,000 trials are too many"):
        planned("validation=null", wide, trials=100_000, seeds="10", folds=2)


def test_values_come_before_the_seeds():
    """The first overrides of a trial distinguish its point, in the order of the axes."""
    plan = planned("validation=null", "optimizer=sgd,adam", "layers[0].units=4,8", seeds="2", vary="weights", folds=2)
    assert plan.trial(5).overrides == (
        *("optimizer=sgd", "layers[0].units=8"),
        *("seeds.weights=0", "validation={folds: 2, fold: 1}"),
    )


def test_fewer_epochs_keep_what_depends_on_them():
    """A trial with fewer epochs has the log interval and the schedule of all of them."""
    plan = planned("seed=1,2", "schedule=cosine", "training.log_every=null", "training.epochs=300")
    whole, part = (plan.loaded(plan.trial(1), epochs).config for epochs in (None, 30))
    assert (whole.training.epochs, part.training.epochs) == (300, 30)
    assert whole.training.log_every == part.training.log_every == 3
    assert whole.schedule == part.schedule
    assert plan.loaded(plan.trial(1), 300).config == whole
    assert plan.loaded(plan.trial(1), 300).overrides == plan.loaded(plan.trial(1)).overrides


def test_relative_paths_start_at_the_base_config(monkeypatch):
    """Data files are found from any current directory, and without the file of the base config."""
    Path("data").mkdir()
    Path("data/table.csv").write_text("a,b\n" + "".join(f"{index},{index % 2}\n" for index in range(20)))
    Path("config.yaml").write_text(
        """\
data: {type: table, path: data/table.csv, target: b}
validation: {fraction: 0.5}
layers: [{type: dense, units: 1}, linear]
loss: mean_squared_error
optimizer: sgd
training: {epochs: 1}
"""
    )
    plan = planned("seed=1,2")
    Path("config.yaml").unlink()
    plan = Plan(plan.record, plan.directory.absolute())
    monkeypatch.chdir("data")
    assert plan.loaded(plan.trial(0)).config.data.path.name == "table.csv"


def test_files_and_command_lines_say_the_same():
    """A sweep file is the same sweep as a command line; options replace its settings, arguments are added."""
    Path("sweeps").mkdir()
    Path("sweeps/sweep.yaml").write_text(
        "base: ../config.yaml\nmethod: random\ntrials: 3\nseed: 4\nseeds: 0..1\nvary: [weights]\nmax_failures: 2\n"
        "over:\n  optimizer.learning_rate: {min: 0.01, max: 1, log: true}\n"
    )
    options = SweepOptions(trials=5)
    record = record_from_file(Path("sweeps/sweep.yaml"), options, ["training.epochs=2"])
    other = record_from_command_line(
        Path("config.yaml"),
        ["training.epochs=2", "optimizer.learning_rate={min: 0.01, max: 1, log: true}"],
        SweepOptions(method="random", trials=5, seed=4, seeds="2", vary="weights", max_failures=2),
    )
    assert record == other
    assert (record.config_path, record.metric, record.trials) == ("../../config.yaml", "validation_accuracy", 5)
    assert read(SourceText("", record.config)).root.children["seed"].value == 0


@pytest.mark.parametrize(
    ("options", "method"), [({}, "grid"), ({"trials": 2}, "random"), ({"trials": 2, "method": "tpe"}, "tpe")]
)
def test_default_method(options, method):
    """Without a method it is a grid, or random points if their number is given."""
    assert planned("optimizer.learning_rate=0.1,0.2,0.3", **options).record.method == method
