"""What changes with the type of a component that an override replaces."""

import pytest

from nncli.experiment.loading import load
from nncli.experiment.replacements import replacement_notes
from tests.examples import SINE


@pytest.mark.parametrize(
    ("overrides", "notes"),
    [
        (["optimizer=sgd"], ["optimizer: sgd, with its default learning_rate 1.0 instead of 0.05"]),
        (
            ["optimizer.type=sgd"],
            ["optimizer: sgd, with the learning_rate 0.05 of adam instead of its default 1.0"],
        ),
        (["optimizer.beta_1=0.8", "optimizer={type: sgd, learning_rate: 0.1}"], []),
        (["optimizer={type: adam, learning_rate: 0.1}"], []),
        (["optimizer=SGD", "optimizer.learning_rate=0.1"], []),
        (["data={type: vertical, samples: 20}"], []),
        (["data=vertical"], ["data: vertical, with its default samples 100 instead of 20"]),
        (["validation={fraction: 0.2}", "loss={type: categorical_crossentropy}"], []),
        (["schedule=cosine"], []),
        (list(SINE), []),
        ([], []),
    ],
)
def test_values_that_change_with_the_type_are_named(workdir, overrides, notes):
    """The defaults of the new type that replace values of the config, and values that were meant for the old type."""
    loaded = load(workdir / "config.yaml", tuple(overrides))
    assert list(replacement_notes(loaded)) == notes


def test_parameters_that_the_new_type_does_not_have_are_named(workdir):
    """They are lost."""
    path = workdir / "config.yaml"
    text = path.read_text(encoding="utf-8").replace("learning_rate: 0.05", "beta_1: 0.8, decay: 0.1")
    path.write_text(text, encoding="utf-8")
    (note,) = replacement_notes(load(path, ("optimizer=sgd",)))
    assert note == (
        "optimizer: sgd, with its default learning_rate 1.0 instead of 0.001; "
        "with its default decay 0.0 instead of 0.1; without beta_1"
    )
