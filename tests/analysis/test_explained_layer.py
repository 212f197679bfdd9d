"""The part of an explanation that belongs to one layer."""

import pytest

from nncli.analysis.explained_layer import of_one_layer
from nncli.analysis.explanation import explain
from nncli.errors import CommandLineError


def test_numbers_are_those_of_the_layer(workdir):
    """Its parameters with their gradients and updates, and its steps with what enters them."""
    whole = explain(workdir / "config.yaml", (), 2)
    part = of_one_layer(whole, "2")
    names = list(whole.parameters)
    places = [names.index(name) for name in ("layers.2.weights", "layers.2.biases")]
    assert part.parameters == {names[place]: whole.parameters[names[place]] for place in places}
    assert part.gradients == [whole.gradients[place] for place in places]
    assert [each.changes for each in part.updates] == [
        [each.changes[place] for place in places] for each in whole.updates
    ]
    assert {step.layer for step in part.steps} == {2}
    steps = {step.heading: step for step in whole.steps}
    forward, backward = (
        next(each for each in part.steps if each.heading.startswith(start)) for start in ("layer 2", "back")
    )
    assert forward.arrays["inputs"] is steps["layer 1: relu, 8 → 8"].arrays["outputs"]
    assert backward.arrays["dL/d outputs"].shape == forward.arrays["outputs"].shape
    assert of_one_layer(whole, "relu").steps[0].arrays["inputs"] is steps["layer 0: dense, 2 → 8"].arrays["outputs"]


@pytest.mark.parametrize(("layer", "problem"), [("4", "no layer '4'"), ("dense", "dense is more than one layer")])
def test_other_layers_are_refused(workdir, layer, problem):
    """With the numbers and the types of those that there are."""
    with pytest.raises(CommandLineError, match=problem):
        of_one_layer(explain(workdir / "config.yaml", (), 2), layer)
