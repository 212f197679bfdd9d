"""What all types of columns have in common, with each transform, encoding and imputation."""

import json

import numpy as np
import pytest

from nncli.data.columns import MISSING_TEXTS, Boolean, Category, Date, Number
from nncli.data.columns.column import Column
from nncli.data.transforms.encoding import OneHot, Ordinal
from nncli.data.transforms.imputation import Constant, Mean, Median, Mode
from nncli.registry import components, names, validated

TEXTS = {
    "number": ["3", "1.5", "-2", "1e3", "3", "0.25", "7"],
    "boolean": ["yes", "no", "yes", "yes", "no", "yes", "no"],
    "category": ["low", "high", "middle", "low", "low", "high", "low"],
    "date": ["2024-03-01", "2023-12-31", "2024-02-29", "2020-01-01", "2024-03-01", "2021-05-06", "2022-10-11"],
}
TRANSFORMS = [entry.target for entry in components("transform")]
COLUMNS = {
    **{f"number-{each.__name__}": lambda missing, each=each: Number(each(), missing) for each in TRANSFORMS},
    **{
        f"date-{each.__name__}": lambda missing, each=each: Date(transform=each(), missing=missing)
        for each in TRANSFORMS
    },
    "boolean": Boolean,
    "category-OneHot": lambda missing: Category(OneHot(), missing),
    "category-rare": lambda missing: Category(OneHot(rare=2), missing),
    "category-Ordinal": lambda missing: Category(Ordinal(["low", "middle", "high"]), missing),
}
IMPUTATIONS = [None, Mean(), Median(indicator=True), Mode(), Mode(indicator=True)]


def cases():
    """Each column with each imputation that it takes."""
    for name, make in COLUMNS.items():
        for missing in IMPUTATIONS:
            if not (name.startswith("category") and getattr(missing, "needs_order", False)):
                yield pytest.param(name, make, missing, id=f"{name}-{type(missing).__name__}")


def parsed(name, column, missing):
    """Values of the column's texts, some of them missing if they are replaced."""
    texts = TEXTS[name.partition("-")[0]] * 3
    values, problems = column.parse([*texts, *(["", "NA"] if missing else [])], MISSING_TEXTS)
    assert problems == []
    return values


@pytest.mark.parametrize(("name", "make", "missing"), list(cases()))
def test_restored_column_has_the_same_bits(name, make, missing):
    """From JSON, without data; with the same names."""
    column, restored = make(missing), make(missing)
    values = parsed(name, column, missing)
    column.fit(values)
    restored.restore(json.loads(json.dumps(column.state(), allow_nan=False)))
    assert restored.names("x") == column.names("x")
    assert restored.is_constant == column.is_constant
    assert restored.apply(parsed(name, restored, missing)).tobytes() == column.apply(values).tobytes()


@pytest.mark.parametrize(("name", "make", "missing"), list(cases()))
def test_chunks_have_the_bits_of_the_whole(name, make, missing):
    """One row, a few, all; also in a slice of a larger array."""
    column = make(missing)
    values = parsed(name, column, missing)
    column.fit(values)
    whole = column.apply(values)
    assert whole.shape == (len(values), len(column.names("x")))
    assert np.isfinite(whole).all()
    for size in (1, 4, len(values)):
        table = np.full((len(values), whole.shape[1] + 2), 7.0)
        for start in range(0, len(values), size):
            column.apply(values[start : start + size], out=table[start : start + size, 1:-1])
        assert table[:, 1:-1].tobytes() == whole.tobytes()
        assert (table[:, [0, -1]] == 7).all()


@pytest.mark.parametrize(("name", "make", "missing"), list(cases()))
def test_fit_depends_on_its_rows_alone(name, make, missing):
    """Not on rows that are parsed too, nor on the order of the vocabulary; the values stay as they are."""
    column, other = make(missing), make(missing)
    values = parsed(name, column, missing)
    texts = TEXTS[name.partition("-")[0]] * 3
    more, _ = other.parse([*texts[::-1], *texts, *(["", "NA"] if missing else [])], MISSING_TEXTS)
    before = values.tobytes()
    column.fit(values)
    other.fit(more[len(texts) :])
    assert values.tobytes() == before
    assert other.state() == column.state()


@pytest.mark.parametrize(("name", "make", "missing"), list(cases()))
def test_float32_array_takes_the_inputs(name, make, missing):
    """Rounded once, from float64."""
    column = make(missing)
    values = parsed(name, column, missing)
    column.fit(values)
    out = np.empty((len(values), len(column.names("x"))), np.float32)
    assert column.apply(values, out) is out
    assert out.tobytes() == column.apply(values).astype(np.float32).tobytes()


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("state", [None, [], {}, {"fill": None}, {"constant": False, "fill": 1.0, "x": 1}], ids=str)
def test_state_of_another_form_is_rejected(name, state):
    """The message names a key."""
    with pytest.raises(ValueError, match=r"state: |constant: |x: |fill: "):
        names("column")[name].target().restore(state)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("missing", [None, Mode()], ids=["error", "mode"])
def test_fill_has_to_suit_the_imputation(name, missing):
    """A value although missing ones are refused, or none although they are replaced."""
    column = names("column")[name].target(missing=missing)
    values = parsed(name, column, None)
    column.fit(values)
    state = column.state()
    fill = None if missing else "low" if name == "category" else 1.0
    with pytest.raises(ValueError, match=r"^fill: "):
        column.restore({**state, "fill": fill})


CONFIG = {
    "age": {"type": "number", "transform": "robust", "missing": "median"},
    "zip": "category",
    "education": {"type": "category", "encoding": {"type": "ordinal", "order": ["low", "high"]}, "missing": "mode"},
    "joined": {"type": "date", "format": "%d.%m.%Y", "parts": ["year", "month", "weekday"]},
    "active": "boolean",
    "photo": {"type": "number", "transform": "symmetric"},
    "color": {"type": "category", "encoding": {"type": "one_hot", "rare": 5, "unseen": "rare"}},
    "note": {"type": "category", "missing": {"type": "constant", "value": "none", "indicator": True}},
}


def test_columns_are_built_from_a_config():
    """By name, or as a mapping with transforms, encodings and imputations in it."""
    built = {name: config.build() for name, config in validated(CONFIG, dict[str, Column]).items()}
    assert type(built["age"].transform).__name__ == "Robust"
    assert type(built["age"].missing) is Median
    assert built["education"].encoding.order == ["low", "high"]
    assert built["joined"].parts == ["year", "month", "weekday"]
    assert type(built["active"]) is Boolean
    assert built["color"].encoding.unseen == "rare"
    assert isinstance(built["note"].missing, Constant)
    assert built["note"].missing.indicator
