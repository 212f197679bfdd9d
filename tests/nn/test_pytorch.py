"""Layers, losses, penalties, optimizers, schedules and clippings compared with results of PyTorch in float64.

The results are in ``pytorch_references.json``, so that no test needs PyTorch.

    python -m tests.nn.test_pytorch

prints the differences as a table.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from nncli import registry
from nncli.nn.losses.loss import average, is_fused
from nncli.nn.parameters import Parameters
from nncli.nn.penalties import Penalty
from nncli.nn.schedules import inverse_time
from tests.nn.passes import backward, forward, fused_gradient, loss_gradient

pytestmark = pytest.mark.slow

FILE = json.loads(Path(__file__).with_name("pytorch_references.json").read_text(encoding="utf-8"))
KINDS = ("layer", "loss", "optimizer", "schedule", "clipping")  # of the registry; the file has more
COMPARED = {(case["kind"], case["name"]) for case in FILE["cases"]}
BOUNDS = {1: 1e-12, 10: 1e-11, 100: 1e-10}
FLOAT64 = np.dtype("float64")


@dataclass(frozen=True)
class Comparison:
    """One array of one case compared with that of PyTorch."""

    case: str
    array: str
    steps: int
    values: int
    difference: float


def built(kind, case):
    """The component of a case, built from a config."""
    entry = registry.names(kind)[case["name"]]
    return entry.model.model_validate({"type": entry.name, **case["arguments"]}).build()


class FixedMask:
    """A generator that makes a dropout layer use a given mask: bits of 0 for values that are kept, else of 1.

    Args:
        kept: mask (N, M).
    """

    def __init__(self, kept):
        self.kept, self.bit_generator = np.array(kept).T.ravel(), self

    def random_raw(self, size):
        """The mask as 64-bit words, four values each, in memory order."""
        integers = np.zeros(4 * size, "<u2")
        integers[: self.kept.size] = np.where(self.kept, 0, 2**16 - 1)
        return integers.view("<u8")


def layer(case):
    """Outputs, gradients, and the running statistics after the pass."""
    given = {name: np.array(values) for name, values in case["given"].items()}
    one, columns = built("layer", case), given["inputs"].shape[1]
    parameters = Parameters(one.shapes(columns), FLOAT64, one.statistics(columns))
    values, gradients = parameters.views(parameters.values), parameters.views(parameters.gradients)
    one.attach(values, gradients)
    one.set_rng(FixedMask(case.get("kept")))
    for name, view in values.items():
        view[...] = given[name]
    found = {"outputs": forward(one, given["inputs"], case["training"]), "d_inputs": backward(one, given["grad"])}
    return {**values, **found, **{f"d_{name}": view for name, view in gradients.items()}}


def loss(case):
    """The loss of each row, their mean and its gradient."""
    one, outputs = built("loss", {"arguments": {}, **case}), np.array(case["given"]["outputs"])
    one.attach(FLOAT64)
    targets = one.encode(np.array(case["given"]["targets"]), outputs.shape[1])
    losses = one.forward(outputs, targets)
    return {"losses": losses, "mean": average(losses), "d_outputs": loss_gradient(one, outputs, targets)}


def last_layer_and_loss(case):
    """The fused gradient of both."""
    last, one = registry.names("layer")[case["last"]].target(), registry.names("loss")[case["loss"]].target()
    last.attach({}, {})
    one.attach(FLOAT64)
    probabilities = forward(last, np.array(case["given"]["logits"]))
    targets = one.encode(np.array(case["given"]["targets"]), probabilities.shape[1])
    assert is_fused(last, one)
    return {"d_logits": fused_gradient(one, probabilities, targets)}


def penalty(case):
    """The penalty, and its gradient."""
    values = np.array(case["given"]["values"])
    one = Penalty(values, np.zeros_like(values), case["given"]["l1"], case["given"]["l2"])
    one.backward()
    return {
        "price": one.forward(),
        "gradient": one.gradient,
    }


def optimizer(case):
    """The parameters after each number of steps, one row per magnitude of the gradients."""
    start = np.array(FILE["walk"]["start"])
    one, values, gradients = built("optimizer", case), start.ravel(), np.zeros(start.size)
    one.attach(values, gradients)
    found = {}
    for step, gradient in enumerate(FILE["walk"]["gradients"], start=1):
        gradients[:] = np.ravel(gradient)
        one.step()
        found[str(step)] = values.reshape(start.shape).copy()
    return found


def schedule(case):
    """The factor at each of the first updates."""
    one = built("schedule", case)
    return {"factors": [one.factor(t) for t in range(len(case["expected"]["factors"]))]}


def decay(case):
    """The learning rate at each of the first updates."""
    return {"rates": [inverse_time(**case["given"], updates=t) for t in range(len(case["expected"]["rates"]))]}


def clipping(case):
    """The clipped gradients."""
    gradients = np.array(case["given"]["gradients"])
    built("clipping", case).clip(gradients)
    return {"gradients": gradients}


OURS = {
    "layer": layer,
    "loss": loss,
    "fused": last_layer_and_loss,
    "penalty": penalty,
    "optimizer": optimizer,
    "schedule": schedule,
    "decay": decay,
    "clipping": clipping,
}


def comparisons(case):
    """Comparisons of every array of a case; for optimizers, of every row."""
    ours, label = OURS[case["kind"]](case), f"{case['name']} {case['variant']}"
    for array, expected in sorted(case["expected"].items()):
        if case["kind"] == "optimizer":
            rows = zip(FILE["walk"]["rows"], ours[array], expected, strict=True)
            pairs, steps = [(f"{row} after {array}", found, reference) for row, found, reference in rows], int(array)
        else:
            pairs, steps = [(array, ours[array], expected)], 1
        for name, found, reference in pairs:
            yield Comparison(label, name, steps, np.size(reference), relative_difference(found, np.array(reference)))


def relative_difference(found, reference):
    """The largest difference over the largest magnitude of the reference; infinite if that is 0."""
    assert np.shape(found) == reference.shape
    difference, magnitude = np.max(np.abs(found - reference)), np.max(np.abs(reference))
    if magnitude == 0:
        return 0.0 if difference == 0 else np.inf
    return float(difference / magnitude)


@pytest.mark.parametrize("case", FILE["cases"], ids=lambda case: f"{case['kind']}-{case['name']}-{case['variant']}")
def test_results_match_pytorch(case):
    """Every array agrees to 1e-12 of its largest value, after 10 steps to 1e-11 and after 100 to 1e-10."""
    compared = list(comparisons(case))
    assert compared
    assert not [each for each in compared if not each.difference < BOUNDS[each.steps]]  # not >=, because of NaN


@pytest.mark.parametrize("kind", KINDS)
def test_names_in_the_file_are_registered(kind):
    """Every component in the file is registered under its name."""
    assert {name for of, name in COMPARED if of == kind} <= {entry.name for entry in registry.components(kind)}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, entry.name) for kind in KINDS for entry in registry.components(kind)]
)
def test_component_has_results_of_pytorch(kind, name):
    """A component without is skipped by name, so that adding one does not require PyTorch."""
    if (kind, name) not in COMPARED:
        pytest.skip(f"{kind} {name} has no case in pytorch_references.json")


def table():
    """The lines of a Markdown table: values compared and largest differences of each component."""
    found = defaultdict(list)
    for case in FILE["cases"]:
        found[case["kind"], case["name"]] += comparisons(case)
    total = [each for compared in found.values() for each in compared]
    yield f"Largest relative differences from PyTorch {FILE['torch']} in float64:\n"
    yield "| kind | component | values | 1 step or pass | 10 steps | 100 steps |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for (kind, name), compared in [*sorted(found.items()), (("all", len(found)), total)]:
        yield f"| {kind} | {name} | {count(compared)} | {' | '.join(map(largest, by_steps(compared)))} |"
    yield f"\n{len(FILE['cases'])} cases, {len(total)} arrays, {count(total)} values"


def count(comparisons):
    """The number of values compared."""
    return sum(each.values for each in comparisons)


def by_steps(comparisons):
    """The differences after 1, 10 and 100 steps."""
    return [[each.difference for each in comparisons if each.steps == steps] for steps in BOUNDS]


def largest(differences):
    """The largest difference as a cell, empty if there is none."""
    return f"{max(differences):.1e}" if differences else ""


if __name__ == "__main__":
    print("\n".join(table()))
