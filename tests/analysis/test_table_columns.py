"""What a table of many runs leaves out: common parts of names, and keys that follow from others."""

import pytest

from nncli.analysis.table_columns import ShortNames, implied_keys, short_names


@pytest.mark.parametrize(
    ("names", "short", "start", "end"),
    [
        (["spiral-adam-s1", "spiral-sgd-s10"], ["adam-s1", "sgd-s10"], "spiral-", ""),
        (["runs/a/0000", "runs/b/0000"], ["a", "b"], "runs/", "/0000"),
        (["a_b.c-1-x", "a_b.c-2-x"], ["1", "2"], "a_b.c-", "-x"),
        (["0001", "0002"], ["0001", "0002"], "", ""),
        (["adam1", "adam2"], ["adam1", "adam2"], "", ""),
        (["spiral", "spiral-2"], ["spiral", "spiral-2"], "", ""),
        (["spiral-", "spiral-2"], ["spiral-", "spiral-2"], "", ""),
        (["one"], ["one"], "", ""),
        (["a-one", "a-one"], ["one", "one"], "a-", ""),
    ],
)
def test_common_parts_of_names_end_at_separators(names, short, start, end):
    """No name becomes empty or loses a part of a word, and the parts together are the full names."""
    found = short_names(names)
    assert found == ShortNames(short, start, end)
    assert [f"{start}{name}{end}" for name in found.names] == names


@pytest.mark.parametrize(
    ("table", "implied"),
    [
        ({"optimizer.type": ["adam", "adam", "sgd"], "optimizer.beta_1": [0.9, 0.9, None]}, ["optimizer.beta_1"]),
        ({"optimizer.type": ["adam", "adam", "sgd"], "optimizer.beta_1": [0.9, 0.8, None]}, []),
        ({"optimizer.type": ["adam", "rmsprop", "sgd"], "loss.scale": [1, 1, 2]}, []),
        ({"optimizer.rate": [1, 2, 3], "optimizer.decay": [1, 1, 2]}, []),
        ({"seeds.weights": [0, 1], "seeds.order": [0, 1], "seeds.dropout": [0, 1]}, ["seeds.order", "seeds.dropout"]),
        ({"seed": [1, 2], "epochs": [1.0, 2.0]}, []),
        ({"layers[0].type": ["lstm", "gru"], "layers[0].sizes": [[1], [2]]}, ["layers[0].sizes"]),
        ({}, []),
    ],
)
def test_keys_that_follow_from_others_are_found(table, implied):
    """A key follows from the type of its own section, or has the same values as a key before it."""
    assert implied_keys(table) == implied
