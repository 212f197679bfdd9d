"""The part of an explanation that belongs to one layer."""

from dataclasses import replace
from typing import Any

from nncli.analysis.explained_step import Explanation, Step
from nncli.errors import CommandLineError
from nncli.nn.parameters import Array


def of_one_layer(explanation: Explanation, layer: str) -> Explanation:
    """The steps of one layer, beginning with what enters it, and the updates of its parameters.

    Args:
        explanation: of all layers.
        layer: the index of the layer, or its type if no other layer has it.

    Raises:
        CommandLineError: there is no such layer, or more than one.
    """
    index = _index_of(explanation, layer)
    places = [place for place, name in enumerate(explanation.parameters) if name.startswith(f"layers.{index}.")]
    names = list(explanation.parameters)
    return replace(
        explanation,
        steps=[_with_inputs(explanation, step) for step in explanation.steps if step.layer == index],
        parameters={names[place]: explanation.parameters[names[place]] for place in places},
        gradients=_at(explanation.gradients, places),
        updates=[replace(update, changes=_at(update.changes, places)) for update in explanation.updates],
    )


def _index_of(explanation: Explanation, layer: str) -> int:
    types = [step.heading.partition(": ")[2].partition(",")[0] for step in explanation.steps if _is_forward(step)]
    if layer.isdecimal() and int(layer) < len(types):
        return int(layer)
    found = [index for index, name in enumerate(types) if name == layer]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{index} ({name})" for index, name in enumerate(types) if not found or index in found)
    problem = f"{layer} is more than one layer" if found else f"no layer {layer!r}"
    raise CommandLineError(f"--layer: {problem}; write a number: {listed}")


def _is_forward(step: Step) -> bool:
    return step.heading.startswith("layer ")


def _with_inputs(explanation: Explanation, step: Step) -> Step:
    """A step with the array that it gets from the step before."""
    before = explanation.steps[explanation.steps.index(step) - 1]
    if _is_forward(step):
        return _preceded(step, "inputs", before.arrays.get("outputs", before.arrays.get("inputs")))
    is_gradient = "dL/d outputs" if "dL/d outputs" in before.arrays else "dL/d inputs"
    return step if step.heading.startswith("loss and ") else _preceded(step, "dL/d outputs", before.arrays[is_gradient])


def _preceded(step: Step, name: str, array: Array | None) -> Step:
    first: dict[str, Any] = {} if array is None else {name: array}
    return replace(step, arrays={**first, **step.arrays})


def _at(values: list[float], places: list[int]) -> list[float]:
    return [values[place] for place in places]
