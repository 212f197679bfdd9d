"""Normalization: only what is certain becomes canonical; the rest stays as it is written, for validation to report."""

import pytest

from nncli.config.diagnostics import SourceText
from nncli.config.document import read
from nncli.config.in_place import is_same
from nncli.config.normalization import find_component, normalized
from nncli.experiment import loading  # noqa: F401 (registers the components)


def root_of(text):
    return read(SourceText("", text)).root


@pytest.mark.parametrize(
    "text",
    [
        "validation: true",
        "layers: [{type: dense, units: 16, n_neurons: 8}]",
        "layers: [{dropout: [0.5]}]",
        "layers: [{dense: {type: relu, units: 3}}]",
        "layers: [{dense: 16, l2: 0.1}]",
        "layers: [{type: dense, units: 3.5}]",
        "layers: [{type: dense, units: 3, n_inputs: 2.5}]",
        "metrics: accurac",
    ],
)
def test_value_with_more_than_one_meaning_stays(text):
    """No value is lost, and none is chosen where two are given."""
    root = root_of(text)
    assert is_same(normalized(root).plain(), root.plain())


def test_canonical_config_is_the_same_tree():
    """Nothing is copied if nothing changes."""
    root = root_of("layers: [{type: dense, units: 3}, relu]\noptimizer: adam\nvalidation: {fraction: 0.2}\n")
    assert normalized(root) is root


@pytest.mark.parametrize("written", [None, 3, ["adam"], "", "yes"])
def test_what_names_no_component(written):
    """Nothing is found, and nothing is raised."""
    assert find_component("optimizer", written) is None


def test_keys_of_a_short_form_have_their_own_locations():
    """An error in ``{dense: {unit: 3}}`` is reported at ``unit``, not at ``dense``."""
    layer = normalized(root_of("layers:\n- dense: {unit: 3}\n")).children["layers"].children[0]
    assert (layer.keys["type"].column, layer.keys["unit"].column) == (3, 11)
