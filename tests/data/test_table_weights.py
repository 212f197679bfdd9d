"""Weights of rows and classes of a table: the values, and what is refused."""

import numpy as np
import pytest

from nncli.data.source import SourceError
from nncli.data.sources.table import TableSource
from nncli.data.table_weights import class_weights

ROWS = ["x,w,kind,price", "1,2,b,10", "2,0,a,20", "3,0.5,b,35"]


@pytest.fixture
def opened(tmp_path):
    """Write rows, and open them as a table."""

    def open_(rows=ROWS, target="kind", **settings):
        path = tmp_path / "data.csv"
        path.write_text("\n".join([*rows, ""]), encoding="utf-8")
        source = TableSource(path, target, **settings)
        source.open()
        return source

    return open_


def test_column_of_weights_is_no_input(opened):
    """The rows have its values as weights, also without other keys, and it is not among the features."""
    source = opened(sample_weight="w")
    assert source.open().features == ["x", "price"]
    assert source.draw(None).weights.tolist() == [2, 0, 0.5]
    assert opened().draw(None).weights is None
    assert opened().open().features == ["x", "w", "price"]


REFUSED = {
    "missing": (["x,w,kind", "1,,a", "2,1,b"], "data.csv:2: column 'w': the weight is missing"),
    "negative": (["x,w,kind", "1,1,a", "2,-0.5,b"], "data.csv:3: column 'w': the weight -0.5 is negative"),
    "text": (["x,w,kind", "1,much,a", "2,1,b"], "data.csv:2: column 'w': 'much'"),
    "all 0": (["x,w,kind", "1,0,a", "2,0.0,b"], "data.csv: all weights in column 'w' are 0"),
    "not there": (["x,v,kind", "1,0,a", "2,0,b"], "data.csv: no column 'w'; its columns are 'x', 'v', 'kind'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_column_without_weights_is_rejected(opened, name):
    """A weight is a number from 0 on, and one is positive; the message has the line, the column and the value."""
    rows, message = REFUSED[name]
    with pytest.raises(SourceError) as caught:
        opened(rows, sample_weight="w").draw(None)
    assert message in str(caught.value)


@pytest.mark.parametrize(("key", "value"), [("target", "w"), ("ignore", ["w"]), ("id", "w")])
def test_column_of_weights_has_no_other_use(opened, key, value):
    """It is not the target, not ignored, and names no rows."""
    with pytest.raises(SourceError, match=f"the column 'w' is under {key} too"):
        opened(sample_weight="w", **{key: value})


def test_column_of_another_type_has_no_weights(opened):
    """A type in the config that is not number is refused."""
    from nncli.data.columns import Category

    with pytest.raises(SourceError, match="the column 'w' has to be of numbers"):
        opened(sample_weight="w", columns={"w": Category()})


def test_balanced_classes_count_the_same_in_total():
    """N / (K N_k), as scikit-learn has it; classes without rows do not count."""
    labels = np.array([2, 0, 2, 2, 0, 2])
    weights = class_weights("balanced", ["a", "b", "c"], labels)
    np.testing.assert_allclose(weights[[0, 2]], [6 / (2 * 2), 6 / (2 * 4)])
    assert [weights[label] * np.sum(labels == label) for label in (0, 2)] == [3, 3]


def test_named_classes_have_their_weights(opened):
    """Others have weight 1."""
    source = opened(class_weights={"b": 2.5})
    assert source.class_weights(np.array([0, 1])).tolist() == [1, 2.5]
    assert opened().class_weights(np.array([0, 1])) is None


def test_weight_of_an_unknown_class_is_rejected(opened):
    """The message lists the classes."""
    with pytest.raises(SourceError, match=r"'c', 'd' are not classes; the classes are a, b"):
        opened(class_weights={"c": 2.0, "a": 1.0, "d": 1.0})


@pytest.mark.parametrize("given", ["balanced", {"a": 2.0}], ids=["balanced", "by name"])
def test_numeric_target_has_no_class_weights(opened, given):
    """The message names sample_weight instead."""
    with pytest.raises(SourceError, match="the target is numeric, so that there are no classes; write sample_weight"):
        opened(target="price", class_weights=given)


def test_validation_set_has_no_class_weights_of_its_own(opened):
    """Those of the training data, which another file in the same form has too, are accepted."""
    data = opened(class_weights="balanced")
    opened(class_weights="balanced").follow(data)
    with pytest.raises(SourceError, match="only the training loss has class weights; write them under data"):
        opened(class_weights={"a": 2.0}).follow(data)
