"""Categories as inputs."""

import json

import numpy as np
import pytest

from nncli.data.transforms.column_error import ColumnError
from nncli.data.transforms.encoding import UNSEEN, OneHot, Ordinal

COUNTS = {"red": 5, "blue": 1, "green": 2, "Red": 1}


def fitted(**parameters):
    """A one-hot encoding of the counts."""
    encoding = OneHot(**parameters)
    encoding.fit(COUNTS)
    return encoding


def inputs(encoding, *categories):
    """The inputs of categories, as lists."""
    out = np.full((len(categories), len(encoding.names("x"))), 7.0)
    encoding.apply(np.array([encoding.position(each) for each in categories]), out)
    return out.tolist()


def test_one_hot_has_one_input_per_category_in_alphabetical_order():
    """Upper case comes first; a category that is in no training row is 0 in all of them."""
    encoding = fitted()
    assert encoding.names("color") == ["color=Red", "color=blue", "color=green", "color=red"]
    assert inputs(encoding, "red", "Red", "pink") == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert [encoding.is_known(each) for each in ("red", "pink")] == [True, False]


def test_rare_categories_share_an_input():
    """Those of fewer rows than ``rare``; unseen ones are rare too by default."""
    encoding = fitted(rare=2)
    assert encoding.names("color") == ["color=green", "color=red", "color_rare"]
    assert inputs(encoding, "green", "blue", "Red", "pink") == [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]]
    assert inputs(fitted(rare=2, unseen="zeros"), "pink") == [[0, 0, 0]]


def test_without_rare_categories_there_is_no_input_for_them():
    """It would be 0 in all training rows; unseen categories are 0 then."""
    encoding = OneHot(rare=2)
    encoding.fit({"a": 2, "b": 3})
    assert encoding.names("x") == ["x=a", "x=b"]
    assert inputs(encoding, "c") == [[0, 0]]


def test_two_categories_have_two_inputs():
    """So that an unseen one is none of both."""
    encoding = OneHot()
    encoding.fit({"a": 2, "b": 3})
    assert inputs(encoding, "a", "b", "c") == [[1, 0], [0, 1], [0, 0]]


def test_unseen_is_an_error_if_asked_for():
    """Only after training rows have been seen."""
    assert not OneHot(unseen="error").refuses_unseen
    encoding = fitted(unseen="error")
    assert encoding.refuses_unseen
    assert encoding.position("pink") == UNSEEN
    assert not fitted(rare=2).refuses_unseen


def test_unseen_rare_needs_rare():
    """There is nothing that such a category could be like."""
    with pytest.raises(ColumnError, match="rare: 10") as error:
        OneHot(unseen="rare")
    assert error.value.key == "unseen"


@pytest.mark.parametrize("parameters", [{}, {"rare": 2}, {"unseen": "error"}, {"rare": 10}], ids=str)
def test_restored_one_hot_is_the_fitted_one(parameters):
    """From JSON, for all categories."""
    encoding, restored = fitted(**parameters), OneHot(**parameters)
    restored.restore(json.loads(json.dumps(encoding.state())))
    assert restored.names("x") == encoding.names("x")
    for category in (*COUNTS, "pink"):
        assert restored.position(category) == encoding.position(category)
        assert restored.is_known(category) == encoding.is_known(category)


@pytest.mark.parametrize(
    ("state", "key"),
    [
        ({"categories": ["b", "a"], "rare": []}, "categories"),
        ({"categories": ["a", "a"], "rare": []}, "categories"),
        ({"categories": ["a"], "rare": ["c", "b"]}, "rare"),
        ({"categories": ["a"], "rare": ["a"]}, "rare"),
        ({"categories": ["a", 3], "rare": []}, r"categories\.1"),
        ({"categories": ["a"]}, "rare"),
    ],
    ids=str,
)
def test_damaged_state_is_rejected(state, key):
    """The message names the key."""
    with pytest.raises(ValueError, match=rf"^{key}: "):
        OneHot().restore(state)


@pytest.mark.parametrize(("counts", "constant"), [({"a": 3}, True), ({"a": 3, "b": 1}, False)])
@pytest.mark.parametrize(
    "encoding", [OneHot(), Ordinal(["b", "a"]), OneHot(rare=2)], ids=["one_hot", "ordinal", "rare"]
)
def test_one_category_is_constant(encoding, counts, constant):
    """All rows have the same inputs."""
    encoding.fit(counts)
    assert encoding.is_constant is constant


def test_all_rare_is_constant():
    """One input that is 1 in every row."""
    assert fitted(rare=10).is_constant


def test_ordinal_is_at_equal_distances():
    """From 0 to 1 in the given order, also if the training rows do not have all categories."""
    encoding = Ordinal(["low", "middle", "high"])
    encoding.fit({"high": 1, "low": 2})
    assert inputs(encoding, "low", "middle", "high") == [[0], [0.5], [1]]
    assert encoding.names("x") == ["x"]
    assert encoding.refuses_unseen
    assert encoding.fix("top") == "is not in order: [low, middle, high]; correct it, or train with it there"


def test_order_with_a_category_twice_is_rejected():
    """The message names it."""
    with pytest.raises(ColumnError, match="'a' twice") as error:
        Ordinal(["a", "b", "a"])
    assert error.value.key == "order"
