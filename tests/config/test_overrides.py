"""Values given on the command line: where they are put, what they may make, and what is refused."""

import pytest

from nncli.config.diagnostics import SourceText
from nncli.config.document import read
from nncli.config.overrides import apply
from nncli.errors import CommandLineError

SPEC = """\
seed: 0
data: {type: spiral, samples: 20}
validation: null
layers:
  - {type: dense, units: 8}
  - relu
loss: categorical_crossentropy
training: {epochs: 30}
"""


def overridden(*overrides, text=SPEC):
    document = read(SourceText("spec.yaml", text))
    apply(document, overrides)
    return document


def value(path, *overrides, text=SPEC):
    document = overridden(*overrides, text=text)
    assert document.diagnostics == []
    return document.root.find(path).plain()


@pytest.mark.parametrize(
    ("override", "path", "expected"),
    [
        ("seed=7", ("seed",), 7),
        ("data.samples=50", ("data", "samples"), 50),
        ("layers[0].units=16", ("layers", 0, "units"), 16),
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
def test_an_override_sets_a_value(override, path, expected):
    """What stands behind the first '=' is YAML, and takes the place of what the path leads to."""
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
def test_an_override_makes_what_is_missing(override, path, expected):
    """A key that is not there, or is null, becomes a value, a mapping or a list, as the path needs it."""
    assert value(path, override) == expected


@pytest.mark.parametrize(
    ("override", "path", "expected"),
    [
        ("layers[1].rate=0.5", ("layers", 1), {"type": "relu", "rate": 0.5}),
        ("loss.scale=2", ("loss",), {"type": "categorical_crossentropy", "scale": 2}),
        ("loss.type=mse", ("loss",), {"type": "mse"}),
    ],
)
def test_a_bare_name_becomes_a_mapping(override, path, expected):
    """A component's name is short for a mapping with that type, and can be given parameters."""
    assert value(path, override) == expected


def test_a_bare_name_keeps_its_place():
    """The type of a bare name still stands where the name does."""
    place = overridden("layers[1].rate=0.5").root.find(("layers", 1, "type")).place
    assert (place.source.name, place.line, place.column) == ("spec.yaml", 6, 5)


def test_the_next_index_appends_to_a_list():
    """A list grows by one item at a time, by whole items or by a key of the new one."""
    layers = value(("layers",), "layers[2].type=dense", "layers[2].units=3", "layers[3]=softmax")
    assert layers[2:] == [{"type": "dense", "units": 3}, "softmax"]


def test_overrides_are_put_in_their_order():
    """Of two values for one path the last one counts, and a later path may lead into an earlier value."""
    assert value((), "seed=1", "seed=2", "loss={type: a}", "loss.scale=3", text="{}") == {
        "seed": 2,
        "loss": {"type": "a", "scale": 3},
    }


def test_an_override_of_an_alias_changes_no_other():
    """What an alias repeats is copied before it is changed, at every level of the path."""
    text = "base: &base {inner: {deep: 1}}\nother: *base\n"
    expected = {"base": {"inner": {"deep": 1}}, "other": {"inner": {"deep": 2, "new": 3}}}
    assert value((), "other.inner.deep=2", "other.inner.new=3", text=text) == expected


def test_an_override_of_an_anchor_changes_no_alias():
    """An alias keeps what its anchor was in the file."""
    text = "layers:\n  - &layer {type: dense, units: 8}\n  - *layer\n"
    layers = value(("layers",), "layers[0].units=16", text=text)
    assert [layer["units"] for layer in layers] == [16, 8]


@pytest.mark.parametrize(
    ("overrides", "path", "place"),
    [
        (["seed=7"], ("seed",), (1, 6)),
        (["seed=  7"], ("seed",), (1, 8)),
        (["seed=1", "data.samples=50"], ("data", "samples"), (2, 14)),
        (["loss={type: mse, scale: 2}"], ("loss", "scale"), (1, 25)),
        (["layers[2]=softmax"], ("layers", 2), (1, 11)),
    ],
)
def test_a_value_stands_on_the_command_line(overrides, path, place):
    """Its line is the override's number, its column counts from the override's beginning."""
    found = overridden(*overrides).root.find(path).place
    assert (found.source.name, found.line, found.column) == ("command line", *place)


def test_a_key_stands_on_the_command_line():
    """A key that an override has made is found in it, be it in the path or in the value."""
    root = overridden("data.clases=3", "loss={type: mse, scale: 2}").root
    places = [root.key_place(path) for path in (("data", "clases"), ("loss", "scale"))]
    assert [(place.source.text, place.line, place.column) for place in places] == [
        ("data.clases=3", 1, 1),
        ("loss={type: mse, scale: 2}", 2, 18),
    ]


def test_a_key_on_the_way_stands_on_the_command_line():
    """A mapping that a path has made is not blamed on the file."""
    assert overridden("new.inner=1").root.key_place(("new",)).source.name == "command line"


@pytest.mark.parametrize(
    "override", ["", "seed", "=", "=5", "a..b=1", ".a=1", "a.=1", "[0]=1", "a[-1]=1", "a[x]=1", "a[]=1", "a =1", "1=2"]
)
def test_what_is_no_override_is_an_error_of_the_command_line(override):
    """Without a path and a '=' nothing can be put anywhere; the message quotes it and shows how to write one."""
    with pytest.raises(CommandLineError) as caught:
        overridden(override)
    assert str(caught.value).startswith(f"{override!r} is no override; ")
    assert "optimizer.learning_rate=0.1" in str(caught.value)


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("layers[0]units=4", "layers[0].units"),
        ("layers.[0].units=4", "layers[0].units"),
        ("layers[\u0660].units=9", "layers[0].units"),
        ("layers[01].units=9", "layers[1].units"),
    ],
)
def test_a_path_has_one_spelling(override, path):
    """Any other one is refused with the path to write."""
    with pytest.raises(CommandLineError) as caught:
        overridden(override)
    assert str(caught.value) == f"{override!r} is no override; write its path as {path!r}"


@pytest.mark.parametrize(
    ("override", "column", "path", "fragment"),
    [
        ("seed=", 6, ("seed",), "no value behind '='; write null to leave a key unset"),
        ("layers[0].units=  ", 17, ("layers", 0, "units"), "no value behind '='"),
        ("layers[3]=relu", 1, ("layers", 3), "layers has no item [3]; the next to be added is [2]"),
        ("layers[9].units=1", 1, ("layers", 9, "units"), "layers has no item [9]; the next to be added is [2]"),
        ("data[0]=1", 1, ("data", 0), "data is no list, so it has no item [0]"),
        ("layers.units=1", 1, ("layers", "units"), "layers is no mapping, so it has no key 'units'"),
        ("seed.x=1", 1, ("seed", "x"), "seed is no mapping, so it has no key 'x'"),
        ("training.epochs.x.y=1", 1, ("training", "epochs", "x", "y"), "training.epochs is no mapping"),
        ("layers[0].units[0]=1", 1, ("layers", 0, "units", 0), "layers[0].units is no list"),
        ("loss[0]=mse", 1, ("loss", 0), "loss is no list"),
        ("seed=off", 6, ("seed",), "write false or 'off'"),
        ("loss={type: mse, scale: 010}", 25, ("loss", "scale"), "write 10 or 8"),
        ("loss={a: 1, a: 2}", 13, ("loss",), "key 'a' stands twice, first on line 1"),
        ("seed=!!int 1", 6, ("seed",), "tag"),
        ("layers=[relu", 8, ("layers",), "not YAML"),
        ("loss=*x", 6, ("loss",), "alias *x before its anchor"),
        ("seed=" + "[" * 100, 6, ("seed",), "nested deeper than 20 levels"),
        ("seed=\x00", 6, ("seed",), "not text"),
        ("seed=#5", 6, ("seed",), "no value behind '='"),
    ],
)
def test_a_wrong_override_is_a_problem_at_its_place(override, column, path, fragment):
    """It joins the diagnostics of the file, with its column and the path it was meant for."""
    (diagnostic,) = overridden(override).diagnostics
    assert (diagnostic.place.source.name, diagnostic.place.line) == ("command line", 1)
    assert (diagnostic.place.column, diagnostic.path) == (column, path)
    assert fragment in diagnostic.message


def test_a_path_deeper_than_any_spec_is_no_override():
    """However long it is, nothing is nested for it."""
    assert overridden("a" + ".a" * 19 + "=1")
    for steps in (20, 3000):
        with pytest.raises(CommandLineError, match="leads deeper than 20 levels"):
            overridden("a" + ".a" * steps + "=1")


@pytest.mark.parametrize(("text", "following"), [("layers: []", "[0]"), ("layers: [relu]", "[1]")])
def test_an_index_out_of_range_is_told_with_the_next_one(text, following):
    """The cure is the index at which a list grows."""
    (diagnostic,) = overridden("layers[5]=relu", text=text).diagnostics
    assert following in diagnostic.message
    assert "[-1]" not in diagnostic.message


def test_every_wrong_override_is_told():
    """One that is wrong hides none behind it, and those that are right are put."""
    document = overridden("seed=", "layers[9]=relu", "loss=mse", "seed.x=1")
    assert [(diagnostic.place.line, diagnostic.place.column) for diagnostic in document.diagnostics] == [
        (1, 6),
        (2, 1),
        (4, 1),
    ]
    assert document.root.find(("loss",)).value == "mse"


@pytest.mark.parametrize("text", ["- 1\n", "word\n"])
def test_a_document_that_is_no_mapping_takes_no_override(text):
    """Where there are no sections, a path leads nowhere."""
    (diagnostic,) = overridden("seed=1", text=text).diagnostics
    assert diagnostic.message == "the config is no mapping, so it has no key 'seed'"
