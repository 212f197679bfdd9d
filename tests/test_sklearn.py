"""The estimators: what scikit-learn requires of them, their accuracy, and their parameters in the words of a config."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from nncli.processes import CAN_FORK
from nncli.sklearn import NetworkClassifier, NetworkRegressor, sections
from tests.conftest import ROOT
from tests.prediction_threads import fork_predicts

WINE = load_wine(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
SMALL = {"hidden": (8,), "epochs": 5, "random_state": 0}
SKIPPED = {"check_array_api_input"}  # needs SCIPY_ARRAY_API=1 before SciPy is imported; arrays are those of NumPy


def fitted(estimator=NetworkClassifier, **parameters):
    """A small estimator that is fitted, and its rows."""
    inputs, targets = WINE if estimator is NetworkClassifier else DIABETES
    inputs = StandardScaler().fit_transform(inputs)
    return estimator(**{**SMALL, **parameters}).fit(inputs, targets), inputs


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [NetworkClassifier, NetworkRegressor])
def test_estimators_pass_the_checks_of_scikit_learn(estimator):
    """All of them, with default parameters and no expected failure."""
    results = check_estimator(estimator(), on_skip=None)
    assert len(results) > 50
    assert {each["check_name"] for each in results if each["status"] != "passed"} <= SKIPPED


@pytest.mark.slow
def test_classifier_is_accurate_in_cross_validation():
    """In a pipeline on wine, where scikit-learn's own network has 0.98 ± 0.015."""
    pipeline = make_pipeline(StandardScaler(), NetworkClassifier(random_state=0))
    assert cross_val_score(pipeline, *WINE, cv=5).mean() > 0.96


@pytest.mark.slow
def test_regressor_standardizes_targets():
    """In cross-validation on diabetes, whose targets are around 150."""
    pipeline = make_pipeline(StandardScaler(), NetworkRegressor(random_state=0))
    assert cross_val_score(pipeline, *DIABETES, cv=5).mean() > 0.3


@pytest.mark.slow
def test_grid_search_chooses_parameters():
    """Of a network in a pipeline."""
    pipeline = make_pipeline(StandardScaler(), NetworkClassifier(random_state=0, epochs=20))
    grid = {"networkclassifier__hidden": [(4,), (32, 16)], "networkclassifier__learning_rate": [1e-6, 0.01]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(*WINE)
    assert search.best_params_["networkclassifier__learning_rate"] == 0.01
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("estimator", [NetworkClassifier, NetworkRegressor])
def test_copies_predict_the_same_bits(estimator):
    """Layers with statistics and parameters of their own included; parameters that are set later change nothing."""
    layers = (8, "batch_normalization", {"type": "dense", "units": 4, "l2": 0.1}, "tanh")
    original, inputs = fitted(estimator, hidden=layers, dropout=0.1)
    expected = original.predict(inputs)
    assert np.array_equal(pickle.loads(pickle.dumps(original)).predict(inputs), expected)
    assert np.array_equal(original.set_params(hidden=(3,)).predict(inputs), expected)


@pytest.mark.skipif(not CAN_FORK, reason="forks")
def test_a_forked_process_predicts_while_its_parent_does():
    """It does not wait for a thread that it does not have."""
    network, inputs = fitted()
    assert fork_predicts(network.predict_proba, inputs)


def test_training_depends_on_the_seed_alone():
    """A clone trains the same network; another seed another one."""
    original, inputs = fitted()
    again = clone(original).fit(inputs, WINE[1])
    assert np.array_equal(original.predict_proba(inputs), again.predict_proba(inputs))
    other, _ = fitted(random_state=1)
    assert not np.array_equal(original.predict_proba(inputs), other.predict_proba(inputs))


def test_fitted_attributes():
    """Losses of each epoch, classes of any type, names of the columns of a frame."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(StandardScaler().fit_transform(WINE[0])).add_prefix("column_")
    names = np.array(["red", "white", "rosé"])[WINE[1]]
    model = NetworkClassifier(**SMALL).fit(frame, names)
    assert model.classes_.tolist() == ["red", "rosé", "white"]
    assert (model.n_features_in_, model.feature_names_in_[1], model.n_iter_) == (13, "column_1", 5)
    assert len(model.loss_curve_) == 5
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.validation_loss_curve_ is None
    probabilities = model.predict_proba(frame)
    assert probabilities.shape == (178, 3)
    assert set(model.predict(frame)) <= set(names)


def test_validation_rows_end_training():
    """The weights of the best epoch on the held-out rows are kept, and no target of theirs scales the others."""
    model, _ = fitted(NetworkRegressor, validation_fraction=0.3, patience=3, epochs=500, learning_rate=0.05)
    assert len(model.validation_loss_curve_) == model.n_iter_ < 500
    assert model.n_iter_ - int(np.argmin(model.validation_loss_curve_)) - 1 >= 2


def test_weights_are_those_of_the_best_epoch():
    """Although training goes on until its loss has not become smaller for some epochs."""
    model, inputs = fitted(learning_rate=3.0, l2=0.0, batch_size=None, epochs=15, patience=30)
    probabilities = model.predict_proba(inputs)[np.arange(len(inputs)), WINE[1]]
    assert model.loss_curve_[-1] > min(model.loss_curve_) + 0.001
    assert -np.mean(np.log(probabilities)) == pytest.approx(min(model.loss_curve_), abs=2e-4)


def test_probabilities_have_the_sum_1():
    """Up to the rounding of float64, also of a network in float32."""
    model, inputs = fitted(dtype="float32")
    assert np.abs(model.predict_proba(inputs).sum(axis=1) - 1).max() < 1e-15


def test_targets_of_validation_rows_have_no_influence_on_the_scaling():
    """One that is a million times larger, in a row that is held out or not: the scaling tells which."""
    scales = set()
    for row in range(20):
        targets = DIABETES[1][:20].copy()
        targets[row] = 1e9
        model = NetworkRegressor(**{**SMALL, "epochs": 1}, validation_fraction=0.5).fit(DIABETES[0][:20], targets)
        scales.add(float(model.network_.scaling.mean[0]) > 1e6)
    assert scales == {True, False}


def test_several_targets_are_predicted_at_once():
    """In the shape that they had in ``fit``."""
    targets = np.stack([DIABETES[1], 1000 - DIABETES[1]], axis=1)
    model = NetworkRegressor(**SMALL).fit(DIABETES[0], targets)
    assert model.predict(DIABETES[0][:3]).shape == (3, 2)
    assert NetworkRegressor(**SMALL).fit(DIABETES[0], targets[:, :1]).predict(DIABETES[0][:3]).shape == (3, 1)
    assert fitted(NetworkRegressor)[0].predict(DIABETES[0][:3]).shape == (3,)


def test_batch_may_be_larger_than_the_rows_or_none():
    """Then it is all of them."""
    large, inputs = fitted(batch_size=10_000)
    assert np.array_equal(large.predict_proba(inputs), fitted(batch_size=None)[0].predict_proba(inputs))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"learning_rate": -1}, "optimizer.learning_rate: must be greater than 0, got -1"),
        ({"optimizer": "adm"}, "adam"),
        ({"optimizer": {"type": "sgd", "speed": 1}}, "speed"),
        ({"hidden": (0,)}, r"layers\[0\].units: must be at least 1, got 0"),
        ({"hidden": (8, "convolution")}, "convolution"),
        ({"epochs": 0}, "training.epochs"),
        ({"validation_fraction": 2}, "validation_fraction must be between 0 and 1, got 2"),
        ({"validation_fraction": 0}, "validation_fraction must be between 0 and 1, got 0"),
        ({"validation_fraction": 0.999}, "leave no row for training of 3 classes"),
        ({"dtype": "float64", "threads": 0}, "training.threads"),
        ({"l2": object()}, "object"),
        ({"hidden": None}, "hidden must be a number of units, or a list of layers such as .64, 32., got None"),
        ({"hidden": 10.0}, "hidden must be a number of units, or a list of layers such as .64, 32., got 10.0"),
        ({"validation_fraction": np.float64(2)}, "validation_fraction must be between 0 and 1, got 2.0"),
        ({"validation_fraction": "half"}, "validation_fraction must be between 0 and 1, got half"),
        ({"class_weight": "balance"}, "class_weight must be 'balanced', a mapping from classes to weights, or None"),
        ({"class_weight": {1: -1}}, "class_weight of 1 must be a number of 0 or more, got -1"),
        ({"class_weight": {np.int64(7): 1}}, "class_weight: 7 is not a class; the classes are 0, 1, 2"),
        ({"class_weight": dict.fromkeys(range(3), 0)}, "class_weight is zero for all classes"),
    ],
)
def test_wrong_parameters_are_value_errors(parameters, message):
    """Found in ``fit``, with the key of the config and the fix."""
    with pytest.raises(ValueError, match=message):
        fitted(**parameters)


@pytest.mark.parametrize("hidden", [10, np.int64(10), (10,), [np.int32(10)], np.array([10])])
def test_a_single_hidden_layer_need_not_be_in_a_list(hidden):
    """As in scikit-learn; numbers may be those of NumPy."""
    model, inputs = fitted(hidden=hidden)
    assert np.array_equal(model.predict_proba(inputs), fitted(hidden=(10,))[0].predict_proba(inputs))
    assert list(sections.sections_of({**model.get_params(), "hidden": "tanh"}, 0, [], "")["layers"]) == ["tanh"]


@pytest.mark.parametrize("labels", [np.zeros(6, np.int64), np.zeros(6, np.float32), np.array(["a"] * 6)])
def test_a_single_class_is_shown_as_a_plain_value(labels):
    """Without the type of NumPy."""
    with pytest.raises(ValueError, match=rf"got one class: {labels.tolist()[0]!r}$"):
        NetworkClassifier(**SMALL).fit(np.eye(6), labels)


def outputs(estimator, model, inputs):
    """Probabilities, or values."""
    return model.predict_proba(inputs) if estimator is NetworkClassifier else model.predict(inputs)


@pytest.mark.parametrize("estimator", [NetworkClassifier, NetworkRegressor])
def test_a_row_of_weight_zero_is_left_out(estimator):
    """Bit for bit, also in mini-batches, and from the scaling of the targets."""
    original, inputs = fitted(estimator)
    targets = (WINE if estimator is NetworkClassifier else DIABETES)[1].copy()
    weights = (np.arange(len(inputs)) % 3 > 0) * 2.5
    without = clone(original).fit(inputs[weights > 0], targets[weights > 0])
    targets[weights == 0] = 5 if estimator is NetworkClassifier else 1e9
    model = clone(original).fit(inputs, targets, sample_weight=weights)
    assert np.array_equal(outputs(estimator, model, inputs), outputs(estimator, without, inputs))
    assert not np.allclose(outputs(estimator, model, inputs), outputs(estimator, original, inputs), rtol=1e-3)


@pytest.mark.parametrize("estimator", [NetworkClassifier, NetworkRegressor])
def test_a_row_of_weight_two_is_the_row_twice_in_a_single_batch(estimator):
    """Up to rounding; whatever the mean of the weights."""
    original, inputs = fitted(estimator, batch_size=None)
    targets = (WINE if estimator is NetworkClassifier else DIABETES)[1]
    counts = np.arange(len(inputs)) % 3 + 1
    repeated = clone(original).fit(inputs.repeat(counts, axis=0), targets.repeat(counts))
    expected = outputs(estimator, repeated, inputs)
    for scale in (1, 1e-3, 1e6):
        model = clone(original).fit(inputs, targets, sample_weight=(counts * scale).tolist())
        np.testing.assert_allclose(outputs(estimator, model, inputs), expected, rtol=1e-9)
    assert not np.allclose(outputs(estimator, original, inputs), expected, rtol=1e-4)


@pytest.mark.parametrize("estimator", [NetworkClassifier, NetworkRegressor])
def test_weights_that_are_all_the_same_change_nothing(estimator):
    """Not a bit."""
    model, inputs = fitted(estimator)
    targets = (WINE if estimator is NetworkClassifier else DIABETES)[1]
    for weights in (3, np.full(len(inputs), 3.3)):
        again = clone(model).fit(inputs, targets, sample_weight=weights)
        assert np.array_equal(outputs(estimator, again, inputs), outputs(estimator, model, inputs))


def test_weights_of_validation_rows_count_in_their_loss():
    """A weight on one of two kinds of rows decides which ones the validation loss is of."""
    rng = np.random.default_rng(0)
    inputs, is_noise = rng.normal(size=(400, 2)), np.arange(400) % 2 == 0
    labels = np.where(is_noise, rng.integers(0, 2, 400), inputs[:, 0] > 0).astype(int)
    losses = []
    for weight in (1e-6, 1e6):
        model = NetworkClassifier(**{**SMALL, "epochs": 60}, validation_fraction=0.3, learning_rate=0.01)
        losses.append(min(model.fit(inputs, labels, np.where(is_noise, weight, 1.0)).validation_loss_curve_))
    assert losses[0] < 0.35
    assert losses[1] > 0.6


def test_class_weights_are_weights_of_their_rows():
    """Balanced ones, those of a mapping with the types of Python or NumPy, and both with weights of rows."""
    original, inputs = fitted()
    labels = WINE[1]
    counts, rows = np.bincount(labels), 1.0 + np.arange(len(labels)) % 4
    totals = np.bincount(labels, rows)

    def probabilities(class_weight, sample_weight=None, names=labels):
        model = clone(original).set_params(class_weight=class_weight, validation_fraction=None)
        return model.fit(inputs, names, sample_weight=sample_weight).predict_proba(inputs)

    balanced = probabilities("balanced")
    np.testing.assert_allclose(balanced, probabilities(None, (1 / counts)[labels]), rtol=1e-9)
    np.testing.assert_allclose(balanced, probabilities(dict(enumerate(len(labels) / 3 / counts))), rtol=1e-9)
    np.testing.assert_allclose(
        probabilities("balanced", rows), probabilities(None, rows * (1 / totals)[labels]), rtol=1e-9
    )
    third = probabilities({np.int64(2): 5, 0: 1, 1: 1, 9: 3})  # a class that these rows lack, as in a fold
    np.testing.assert_allclose(third, probabilities(None, np.where(labels == 2, 5, 1)), rtol=1e-9)
    named = probabilities({"c": 5}, names=np.array(["a", "b", "c"])[labels])
    assert np.array_equal(named, third)
    assert not np.allclose(third, original.predict_proba(inputs), rtol=1e-2)


def test_class_weights_do_not_count_in_the_validation_loss():
    """As in a config: a classifier of which one class alone counts is bad at the others."""
    model, _ = fitted(class_weight={0: 1, 1: 0, 2: 0}, validation_fraction=0.3, epochs=60, learning_rate=0.05)
    assert model.loss_curve_[-1] < 0.2
    assert model.validation_loss_curve_[-1] > 1


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.r_[1, 1, -0.5, 1, 1, 1], r"sample_weight\[2\] must be 0 or more, got -0.5; write 0 to leave the row out"),
        (np.full(6, np.nan), r"sample_weight\[0\] must be 0 or more, got nan"),
        (np.zeros(6), "sample_weight is zero for all rows"),
        (np.ones(5), r"sample_weight must have the shape \(6,\), got \(5,\)"),
        (np.ones((6, 1)), r"sample_weight must have the shape \(6,\), got \(6, 1\)"),
        (["a"] * 6, "sample_weight must be a number for each row: could not convert string to float: 'a'"),
        (np.arange(6) < 1, "got one class: 'a'$"),
    ],
)
def test_wrong_weights_are_value_errors(weights, message):
    """With the row and the fix."""
    with pytest.raises(ValueError, match=message):
        NetworkClassifier(**SMALL).fit(np.eye(6), list("abcabc"), sample_weight=weights)


def test_every_parameter_is_documented():
    """In the help of both estimators."""
    for estimator in (NetworkClassifier, NetworkRegressor):
        for name in estimator().get_params():
            assert f"\n    {name}: " in estimator.__doc__, name
        assert estimator.__doc__.count("Args:") == 1


def test_every_parameter_has_its_place_in_the_config():
    """A learning rate of the optimizer stands above that of the estimator."""
    parameters = {
        **{"hidden": (8, "tanh"), "activation": "sigmoid", "dropout": 0.3, "optimizer": "sgd", "learning_rate": 0.7},
        **{"l1": 0.01, "l2": 0.02, "epochs": 9, "batch_size": 5, "validation_fraction": 0.2, "patience": 4},
        **{"dtype": "float32", "threads": 2},
    }
    found = sections.sections_of(parameters, 6, ["softmax"], "categorical_crossentropy")
    stopping = {"metric": "validation_loss", "patience": 4, "min_delta": 1e-4}
    assert found == {
        "seed": 6,
        "dtype": "float32",
        "layers": [{"type": "dense", "units": 8}, "sigmoid", {"type": "dropout", "rate": 0.3}, "tanh", "softmax"],
        "loss": "categorical_crossentropy",
        "optimizer": {"type": "sgd", "learning_rate": 0.7},
        "metrics": [],
        "regularization": {"l1": 0.01, "l2": 0.02},
        "training": {"epochs": 9, "batch_size": 5, "log_every": 1, "early_stopping": stopping, "threads": 2},
    }
    optimizer = {"type": "sgd", "learning_rate": 0.1}
    found = sections.sections_of({**parameters, "optimizer": optimizer, "validation_fraction": None}, 6, [], "")
    assert found["optimizer"] == optimizer
    assert found["training"]["early_stopping"]["metric"] == "loss"


def test_missing_scikit_learn_is_named_with_its_extra():
    """The rest of the package does not need it."""
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import nncli, nncli.api\n"
        "try:\n    import nncli.sklearn\n"
        "except nncli.errors.MissingExtraError as error:\n    print(error.extra, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.stdout == (
        "sklearn the estimators need an extra that is not installed; install it: pip install 'nncli[sklearn]'\n"
    )
