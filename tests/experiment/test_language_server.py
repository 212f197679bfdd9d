"""What an editor shows with the schema: yaml-language-server, headless, at many positions of a config.

Skipped without the server; tests/experiment/language_server.py says how it is found.
"""

import pytest

from nncli.cli.commands.init import SCHEMA as FILE
from nncli.config.model import Config, EarlyStoppingConfig, Regularization, Seeds, TrainingConfig
from nncli.experiment.metric_columns import monitored_columns
from nncli.registry import components, kinds
from tests.experiment.language_server import COMMAND, LanguageServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(COMMAND is None, reason="yaml-language-server is not installed"),
]

HEADER = f"# yaml-language-server: $schema={FILE.as_uri()}\n"
TABLE = "data:\n  type: table\n  columns:\n"
PLACES = {  # by kind, where a component is: the value of which key
    "clipping": "clipping:",
    "column": f"{TABLE}    x:",
    "dataset": "data:",
    "encoding": f"{TABLE}    x:\n      type: category\n      encoding:",
    "imputation": f"{TABLE}    x:\n      type: number\n      missing:",
    "initializer": "layers:\n  - type: dense\n    initializer:",
    "layer": "layers:\n  -",
    "loss": "loss:",
    "metric": "metrics:\n  -",
    "optimizer": "optimizer:",
    "schedule": "schedule:",
    "transform": f"{TABLE}    x:\n      type: number\n      transform:",
}
ALL = [entry for kind in kinds() for entry in components(kind)]
IDS = [f"{entry.kind}-{entry.name}" for entry in ALL]
OPTIONAL = {"schedule", "clipping", "initializer", "encoding", "imputation", "transform"}
PART = {"fraction", "folds", "fold", "group", "last", "where", "path"}
RIGHT = """\
data: spiral
layers: [{type: dense, units: 3}, softmax]
loss: categorical_crossentropy
optimizer: adam
training: {epochs: 9}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server for all tests."""
    running = LanguageServer(tmp_path_factory.mktemp("editor"))
    yield running
    running.close()


def offered(server, text):
    """The labels at the cursor."""
    return set(server.completions(HEADER + text))


def below(kind):
    """The lines at which the keys of a component of a kind begin, and the indentation of these keys."""
    place = PLACES[kind]
    if place.endswith("-"):
        return f"{place} ", "    "
    indentation = " " * (place.rpartition("\n")[2].index(place.rpartition("\n")[2].lstrip()) + 2)
    return f"{place}\n{indentation}", indentation


def without_required(entry):
    """Whether the name alone is a component."""
    return all(each.default is not ... for each in entry.parameters)


@pytest.mark.parametrize("kind", kinds())
def test_names_are_offered_as_value(server, kind):
    """Just those that need no keys, and null for a section that may be left out."""
    expected = {entry.name for entry in components(kind) if without_required(entry)}
    found = offered(server, f"{PLACES[kind]} |")
    assert found - {"type"} == expected | ({"null"} if kind in OPTIONAL else set())


@pytest.mark.parametrize("kind", kinds())
def test_type_is_offered_as_key(server, kind):
    """The only key of a mapping that has none."""
    start, _ = below(kind)
    assert offered(server, f"{start}t|") - {entry.name for entry in components(kind)} == {"type"}


@pytest.mark.parametrize("kind", kinds())
def test_types_are_offered(server, kind):
    """Every component of the kind, each with its definition; no class name of the book."""
    start, _ = below(kind)
    found = server.completions(f"{HEADER}{start}type: |")
    assert {label: text for label, (_, text) in found.items()} == {
        each.name: each.documentation.summary for each in components(kind)
    }


@pytest.mark.parametrize("entry", ALL, ids=IDS)
def test_keys_are_those_of_the_type(server, entry):
    """After adam not those of adamw too; each with its meaning, and its default as the value to insert."""
    start, indentation = below(entry.kind)
    keys = server.completions(f"{HEADER}{start}type: {entry.name}\n{indentation}|")
    assert set(keys) == {each.name for each in entry.parameters}
    for parameter in entry.parameters:
        inserted, description = keys[parameter.name]
        assert description  # the values of a key with named values are described at the values
        assert parameter.meaning.replace("``", "`").startswith(description)
        if isinstance(parameter.default, int | float) and not isinstance(parameter.default, bool):
            default = inserted.removeprefix(f"{parameter.name}: ${{1:").removesuffix("}")
            assert float(default) == parameter.default


@pytest.mark.parametrize("entry", [entry for entry in ALL if entry.alias], ids=lambda entry: entry.alias)
def test_keys_after_a_class_name_of_the_book(server, entry):
    """Those of the component."""
    start, indentation = below(entry.kind)
    found = offered(server, f"{start}type: {entry.alias}\n{indentation}|")
    assert found == {each.name for each in entry.parameters}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("|", set(Config.model_fields)),
        ("seed: 0\nop|", set(Config.model_fields) - {"seed"}),
        ("optimizer: {type: adam, l|}", {"learning_rate", "decay", "beta_1", "beta_2", "epsilon"}),
        ("optimizer: {type: adam, beta_1: 0.8, l|}", {"learning_rate", "decay", "beta_2", "epsilon"}),
        ("layers: [relu, {type: dropout, r|}]", {"rate"}),
        ("validation: |", {"0.2", "null"} | {each.name for each in components("dataset") if without_required(each)}),
        ("metrics: |", {"null"} | {each.name for each in components("metric")}),
        ("layers: [{type: Dropout, r|}]", {"rate"}),
        ("validation:\n  |", {"type", *PART}),
        ("test: {f|}", {"type", *PART}),
        ("validation:\n  type: sine\n  |", {"samples"}),
        ("validation:\n  fraction: 0.2\n  |", {"group", "last"}),
        ("validation:\n  folds: 5\n  |", {"fold", "group"}),
        ("validation: {folds: |}", {"5"}),
        ("seeds:\n  |", set(Seeds.model_fields)),
        ("schedule:\n  type: warmup\n  then:\n    |", {"type"}),
        ("schedule:\n  type: warmup\n  then:\n    type: step\n    |", {"every", "gamma"}),
        ("schedule: {type: warmup, then: |}", {"exponential", "cosine", "null"}),
        ("regularization:\n  |", set(Regularization.model_fields)),
        ("training:\n  |", set(TrainingConfig.model_fields)),
        ("training:\n  epochs: 9\n  |", set(TrainingConfig.model_fields) - {"epochs"}),
        ("training:\n  early_stopping:\n    |", set(EarlyStoppingConfig.model_fields)),
        ("training: {early_stopping: {metric: |}}", {each.header for each in monitored_columns()}),
        ("training: {threads: |}", {"1"}),
        ("training: {checkpoint_seconds: |}", {"10"}),
        ("optimizer: {type: adam, epsilon: |}", {"1e-7"}),
        ("layers: [{type: dense, units: |}]", {"64"}),
        ("layers: [{type: gelu, approximate: |}]", {"none", "tanh"}),
        ("layers: [{type: dense, initializer: |}]", {"normal", "he", "glorot", "null"}),
        ("layers: [|]", {each.name for each in components("layer") if without_required(each)}),
        ("metrics: [accuracy, |]", {each.name for each in components("metric")}),
        ("dtype: |", {"float32", "float64"}),
        ("rng: |", {"derived", "nnfs"}),
        ("split_method: |", {"independent", "consecutive", "null"}),
    ],
)
def test_completion(server, text, expected):
    """Just what can be written there."""
    assert offered(server, text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("se|ed: 0", "random seed"),
        ("rng: nn|fs", "one legacy generator for everything"),
        ("opti|mizer: adam", "the optimizer"),
        ("optimizer: ad|am", "Adam: exponential moving averages"),
        ("optimizer: {ty|pe: sgd}", "name of the optimizer"),
        ("optimizer: {type: adam, beta|_1: 0.8}", "β₁, decay rate of the average of gradients"),
        ("optimizer: {type: Optimizer_Adam, beta|_1: 0.8}", "β₁, decay rate of the average of gradients"),
        ("vali|dation: {fraction: 0.2}", "monitored during training"),
        ("validation: {fra|ction: 0.2}", "the fraction of the rows"),
        ("validation: {type: sine, sam|ples: 9}", "the number of points"),
        ("lay|ers: [relu]", "from the input to the output"),
        ("layers: [re|lu]", "Rectified linear unit"),
        ("layers: [{type: dense, un|its: 3}]", "number of units"),
        ("layers: [{type: dense, units: 3, initial|izer: he}]", "distribution of the initial weights"),
        ("metrics: [f|1]", "harmonic mean"),
        ("training: {epo|chs: 9}", "passes over the training set"),
        ("training: {early_stopping: {met|ric: validation_loss}}", "loss without penalties; on the validation set"),
    ],
)
def test_hover(server, text, words):
    """The meaning of the word."""
    assert words in server.hover(HEADER + text).replace("\\", "")


@pytest.mark.parametrize(
    ("old", "new", "word", "message"),
    [
        ("adam", "adm", "adm", '"adam", "adamw"'),
        ("adam", "{type: adm}", "adm", '"adam", "adamw"'),
        ("adam", "{type: adam, lr: 1}", "lr", "Property lr is not allowed."),
        ("adam", "{type: adam, weight_decay: 1}", "weight_decay", "Property weight_decay is not allowed."),
        ("adam", "{type: Optimizer_Adam, beta_1: 1}", "1}", "Value is above the exclusive maximum of 1."),
        ("adam", "{type: adam, learning_rate: 0}", "0}", "Value is below the exclusive minimum of 0."),
        ("adam", "{type: adam, learning_rate: fast}", "fast", 'Expected "number".'),
        ("adam", "{learning_rate: 1}", "optimizer", 'Missing property "type".'),
        ("adam", "[adam]", "[adam", '"adam", "adamw"'),
        ("adam", "null", "null", '"adam", "adamw"'),
        ("units: 3", "unit: 3", "{type: dense", 'Missing property "units".'),
        ("units: 3", "unit: 3", "unit:", "Property unit is not allowed."),
        ("units: 3", "units: three", "three", 'Expected "integer".'),
        ("units: 3", "units: 0", "0}", "Value is below the minimum of 1."),
        ("{type: dense, units: 3}", "dense", "dense", "Valid values: "),
        ("{type: dense, units: 3}", "{type: dropout, rate: 1}", "1}", "exclusive maximum of 1"),
        ("[{type: dense, units: 3}, softmax]", "[]", "[]", "too few items"),
        ("categorical_crossentropy", "cross_entropy", "cross_entropy", '"categorical_crossentropy"'),
        ("epochs: 9", "epoch: 9", "training", 'Missing property "epochs".'),
        ("epochs: 9", "epochs: 9, batch_size: 0", "0}", "Value is below the minimum of 1."),
        ("epochs: 9", "epochs: 9, early_stopping: {metric: val_loss}", "val_loss", '"validation_loss"'),
        ("data: spiral", "dtat: spiral", "dtat", "Property dtat is not allowed."),
        ("data: spiral", "data: spiral\nvalidation: {fraction: 2}", "2}", "Value is above the exclusive maximum of 1."),
        ("data: spiral", "data: spiral\nvalidation: spirl", "spirl", '"spiral", "vertical"'),
        ("{type: dense, units: 3}", "{dense: three}", "three", 'Expected "integer".'),
        ("{type: dense, units: 3}", "{dens: 3}", "{dens", 'Missing property "type".'),
        ("units: 3", "units: 3, n_neurons: 3", "units: 3", "Property units is not allowed."),
        ("data: spiral", "data: spiral\nmetrics: [acc]", "acc]", '"accuracy", "precision"'),
        ("data: spiral", "data: spiral\nseed: -1", "-1", "Value is below the minimum of 0."),
        ("data: spiral", "data: spiral\ndtype: float16", "float16", '"float32", "float64"'),
        ("data: spiral", "data: spiral\nschedule: {type: warmup, updates: 3, then: cosin}", "cosin", '"cosine"'),
    ],
)
def test_diagnostics(server, old, new, word, message):
    """What is wrong is marked at its place."""
    text = HEADER + RIGHT.replace(old, new)
    before = text[: text.index(word, len(HEADER))]
    place = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = server.diagnostics(text)
    assert [each for each in found if each[:2] == place and message in each[2]], found


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        RIGHT.replace("adam", "{type: Optimizer_Adam}"),
        RIGHT.replace("9", "1e3"),
        RIGHT.replace("type: dense, units", "Dense"),
    ],
)
def test_right_config_has_no_diagnostics(server, text):
    """No false alarm."""
    assert server.diagnostics(HEADER + text) == []


def test_schema_is_found_at_a_path_with_a_space(server, tmp_path):
    """As a URL; a copy beside the config is found by its name."""
    directory = tmp_path / "my env"
    directory.mkdir()
    (directory / "schema.json").write_bytes(FILE.read_bytes())
    header = f"# yaml-language-server: $schema={(directory / 'schema.json').as_uri()}\n"
    assert "optimizer" in server.completions(f"{header}o|")
    (server.directory / "nncli.schema.json").write_bytes(FILE.read_bytes())
    assert "optimizer" in server.completions("# yaml-language-server: $schema=nncli.schema.json\no|")
