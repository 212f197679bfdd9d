"""Values replaced in the text of a config: they read back as they are meant, and comments stay."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.config.diagnostics import SourceText
from nncli.config.document import read
from nncli.config.in_place import is_same, replaced, without_aliases
from nncli.config.overrides import apply
from nncli.config.yaml_output import to_yaml_value
from nncli.experiment.loading import with_overrides

CONFIG = """\
# head
seed: 0   # the seed
data: {type: spiral, samples: 20}  # data
optimizer:   # rule
  type: adam
  learning_rate: 0.05  # rate

# net
layers:
- {type: dense, units: 8}  # first
- relu
- type: dense
  units: 3  # out
validation:
training: {epochs: 30,
  log_every: 10,}   # end
loss:
    type: mse  # loss
# tail
"""


@pytest.mark.parametrize(
    ("override", "old", "new"),
    [
        ("seed=5", "seed: 0   #", "seed: 5   #"),
        ("data.samples=7", "samples: 20}  #", "samples: 7}  #"),
        ("data.classes=4", "samples: 20}", "samples: 20, classes: 4}"),
        ("training.batch_size=4", "log_every: 10,}", "log_every: 10, batch_size: 4,}"),
        ("optimizer.beta_1=0.8", "0.05  # rate\n", "0.05  # rate\n  beta_1: 0.8\n"),
        (
            "optimizer={type: sgd, learning_rate: 1.0}",
            "type: adam\n  learning_rate: 0.05",
            "type: sgd\n  learning_rate: 1.0",
        ),
        ("optimizer=sgd", "\n  type: adam\n  learning_rate: 0.05", "\n   sgd"),  # the comment behind the key stays
        ("loss=mae", "\n    type: mse", " mae"),
        ("layers[1].alpha=0.1", "- relu", "- {type: relu, alpha: 0.1}"),
        ("layers[2].l2=0.1", "units: 3  # out\n", "units: 3  # out\n  l2: 0.1\n"),
        ("layers[3]=softmax", "units: 3  # out\n", "units: 3  # out\n- softmax\n"),
        ("validation={fraction: 0.2}", "validation:", "validation: {fraction: 0.2}"),
        ("metrics=[accuracy]", "# loss\n", "# loss\nmetrics: [accuracy]\n"),
    ],
)
def test_only_the_value_changes(override, old, new):
    """Comments, order and layout of all else stay; a new key follows the last one of its mapping."""
    assert CONFIG.count(old) == 1
    assert with_overrides(CONFIG.encode(), (override,)).decode() == CONFIG.replace(old, new)


@pytest.mark.parametrize(
    "change", [lambda text: text.replace("\n", "\r\n"), str.rstrip, lambda text: f"---\n{text}..."]
)
def test_layouts_of_files(change):
    """Line ends of Windows, no newline at the end, and marks of a document."""
    overrides = ("layers[3]=softmax", "loss.scale=2", "data.noise=0.1")
    text = with_overrides(change(CONFIG).encode(), overrides).decode()
    assert text == change(with_overrides(CONFIG.encode(), overrides).decode())


def test_anchor_that_is_referred_to_is_expanded():
    """The other values keep what they were, and comments stay."""
    content = b"base: &base {type: dense, units: 8}  # a\nlayers: [*base, *base]\n"
    text = with_overrides(content, ("layers[0].units=4",))
    assert text == b"base: &base {type: dense, units: 8}  # a\nlayers: [{type: dense, units: 4}, *base]\n"
    text = with_overrides(content, ("base.units=4",))
    layers = b"[{type: dense, units: 8}, {type: dense, units: 8}]"
    assert text == b"base: &base {type: dense, units: 4}  # a\nlayers: " + layers + b"\n"


@pytest.mark.parametrize(
    ("override", "old", "new"),
    [
        ("layers[0].units=9", "units: &u 5  # five\n", "units: &u 9  # five\n"),
        ("layers[0]=relu", "type: dense\n    units: &u 5  # five\n", "relu  # five\n"),  # the anchor is gone
    ],
)
def test_comments_stay_when_an_anchor_is_overridden(override, old, new):
    """Aliases of an anchor that has changed or is gone become the value that they stand for."""
    text = "# head\nlayers:\n  - type: dense\n    units: &u 5  # five\n  - dense: *u  # same\nseed: 0  # seed\n"
    assert text.count(old) == 1
    expected = text.replace(old, new).replace("*u", "5")
    assert with_overrides(text.encode(), (override,)).decode() == expected


def test_each_alias_becomes_its_value():
    """Anchors stay, and an alias within an anchored value is replaced too."""
    text = "a: &x {b: 1}  # a\nc: &y [*x, *x]  # c\nd: *y  # d\n"
    resolved = without_aliases(read(SourceText("", text)).root)
    assert resolved == "a: &x {b: 1}  # a\nc: &y [{b: 1}, {b: 1}]  # c\nd: [{b: 1}, {b: 1}]  # d\n"


@pytest.mark.parametrize(
    ("override", "new"),
    [
        ("data.classes=4", "data: &data {type: spiral, classes: 4}  # a\n"),
        ("data={type: moons}", "data: &data {type: moons}  # a\n"),
        ("data=moons", "data: &data moons  # a\n"),
    ],
)
def test_anchor_stays_before_its_value(override, new):
    """The value after it is replaced or extended in place, so that comments stay."""
    content = b"data: &data {type: spiral}  # a\n"
    assert with_overrides(content, (override,)).decode() == new


WORDS = st.sampled_from(["a", "bc", "type", "units", "value_2"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab :#,{}[]'\"\n-&*é", max_size=6)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=8
)
TREES = st.dictionaries(WORDS, VALUES, min_size=1, max_size=4)


MARK = "⁂"  # in every comment, and in no value
COMMENTS = st.sampled_from(["", f"  # {MARK}", f" # a: '{MARK}'", f"   #{MARK}"])


@st.composite
def commented(draw, value, indent):
    """A value as YAML in a drawn layout, block or flow, with comments where they may stand."""
    if not isinstance(value, dict | list) or not value or draw(st.booleans()):
        return f" {inline(value)}{draw(COMMENTS)}\n"
    pad, text = " " * indent, f"{draw(COMMENTS)}\n"
    for key, each in value.items() if isinstance(value, dict) else (("-", each) for each in value):
        text += f"{pad}# {MARK}\n" * draw(st.booleans())
        text += pad + (key if key == "-" else f"{key}:") + draw(commented(each, indent + draw(st.integers(1, 3))))
    return text


@st.composite
def files(draw):
    """The text of a config, and the paths in it: of its values, and of a new child of each mapping and list."""
    tree = draw(TREES)
    text = "".join(f"{key}:{draw(commented(each, draw(st.integers(1, 4))))}" for key, each in tree.items())
    assert is_same(read(SourceText("", text)).root.plain(), tree)
    return text, dict(values_of(tree))


def inline(value):
    return to_yaml_value([value])[1:-1]


def values_of(value, path=""):
    """The value at each path; None at that of a new child."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        inner = f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}".removeprefix(".")
        yield inner, each
        if isinstance(each, dict | list):
            yield from values_of(each, inner)
    yield f"{path}[{len(value)}]" if isinstance(value, list) else f"{path}.new".removeprefix("."), None


def overridden(text, overrides):
    """The values of a text with overrides applied, and the text with these values in place."""
    root, document = read(SourceText("", text)).root, read(SourceText("", text))
    for path, value in overrides:
        apply(document, f"{path}={inline(value)}")
    after = document.root.plain()
    return after, replaced(root, root.plain(), after)


@pytest.mark.slow
@given(files(), st.data())
def test_overrides_read_back_as_the_same_values(file, data):
    """Whatever the layout, the values, and the overrides; the text is right without being written anew."""
    text, values = file
    changes = st.tuples(st.sampled_from(sorted(values)), VALUES)
    after, result = overridden(text, data.draw(st.lists(changes, min_size=1, max_size=3)))
    assert is_same(read(SourceText("", result)).root.plain(), after)


@pytest.mark.slow
@given(files(), SCALARS, st.data())
def test_comments_stay_if_scalars_are_replaced(file, value, data):
    """A new value of a scalar, or a new child, leaves every comment where it was: after the same lines."""
    text, values = file
    paths = [path for path, each in values.items() if not isinstance(each, dict | list)]
    result = overridden(text, [(data.draw(st.sampled_from(sorted(paths))), value)])[1]
    assert re.findall(rf"#[^#]*{MARK}.*", result) == re.findall(rf"#[^#]*{MARK}.*", text)
    assert len(result.splitlines()) - len(text.splitlines()) in {0, 1}
