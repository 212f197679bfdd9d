"""What a network is asked for, and which metrics tell how well it answers."""

import pytest

from nncli.experiment.loading import load
from nncli.experiment.task import suits, task
from nncli.nn.metrics.metric import Task
from nncli.registry import components, names
from tests.examples import BINARY, SINE

TWO_OUTPUTS = (*BINARY, "layers[2].units=2", "metrics=[accuracy]")
KNOWN = {  # the registry may have more
    Task.CLASSES: {"accuracy"},
    Task.BINARY: {"accuracy", "precision", "recall", "f1", "auc"},
    Task.REGRESSION: {"r2", "mean_absolute_error", "root_mean_squared_error", "regression_accuracy"},
}


@pytest.fixture
def resolved(workdir):
    """The resolved spec of the small config, with some values changed."""
    return lambda *overrides: load(workdir / "config.yaml", overrides).config


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ((), Task.CLASSES),
        (TWO_OUTPUTS, Task.CLASSES),
        (("loss=binary_crossentropy", "layers[3]=sigmoid"), Task.CLASSES),
        (BINARY, Task.BINARY),
        ((*BINARY, "loss=mean_squared_error"), Task.BINARY),
        (SINE, Task.REGRESSION),
    ],
)
def test_all_metrics_that_suit_the_task_are_measured(resolved, changes, asked):
    """An output a class, one for two classes, or numbers: each task has its metrics where the spec names none."""
    spec = resolved(*changes, "metrics=null")
    measured = [metric.type for metric in spec.metrics]
    assert task(spec) is asked
    assert measured == [metric.name for metric in components("metric") if asked in metric.target.tasks]
    assert KNOWN[asked] <= set(measured)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("[]", []),
        ("[auc]", ["auc"]),
        ("[f1, accuracy]", ["f1", "accuracy"]),
        ("[{type: recall, threshold: 0.25}]", ["recall"]),
        ("[Accuracy_Categorical]", ["accuracy"]),
    ],
)
def test_metrics_that_are_named_are_those_that_are_measured(resolved, written, found):
    """A list of the spec's own is taken as it is, in its order, with its parameters."""
    spec = resolved(*BINARY, f"metrics={written}")
    assert [metric.type for metric in spec.metrics] == found
    assert [metric.threshold for metric in spec.metrics if metric.type == "recall"] == (
        [0.25] if "0.25" in written else [0.5] * found.count("recall")
    )


@pytest.mark.parametrize("entry", components("metric"), ids=lambda entry: entry.name)
def test_every_metric_suits_a_task(entry):
    """No metric is for nothing, and whom it suits is what it says itself."""
    given = entry.model.model_validate({})
    assert [asked for asked in Task if suits(given, asked)] == [asked for asked in Task if asked in entry.target.tasks]
    assert entry.target.tasks


def test_the_book_s_metrics_have_its_names():
    """Both accuracies of the book are known by its class names."""
    assert names("metric")["Accuracy_Categorical"].name == "accuracy"
    assert names("metric")["Accuracy_Regression"].name == "regression_accuracy"
