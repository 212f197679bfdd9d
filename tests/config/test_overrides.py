"""Overrides: what they set and create, their locations, and invalid ones."""

import pytest

from nncli.errors import CommandLineError
from nncli.experiment.loading import parse

CONFIG = """\
seed: 0
data: {type: spiral, samples: 20}
validation: null
layers:
  - {type: dense, units: 8}
  - relu
loss: categorical_crossentropy
training: {epochs: 30}
"""


def overridden(*overrides, text=CONFIG):
    return parse("config.yaml", text.encode(), overrides)


def value(path, *overrides, text=CONFIG):
    document = overridden(*overrides, text=text)
    assert document.diagnostics == []
    return document.root.find(path).plain()


@pytest.mark.parametrize(
    ("override", "path", "expected"),
    [
        ("seed=7", ("seed",), 7),
        ("data.samples=50", ("data", "samples"), 50),
        ("layers[0].units=16", ("layers", 0, "units"), 16),
        ("layers.0.units=16", ("layers", 0, "units"), 16),
        ("layers[1]=softmax", ("layers", 1), "softmax"),
        ("training.epochs=1e-3", ("training", "epochs"), 0.001),
        ("training.epochs=0x10", ("training", "epochs"), 16),
        ("seed='7'", ("seed",), "7"),
        ("loss=a=b", ("loss",), "a=b"),
        ("loss= mse ", ("loss",), "mse"),
        ("data=null", ("data",), None),
        ("layers=[relu, {type: dense, units: 3}]", ("layers",), ["relu", {"type": "dense", "units": 3}]),
        ("loss={type: mse, scale: [1, 2.5]}", ("loss",), {"type": "mse", "scale": [1, 2.5]}),
        ("layers[1]={type: dropout, rate: .5}", ("layers", 1), {"type": "dropout", "rate": 0.5}),
    ],
)
def test_override_sets_a_value(override, path, expected):
    """The text after the first '=' is YAML, and replaces the value at the path."""
    assert value(path, override) == expected


@pytest.mark.parametrize(
    ("override", "path", "expected"),
    [
        ("rng=nnfs", ("rng",), "nnfs"),
        ("data.classes=3", ("data",), {"type": "spiral", "samples": 20, "classes": 3}),
        ("test.fraction=0.5", ("test",), {"fraction": 0.5}),
        ("validation.fraction=0.5", ("validation",), {"fraction": 0.5}),
        ("optimizer.schedule.rate=1", ("optimizer",), {"schedule": {"rate": 1}}),
        ("tests[0].rows=1", ("tests",), [{"rows": 1}]),
    ],
)
def test_override_creates_missing_parents(override, path, expected):
    """A missing or null key becomes a value, a mapping or a list, as the path requires."""
    assert value(path, override) == expected


@pytest.mark.parametrize(
    ("override", "path", "expected"),
    [
        ("layers[1].rate=0.5", ("layers", 1), {"type": "relu", "rate": 0.5}),
        ("loss.scale=2", ("loss",), {"type": "categorical_crossentropy", "scale": 2}),
        ("loss.type=mse", ("loss",), {"type": "mse"}),
    ],
)
def test_bare_name_becomes_a_mapping(override, path, expected):
    """The name of a component is short for a mapping with that type, and can be given parameters."""
    assert value(path, override) == expected


def test_bare_name_keeps_its_location():
    """The component and its type, key and value, have the location of the name."""
    root = overridden("layers[1].rate=0.5").root
    type_path = ("layers", 1, "type")
    locations = (root.find(type_path[:2]).location, root.key_location(type_path), root.find(type_path).location)
    for location in locations:
        assert (location.source.name, location.line, location.column) == ("config.yaml", 6, 5)


def test_next_index_appends_to_a_list():
    """A list grows by one item at a time, by an item or by a key of a new one."""
    layers = value(("layers",), "layers[2].type=dense", "layers[2].units=3", "layers[3]=softmax")
    assert layers[2:] == [{"type": "dense", "units": 3}, "softmax"]


def test_overrides_are_applied_in_order():
    """The last of two values for a path is used, and a later path may lead into an earlier value."""
    assert value((), "seed=1", "seed=2", "loss={type: a}", "loss.scale=3", text="{}") == {
        "seed": 2,
        "loss": {"type": "a", "scale": 3},
    }


def test_override_of_an_alias_changes_no_other_alias():
    """The value of an alias is copied before it is changed, at every level of the path."""
    text = "base: &base {inner: {deep: 1}}\nother: *base\n"
    expected = {"base": {"inner": {"deep": 1}}, "other": {"inner": {"deep": 2, "new": 3}}}
    assert value((), "other.inner.deep=2", "other.inner.new=3", text=text) == expected


def test_override_of_an_anchor_changes_no_alias():
    """An alias keeps the value that its anchor has in the file."""
    text = "layers:\n  - &layer {type: dense, units: 8}\n  - *layer\n"
    layers = value(("layers",), "layers[0].units=16", text=text)
    assert [layer["units"] for layer in layers] == [16, 8]


@pytest.mark.parametrize(
    ("overrides", "path", "location"),
    [
        (["seed=7"], ("seed",), (1, 6)),
        (["seed=  7"], ("seed",), (1, 8)),
        (["seed=1", "data.samples=50"], ("data", "samples"), (2, 14)),
        (["loss={type: mse, scale: 2}"], ("loss", "scale"), (1, 25)),
        (["layers[2]=softmax"], ("layers", 2), (1, 11)),
    ],
)
def test_value_has_a_location_on_the_command_line(overrides, path, location):
    """Its line is the index of the override, its column counts from the start of the override."""
    found = overridden(*overrides).root.find(path).location
    assert (found.source.name, found.line, found.column) == ("command line", *location)


def test_key_has_a_location_on_the_command_line():
    """A key that an override creates is located in it, in the path or in the value."""
    root = overridden("data.clases=3", "loss={type: mse, scale: 2}").root
    locations = [root.key_location(path) for path in (("data", "clases"), ("loss", "scale"))]
    assert [(location.source.text, location.line, location.column) for location in locations] == [
        ("data.clases=3", 1, 1),
        ("loss={type: mse, scale: 2}", 2, 18),
    ]


def test_existing_parent_keeps_its_location():
    """A key of the file is still located there if an override changes a value inside."""
    location = overridden("data.samples=50").root.key_location(("data",))
    assert (location.source.name, location.line, location.column) == ("config.yaml", 2, 1)


def test_created_parent_has_a_location_on_the_command_line():
    """A mapping that an override creates is not located in the file."""
    assert overridden("new.inner=1").root.key_location(("new",)).source.name == "command line"


@pytest.mark.parametrize(
    "override", ["", "seed", "=", "=5", "a..b=1", ".a=1", "a.=1", "[0]=1", "a[x]=1", "a[]=1", "1=2"]
)
def test_malformed_override_is_a_command_line_error(override):
    """The message quotes the override and shows an example."""
    with pytest.raises(CommandLineError) as caught:
        overridden(override)
    assert str(caught.value).startswith(f"invalid override {override!r}: ")
    assert "optimizer.learning_rate=0.1" in str(caught.value)


@pytest.mark.parametrize("override", ["x-foo=3", "x-layer.units=3"])
def test_key_that_only_holds_anchors_cannot_be_overridden(override):
    """The message says why the key is refused."""
    with pytest.raises(CommandLineError) as caught:
        overridden(override)
    reason = "keys that begin with x- cannot be overridden; override the keys that use their values"
    assert str(caught.value) == f"invalid override {override!r}: {reason}"


@pytest.mark.parametrize(
    ("overrides", "path", "expected"),
    [
        (("layers=[dense: 8, softmax]", "layers.0.units=7"), ("layers", 0), {"type": "dense", "units": 7}),
        (("validation=0.2", "validation.fraction=0.3"), ("validation",), {"fraction": 0.3}),
        (("metrics=accuracy", "metrics[1]=f1"), ("metrics",), ["accuracy", "f1"]),
        (
            ("optimizer={sgd: {decay: 0.1}}", "optimizer.momentum=0.9"),
            ("optimizer",),
            {"type": "sgd", "decay": 0.1, "momentum": 0.9},
        ),
    ],
)
def test_short_form_can_be_overridden_in_part(overrides, path, expected):
    """A later override sees what an earlier one means, not how it is written."""
    assert value(path, *overrides) == expected


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("layers[0]units=4", "layers[0].units"),
        ("layers.[0].units=4", "layers[0].units"),
        ("layers[\u0660].units=9", "layers[0].units"),
        ("layers[01].units=9", "layers[1].units"),
    ],
)
def test_path_has_one_spelling(override, path):
    """Any other spelling is rejected with the canonical one."""
    with pytest.raises(CommandLineError) as caught:
        overridden(override)
    assert str(caught.value) == f"invalid override {override!r}: write the key as {path!r}"


@pytest.mark.parametrize(
    ("override", "column", "path", "fragment"),
    [
        ("seed=", 6, ("seed",), "no value after '='; write one, as in seed=VALUE"),
        ("layers[0].units=  ", 17, ("layers", 0, "units"), "no value after '='"),
        ("layers[3]=relu", 1, ("layers", 3), "layers has 2 items ([0]-[1]); to append, write layers[2]=VALUE"),
        (
            "layers[9].units=1",
            1,
            ("layers", 9, "units"),
            "layers has 2 items ([0]-[1]); those with units: [0]",
        ),
        ("data[0]=1", 1, ("data", 0), "data is not a list, so it has no item [0]"),
        ("layers.units=1", 1, ("layers", "units"), "layers is not a mapping, so it has no key 'units'"),
        ("seed.x=1", 1, ("seed", "x"), "seed is not a mapping, so it has no key 'x'"),
        ("training.epochs.x.y=1", 1, ("training", "epochs", "x", "y"), "training.epochs is not a mapping"),
        ("layers[0].units[0]=1", 1, ("layers", 0, "units", 0), "layers[0].units is not a list"),
        ("loss[0]=mse", 1, ("loss", 0), "loss is not a list"),
        ("seed=off", 6, ("seed",), "write false or 'off'"),
        ("loss={type: mse, scale: 010}", 25, ("loss", "scale"), "write 10 or 8"),
        ("loss={a: 1, a: 2}", 13, ("loss",), "duplicate key 'a' (first on line 1)"),
        ("seed=!!int 1", 6, ("seed",), "tag"),
        ("layers=[relu", 8, ("layers",), "this '[' is not closed"),
        ("loss=*x", 6, ("loss",), "undefined alias *x"),
        ("seed=" + "[" * 100, 6, ("seed",), "nested too deeply (limit: 20 levels)"),
        ("seed=\x00", 6, ("seed",), "not a text file"),
        ("seed=#5", 6, ("seed",), "no value after '='"),
    ],
)
def test_invalid_override_is_a_diagnostic_with_a_location(override, column, path, fragment):
    """It is added to the diagnostics of the file, with its column and its path."""
    (diagnostic,) = overridden(override).diagnostics
    assert (diagnostic.location.source.name, diagnostic.location.line) == ("command line", 1)
    assert (diagnostic.location.column, diagnostic.path) == (column, path)
    assert fragment in diagnostic.message


def test_depth_of_a_path_is_limited():
    """Long paths are rejected before any node is created."""
    assert overridden("a" + ".a" * 19 + "=1")
    for steps in (20, 3000):
        with pytest.raises(CommandLineError, match="nested too deeply"):
            overridden("a" + ".a" * steps + "=1")


@pytest.mark.parametrize(
    ("text", "following"),
    [
        ("layers: []", "no items; to append, write layers[0]=VALUE"),
        ("layers: [relu]", "1 item ([0]); to append, write layers[1]=VALUE"),
    ],
)
def test_index_out_of_range_is_reported_with_the_next_index(text, following):
    """The fix is the index at which the list grows."""
    (diagnostic,) = overridden("layers[5]=relu", text=text).diagnostics
    assert following in diagnostic.message
    assert "[-1]" not in diagnostic.message


def test_all_invalid_overrides_are_reported():
    """An invalid override hides no later one, and valid ones are applied."""
    document = overridden("seed=", "layers[9]=relu", "loss=mse", "seed.x=1")
    assert [(diagnostic.location.line, diagnostic.location.column) for diagnostic in document.diagnostics] == [
        (1, 6),
        (2, 1),
        (4, 1),
    ]
    assert document.root.find(("loss",)).value == "mse"


@pytest.mark.parametrize("text", ["- 1\n", "word\n"])
def test_override_needs_a_mapping(text):
    """A document without sections has no paths."""
    (diagnostic,) = overridden("seed=1", text=text).diagnostics
    assert diagnostic.message == "the config is not a mapping, so it has no key 'seed'"
