"""Columns of own data: permutation importance beside the definition."""

import numpy as np

from nncli.report.page.columns import REPEATS, SEED, columns_of, parts, permutation_importance
from nncli.report.trained_run import TrainedRun
from nncli.store.run_reader import Run


def test_importance_is_the_rise_of_the_loss(runs):
    """The mean over the permutations of the loss with one column of the table exchanged, minus the loss."""
    trained = TrainedRun(Run(runs / "table"))
    preprocessing, data = trained.predictor.predictor.preprocessing, trained.experiment.data["validation"]
    generator = np.random.default_rng(SEED)
    orders = [generator.permutation(len(data)) for _ in range(REPEATS)]
    inputs, targets = np.asarray(data.inputs), data.targets

    def loss(rows):
        outputs = np.clip(trained.network.predict(rows), 1e-7, 1 - 1e-7).astype(np.float64)
        return -np.log(outputs[np.arange(len(targets)), targets]).mean()

    found = permutation_importance(trained, preprocessing)
    assert list(found) == ["size", "color", "noise"]
    for name, part in parts(preprocessing).items():
        rises = []
        for order in orders:
            permuted = inputs.copy()
            permuted[:, part] = inputs[order][:, part]
            rises.append(loss(permuted) - loss(inputs))
        np.testing.assert_allclose(found[name], [np.mean(rises), np.std(rises)], rtol=1e-4, atol=1e-6)


def test_category_is_permuted_as_a_whole(runs):
    """All inputs of a column are exchanged together."""
    preprocessing = TrainedRun(Run(runs / "table")).predictor.predictor.preprocessing
    widths = {name: part.stop - part.start for name, part in parts(preprocessing).items()}
    assert sum(widths.values()) == len(preprocessing.features)
    assert [part.start for part in parts(preprocessing).values()] == [0, *np.cumsum(list(widths.values()))[:-1]]


def test_most_important_column_is_first(runs):
    """The size decides the class; the table and the message say so."""
    table = columns_of(TrainedRun(Run(runs / "table")))[0]
    assert table.rows[0][0] == "size"
    assert table.rows[0][3] == "0 to 16"
    assert {row[0]: row[2] for row in table.rows} == {"size": 1, "color": 2, "noise": 1}
    assert table.message.startswith("size matters most.")


def test_chance_is_no_importance(runs, monkeypatch):
    """If the loss falls, or rises by less than its standard deviation, no column is said to matter."""
    for first in ((-0.1, 0.05), (0.1, 0.2)):
        found = {"size": first, "color": (-0.2, 0.1), "noise": (-0.3, 0.1)}
        monkeypatch.setattr("nncli.report.page.columns.permutation_importance", lambda *_, found=found: found)
        message = columns_of(TrainedRun(Run(runs / "table")))[0].message
        assert message.startswith("No column clearly matters.")


def test_sampled_data_has_no_columns(runs):
    """Only tables have."""
    assert columns_of(TrainedRun(Run(runs / "classes"))) == []
