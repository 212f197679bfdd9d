"""``nncli explain``: a training step or a component, as text and as JSON."""

import json
import re
from pathlib import Path
from textwrap import indent

import numpy as np
import pytest
import yaml

from nncli.analysis.component_computation import options_of
from nncli.analysis.explanation import explain
from nncli.cli.commands.explain import COMPUTED
from nncli.cli.render.component_reference import one_line
from nncli.cli.topics import topic_names, topics
from nncli.config.diagnostics import SourceText
from nncli.config.document import read
from nncli.config.validation import validate
from nncli.experiment.loading import load
from nncli.registry import components, kinds
from nncli.store.run_reader import Run
from tests.conftest import SPEC
from tests.examples import BINARY, NORMALIZED, SINE, WARM_COSINE

ALL = [entry for kind in kinds() for entry in components(kind)]
IDS = [f"{entry.kind}-{entry.name}" for entry in ALL]
ALIASES = sorted((entry.alias, entry.kind, entry.name) for entry in ALL if entry.alias)
BOOK = "layers[0].units=64"  # the book's network
ARRAY_ROW = re.compile(r" {6}[-+.\de…naif ]+")


def strict(text):
    """The JSON document in a text, without NaN and infinity."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def flowing(text):
    """The text with single spaces, however the terminal wraps it."""
    return " ".join(text.split())


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [(), SINE, BINARY, NORMALIZED, (WARM_COSINE,)])
def test_steps_are_printed(workdir, run_cli, overrides):
    """Every heading is printed in order, with its formulas and its arrays by name and shape below it."""
    result = run_cli("explain", "config.yaml", *overrides)
    assert (result.code, result.err) == (0, "")
    explanation = explain(Path("config.yaml"), overrides, 2)
    rest = result.out
    for step in explanation.steps:
        _, found, rest = rest.partition(f"\n{step.heading}\n")
        assert found, step.heading
        printed = rest.partition("\n\n")[0]
        assert all(" ".join(formula.split()) in flowing(printed) for formula in step.formulas)
        for name, array in step.arrays.items():
            assert f"  {name} (" in printed if array.ndim else f"  {name} = " in printed
    assert f"\nupdate: {explanation.updates[0].optimizer}\n" in rest
    assert [line.split()[0] for line in rest.splitlines()[-len(explanation.updates) :]] == [
        update.optimizer for update in explanation.updates
    ]


def test_formulas_are_printed_with_their_layers(workdir, run_cli):
    """The formulas of the small config, forward and backward, are printed with their layers."""
    out = run_cli("explain", "config.yaml").out
    for words in (
        "config.yaml: one training step on 2 of its 60 rows",
        "layer 0: dense, 2 → 8\n    Y = X W + b",
        "layer 1: relu, 8 → 8\n    Y = max(X, 0)",
        "layer 3: softmax, 3 → 3\n    P = exp(Z − max Z) / Σ exp(Z − max Z)",
        "loss: categorical_crossentropy\n    L = −log clip(Σ T P)",
        "loss and softmax fused, as in training\n    dL/dZ = (P − T) / N",
        "back through layer 0: dense, 2 → 8\n    dL/dW = Xᵀ dL/dY",
        "w ← w − η m̂ / (√v̂ + ε)",
    ):
        assert words in out


@pytest.mark.slow
@pytest.mark.parametrize("digits", [1, 3, 4, 9])
def test_digits_option(workdir, run_cli, digits):
    """Values are rounded to the given number of digits, by default four."""
    steps = explain(Path("config.yaml"), (), 2).steps
    (mean,) = [step.arrays["mean"] for step in steps if "mean" in step.arrays]
    out = run_cli("explain", "config.yaml", "--digits", digits).out
    assert f"\n  mean = {float(mean):.{digits}g}\n" in out
    if digits == 4:
        assert out == run_cli("explain", "config.yaml").out


def test_rows_option(workdir, run_cli):
    """The given number of rows passes through the network."""
    for rows in (1, 3, 20):
        out = run_cli("explain", "config.yaml", "--rows", rows).out
        assert f"one training step on {rows} of its 60 rows" in out
        assert f"  inputs ({rows}, 2)\n" in out


def test_wide_arrays_are_abbreviated(workdir, run_cli):
    """Of 64 units the first four and the last two are shown, of 3 outputs all; the shape follows the name."""
    out = run_cli("explain", "config.yaml", BOOK).out
    lines = out.splitlines()
    wide = lines[lines.index("  weights (2, 64)") + 1].split()
    assert (len(wide), wide[4]) == (7, "…")
    column = lines[lines.index("  weights (64, 3)") + 1 :][:7]
    assert [len(line.split()) for line in column] == [3, 3, 3, 3, 1, 3, 3]
    assert len(lines[lines.index("  outputs (2, 3)") + 1].split()) == 3


@pytest.mark.parametrize("overrides", [(BOOK,), (BOOK, "layers[0].initializer={type: normal, scale: 1e-12}")])
def test_output_fits_into_80_columns(workdir, run_cli, terminal_width, overrides):
    """With the book's network no row of an array is longer than 100 characters, and no line of the updates than 80."""
    terminal_width(80)
    out = run_cli("explain", "config.yaml", *overrides).out
    rows = [line for line in out.splitlines() if ARRAY_ROW.fullmatch(line)]
    assert len(rows) > 40
    assert max(map(len, rows)) <= 100
    assert max(map(len, out[out.index("first update of each optimizer") :].splitlines())) <= 80


@pytest.mark.slow
def test_updates_of_a_deep_network_are_in_a_pipe(workdir, run_cli, terminal_width):
    """In a terminal the arrays that have no column are named; the JSON document and a pipe have all of them."""
    deep = "layers=[" + "{type: dense, units: 4}, relu, " * 5 + "{type: dense, units: 3}, softmax]"
    assert re.search(r"rate( +layers\.\d+\.(weights|biases)){12}\n", run_cli("explain", "config.yaml", deep).out)
    terminal_width(80)
    text = " ".join(run_cli("explain", "config.yaml", deep).out.split())
    assert re.search(r"\+\d columns \(layers.* … layers\.10\. ?biases\): widen the terminal, or use --json$", text)
    document = strict(run_cli("explain", "config.yaml", deep, "--json").out)
    assert len(document["parameters"]) == len(document["gradients"]) == 12
    assert all(len(update["changes"]) == 12 for update in document["updates"])


@pytest.mark.parametrize("overrides", [(), (BOOK, "dtype=float64"), SINE, BINARY, NORMALIZED])
def test_json_has_all_digits(workdir, run_cli, overrides):
    """Every array is read back bit-identical from the JSON document, whatever --digits is."""
    result = run_cli("explain", "config.yaml", *overrides, "--rows", 9, "--digits", 1, "--json")
    document = strict(result.out)
    explanation = explain(Path("config.yaml"), overrides, 9)
    assert (result.code, result.err) == (0, "")
    assert (document["rows"], document["of"]) == (explanation.rows, explanation.of)
    for step, written in zip(explanation.steps, document["steps"], strict=True):
        assert (written["heading"], written["formulas"]) == (step.heading, step.formulas)
        assert list(written["arrays"]) == list(step.arrays)
        for name, array in step.arrays.items():
            np.testing.assert_array_equal(np.array(written["arrays"][name], array.dtype), array)
    assert document["parameters"] == explanation.parameters
    assert document["gradients"] == explanation.gradients
    assert [update["changes"] for update in document["updates"]] == [each.changes for each in explanation.updates]


def test_overrides_are_applied(workdir, run_cli):
    """The network of the config with its overrides is explained, and nothing is written."""
    out = run_cli("explain", "config.yaml", "layers[0].units=5", "optimizer={type: sgd, learning_rate: 0.25}").out
    assert "layer 0: dense, 2 → 5\n" in out
    assert "\nupdate: sgd\n" in out
    assert [path.name for path in workdir.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize("entry", ALL, ids=IDS)
def test_every_component_is_explained(workdir, run_cli, entry):
    """Name, kind, summary, formulas, every parameter with its meaning, source and an example are printed."""
    result = run_cli("explain", entry.name)
    assert (result.code, result.err) == (0, "")
    words = flowing(result.out)
    assert f"{entry.name} ({entry.kind}" in words
    assert (entry.alias or "") in words
    assert entry.documentation.summary in words
    assert f"Source: {entry.documentation.source}" in words
    assert all(" ".join(formula.split()) in words for formula in entry.documentation.formulas)
    for each in entry.parameters:
        assert f"\n  {each.name}  {one_line(each)}\n" in result.out
        assert each.meaning.replace("``", "") in words


@pytest.mark.parametrize("entry", ALL, ids=IDS)
def test_every_example_is_valid(run_cli, entry):
    """The printed example equals that of the JSON document, and is valid in the small config."""
    (known,) = [each for each in strict(run_cli("explain", entry.name, "--json").out) if each["kind"] == entry.kind]
    example = known["example"]
    assert indent(example, "    ") in run_cli("explain", entry.name).out
    assert entry.name in example
    section = example.partition(":")[0]
    others = {name: value for name, value in yaml.safe_load(SPEC).items() if name != section}
    sections, problems = validate(read(SourceText("pasted.yaml", yaml.safe_dump(others) + example + "\n")))
    assert [str(problem) for problem in problems] == []
    assert hasattr(sections, section)


@pytest.mark.parametrize(("alias", "kind", "name"), ALIASES)
def test_class_names_of_the_book_work(run_cli, alias, kind, name):
    """The class name of the book explains the component."""
    result = run_cli("explain", alias)
    assert result.code == 0
    assert result.out.startswith(f"{name}  ({kind}, in the book {alias})\n")


def test_name_of_two_kinds_explains_both(run_cli):
    """The mean absolute error is a loss and a metric: both are explained, each with its example."""
    out = run_cli("explain", "mean_absolute_error").out
    assert "mean_absolute_error  (loss" in out
    assert "mean_absolute_error  (metric" in out
    assert "    loss: mean_absolute_error" in out
    assert "    metrics:\n      - mean_absolute_error" in out
    assert [each["kind"] for each in strict(run_cli("explain", "mean_absolute_error", "--json").out)] == [
        "loss",
        "metric",
    ]


def test_component_in_json(run_cli):
    """The JSON document has the kind, names, parameters and text of a component."""
    (known,) = strict(run_cli("explain", "adam", "--json").out)
    assert (known["kind"], known["name"], known["alias"]) == ("optimizer", "adam", "Optimizer_Adam")
    assert [each["name"] for each in known["parameters"]] == ["learning_rate", "decay", "beta_1", "beta_2", "epsilon"]
    assert "m ← β₁ m + (1 − β₁) g" in known["text"]


def test_file_takes_precedence_over_a_component(workdir, run_cli):
    """A config with the name of a component is explained as a config."""
    (workdir / "adam").write_text(SPEC, encoding="utf-8")
    assert run_cli("explain", "adam").out.startswith("adam: one training step on 2 of its 60 rows, so that N = 2\n")
    assert run_cli("explain", "sgd").out.startswith("sgd  (optimizer")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["adm"], 2, "'adm' is neither a file, a run, a component nor a topic; did you mean 'adam'?"),
        (["adm "], 2, "did you mean 'adam'?"),
        (["qqqqqqq"], 2, "'nncli components' lists the components, 'nncli runs' the runs"),
        (["x.yaml"], 2, "x.yaml: no such file"),
        (["adam.yaml"], 2, "adam.yaml: no such file"),
        (["."], 2, ".: is a directory"),
        (["folder"], 2, "folder: is a directory"),
        (["momentm"], 2, "did you mean 'momentum'?"),
        (["qqqqqqq"], 2, "; topics: activation, backpropagation, batch, "),
        (["adam", "learning_rate=1"], 2, "adam is a component; its parameters are for a computation with --params, "),
        (["he", "scale=1"], 2, "he is a component; it takes no parameters here"),
        (["momentum", "seed=1"], 2, "momentum is a topic; write a config before seed=1"),
        (["momentum", "confg.yaml"], 2, "confg.yaml: no such file; did you mean 'config.yaml'?"),
        (["momentum", "--rows", "3"], 2, "the topic momentum takes no values, not --rows"),
        (["config.yaml", "--steps", "3"], 2, "a config or a run takes --rows, --layer, --epoch, not --steps"),
        (["config.yaml", "--inputs", "[1]"], 2, "a config or a run takes --rows, --layer, --epoch, not --inputs"),
        (["dense", "--layer", "1"], 2, "dense takes --inputs, --weights, --biases, --grad, --seed, not --layer"),
        (
            ["config.yaml", "--layer", "4"],
            2,
            "--layer: no layer '4'; write a number: 0 (dense), 1 (relu), 2 (dense), 3",
        ),
        (
            ["config.yaml", "--epoch", "3"],
            2,
            "is a config, whose first step is explained; --epoch is for the steps of a",
        ),
        (["config.yaml", "--layer", "dense"], 2, "--layer: dense is more than one layer; write a number: 0 (dense), 2"),
        (["config.yaml", "adam"], 2, "invalid override 'adam'"),
        (["config.yaml", "--rows", "0"], 2, "expected an integer from 1 to 20, got '0'"),
        (["config.yaml", "--rows", "x"], 2, "expected an integer from 1 to 20, got 'x'"),
        (["config.yaml", "--digits", "0"], 2, "expected an integer from 1 to 17, got '0'"),
        (["config.yaml", "--digits", "18"], 2, "expected an integer from 1 to 17, got '18'"),
        (["config.yaml", "layers[0].units=0"], 3, "layers[0].units: must be at least 1, got 0"),
        (["empty.yaml"], 3, "empty.yaml:1:1: empty"),
    ],
)
def test_wrong_requests(workdir, run_cli, arguments, code, message):
    """Each has its exit code and a message that says what would be right; standard output is empty."""
    (workdir / "folder").mkdir()
    (workdir / "empty.yaml").touch()
    result = run_cli("explain", *arguments)
    assert (result.code, result.out) == (code, "")
    assert message in result.err


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param(("layers=[{type: dense, units: 3}, softmax]",), id="one layer"),
        pytest.param(("data={type: sine, samples: 1}", *SINE[1:]), id="one row"),
        pytest.param(("layers=[{type: dense, units: 3}]", "loss=mean_squared_error"), id="squares on classes"),
        pytest.param((*BINARY, "layers=[{type: dense, units: 1}, sigmoid]"), id="one output"),
        pytest.param(("layers[2].initializer={type: normal, scale: 0}",), id="zeros in the last layer"),
        pytest.param(("layers[0].initializer={type: normal, scale: 1e-40}",), id="tiny numbers"),
        pytest.param(("optimizer={type: sgd, learning_rate: 1e300}", "dtype=float64"), id="huge learning rate"),
        pytest.param(("layers[0].units=20000",), id="wide"),
        pytest.param(("layers=[" + "{type: dense, units: 3}, tanh, " * 40 + "softmax]",), id="deep"),
        pytest.param(
            ("layers=[{type: dropout, rate: 0.99}, {type: dense, units: 3}, softmax]",), id="almost all dropped"
        ),
        pytest.param(("rng=nnfs", "seed=4294967295", "training.batch_size=1"), id="book rng"),
        pytest.param((BOOK, "regularization={l1: 1e30, l2: 1e30, bias_l1: 1e30, bias_l2: 1e30}"), id="large penalties"),
    ],
)
def test_unusual_configs_are_explained(workdir, run_cli, overrides):
    """The step of every valid config is printed with finite values, and standard error is empty."""
    assert load(Path("config.yaml"), overrides)
    result = run_cli("explain", "config.yaml", *overrides, "--rows", 20)
    assert (result.code, result.err) == (0, "")
    assert not re.search(r"\b(nan|inf)\b", result.out)
    assert "\nupdate: " in result.out
    strict(run_cli("explain", "config.yaml", *overrides, "--json").out)


@pytest.fixture
def trained(workdir, run_cli):
    """A finished run ``a`` of the small config."""
    assert run_cli("train", "config.yaml", "-q", "--name", "a").code == 0
    return workdir / "runs" / "a"


def test_run_is_explained_with_its_trained_weights(trained, run_cli):
    """The parameters are those of weights.npz, and the text says of which epoch they are."""
    document = strict(run_cli("explain", "a", "--json").out)
    with np.load(trained / "weights.npz") as weights:
        for name, value in document["parameters"].items():
            assert value == weights[name].flat[0]
    assert document["epoch"] == 30
    out = flowing(run_cli("explain", "a").out)
    assert out.startswith("a: one training step with the weights of epoch 30 on 2 of its 60 rows")
    assert "first update of each optimizer, from these weights and without earlier updates" in out


def test_run_is_explained_with_the_weights_of_a_snapshot(trained, run_cli):
    """An epoch without a snapshot is rejected with the nearest ones."""
    run = Run(trained)
    for epoch in run.snapshots:
        document = strict(run_cli("explain", "a", "--epoch", str(epoch), "--json").out)
        assert document["epoch"] == epoch
        for name, value in document["parameters"].items():
            assert value == run.snapshots[epoch][name].flat[0]
    result = run_cli("explain", "a", "--epoch", "31")
    assert (result.code, result.out) == (2, "")
    assert "has no weights of epoch 31; the nearest are those of" in result.err


@pytest.mark.parametrize("name", ["adam", "momentum"])
def test_run_with_the_name_of_a_component_or_topic_is_mentioned(workdir, run_cli, name):
    """The name is that of the component or topic, unless an option or a path says that the run is meant."""
    alone = run_cli("explain", name)
    assert run_cli("train", "config.yaml", "-q", "--name", name).code == 0
    mentioned = run_cli("explain", name)
    assert (alone.err, mentioned.out) == ("", alone.out)
    assert mentioned.err == f"{name} is also a run: 'nncli explain runs/{name}' explains it\n"
    for arguments in ([name, "--layer", "0"], [name, "--rows", "3"], [f"runs/{name}"]):
        result = run_cli("explain", *arguments)
        assert (result.code, result.err) == (0, "")
        assert "one training step with the weights of epoch 30" in result.out


def test_run_wins_over_another_word_for_a_topic(workdir, run_cli):
    """l2 stands for regularization until there is a run of this name."""
    assert run_cli("explain", "l2").out.startswith("Regularization\n")
    assert run_cli("train", "config.yaml", "-q", "--name", "l2").code == 0
    assert run_cli("explain", "l2").out.startswith("l2: one training step with the weights of epoch 30")


def test_config_in_a_run_is_explained_with_initial_weights(trained, run_cli):
    """So is every config: the step is the first one."""
    initial = strict(run_cli("explain", trained / "config.yaml", "--json").out)
    assert initial == strict(run_cli("explain", "config.yaml", "--json").out)
    assert initial["epoch"] == 0


def test_unfinished_run_is_explained_with_its_newest_checkpoint(trained, run_cli):
    """As evaluate does; without a checkpoint there are no weights."""
    (trained / "evaluation.json").unlink()
    (trained / "weights.npz").unlink()
    assert strict(run_cli("explain", "a", "--json").out)["epoch"] == 30
    for checkpoint in (trained / "checkpoints").iterdir():
        checkpoint.unlink()
    result = run_cli("explain", "a")
    assert (result.code, result.out) == (4, "")


def test_overrides_of_a_run_have_to_keep_its_network(trained, run_cli):
    """Another optimizer or other data has the same weights; other layers do not fit, and the message says what does."""
    weights = strict(run_cli("explain", "a", "--json").out)["parameters"]
    changed = run_cli("explain", "a", "optimizer=sgd", "data.samples=5", "--json")
    assert strict(changed.out)["parameters"] == weights
    result = run_cli("explain", "a", "layers[0].units=5")
    assert result.code == 2
    assert "'nncli explain runs/a/config.yaml' and the overrides show the first step" in flowing(result.err)


def test_columns_of_a_table_are_shown_by_their_types(workdir, run_cli):
    """In the settings of the data, as text and as JSON, also of a run on the table."""
    (workdir / "table.csv").write_text("size,color,name\n3,red,a\n1,blue,b\n2,red,a\n4,blue,b\n", encoding="utf-8")
    table = ("data={type: table, path: table.csv, target: name}", "validation=null", "layers[2].units=2")
    columns = {"size": "number", "color": "category", "name": "category"}
    assert run_cli("train", "config.yaml", *table, "-q", "--name", "own").code == 0
    for subject in (("config.yaml", *table), ("own",)):
        document = strict(run_cli("explain", *subject, "--json").out)
        assert document["steps"][0]["settings"]["columns"] == columns
        assert "columns = {size: number, color: category, name: category}" in flowing(run_cli("explain", *subject).out)


def test_run_whose_data_has_changed_is_rejected(workdir, run_cli):
    """Other rows would be explained than those that the network was trained on."""
    np.save("x.npy", np.arange(40.0).reshape(20, 2) % 7)
    np.save("y.npy", np.arange(20) % 3)
    arrays = ("data={type: arrays, path: x.npy, targets: y.npy}", "validation=null", "training.epochs=2")
    assert run_cli("train", "config.yaml", *arrays, "-q", "--name", "own").code == 0
    assert run_cli("explain", "own").code == 0
    np.save("x.npy", np.arange(40.0).reshape(20, 2) % 5)
    result = run_cli("explain", "own")
    assert (result.code, result.out) == (4, "")
    assert "differs from what the run was trained on" in result.err


@pytest.mark.parametrize(("layer", "index"), [("0", 0), ("1", 1), ("softmax", 3)])
def test_one_layer_is_explained(workdir, run_cli, layer, index):
    """Its steps forward and backward, each with what enters it, and the updates of its parameters."""
    whole = explain(Path("config.yaml"), (), 2)
    document = strict(run_cli("explain", "config.yaml", "--layer", layer, "--json").out)
    steps = [step for step in whole.steps if step.layer == index]
    assert [step["heading"] for step in document["steps"]] == [step.heading for step in steps]
    forward, backward = document["steps"][:2]
    assert next(iter(forward["arrays"])) == "inputs"
    assert next(iter(backward["arrays"])) == "dL/d outputs"
    assert np.shape(forward["arrays"]["inputs"])[0] == 2
    assert np.shape(backward["arrays"]["dL/d outputs"]) == np.shape(forward["arrays"]["outputs"])
    assert list(document["parameters"]) == [name for name in whole.parameters if f".{index}." in name]
    out = run_cli("explain", "config.yaml", "--layer", layer).out
    assert ("\nupdate: adam\n" in out) == bool(document["parameters"])


def test_layer_gets_what_the_others_give(workdir, run_cli):
    """The inputs of layer 2 are the outputs of layer 1, and its gradient is what layer 3 or the fused loss passes."""
    steps = {step.heading.partition(",")[0]: step.arrays for step in explain(Path("config.yaml"), (), 2).steps}
    forward, backward = strict(run_cli("explain", "config.yaml", "--layer", "2", "--json").out)["steps"]
    np.testing.assert_array_equal(forward["arrays"]["inputs"], steps["layer 1: relu"]["outputs"])
    fused = steps["loss and softmax fused"]["dL/d inputs"]
    np.testing.assert_array_equal(backward["arrays"]["dL/d outputs"], fused)


def test_topics_are_listed(run_cli):
    """Without a subject each topic is listed with its summary, and where components are found."""
    result = run_cli("explain")
    assert (result.code, result.err) == (0, "")
    for topic in topics():
        assert f"\n{topic.name} " in f"\n{result.out}"
        assert topic.summary in flowing(result.out)
    assert [each["name"] for each in strict(run_cli("explain", "--json").out)] == topic_names()


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: topic.name)
def test_page_of_a_topic_is_printed(workdir, run_cli, topic):
    """Summary, text, keys and commands; with a config also its numbers."""
    alone, inside = run_cli("explain", topic.name), run_cli("explain", topic.name, "config.yaml")
    assert (alone.code, alone.err, inside.code, inside.err) == (0, "", 0, "")
    for out in map(flowing, (alone.out, inside.out)):
        assert out.startswith(f"{topic.title} {topic.summary}")
        assert flowing(topic.text) in out
        assert f"Keys: {', '.join(topic.keys)}" in out
        assert all(f"Try: {command}" in out for command in topic.commands)
    assert "In config.yaml:" not in alone.out
    assert "In config.yaml:" in inside.out
    (document,) = strict(run_cli("explain", topic.name, "config.yaml", "--json").out)
    assert document["numbers"]


def test_topic_of_a_run_has_its_numbers(trained, run_cli):
    """A run stands for its config; overrides follow."""
    (document,) = strict(run_cli("explain", "batch", "a", "training.batch_size=7", "--json").out)
    assert document["numbers"] == {
        "training.batch_size": 7,
        "training rows": 60,
        "rows of a batch": 7,
        "updates per epoch": 9,
        "updates in all": 270,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dense", "--inputs", "[1]"], "dense needs --weights: a list with a row for each input"),
        (["dense", "--weights", "[1]"], "dense needs --inputs: a list of rows, or the numbers of one row"),
        (["dropout", "--inputs", "[1]"], "dropout needs rate=VALUE: q, fraction of units dropped"),
        (
            ["dense", "--inputs", "[1, 2, 3]", "--weights", "[[1, 2, 3], [4, 5, 6]]"],
            "write it transposed: --weights '[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]'",
        ),
        (
            ["dense", "--inputs", "[1, 2]", "--weights", "[[1, 2, 3]]"],
            "--weights: has the shape (1, 3), expected (2, 3)",
        ),
        (
            ["dense", "--inputs", "[1]", "--weights", "[1]", "--biases", "[1, 2]"],
            "--biases: has the shape (2,), expected",
        ),
        (
            ["relu", "--inputs", "[1, 2]", "--grad", "[1]"],
            "--grad: has the shape (1,), expected (1, 2): one number for",
        ),
        (["relu", "--inputs", "[1, x]"], "--inputs: expected numbers, such as '[1, 2.5]', got 'x'"),
        (["relu", "--inputs", "[1, true]"], "got true"),
        (["relu", "--inputs", "{a: 1}"], "--inputs: expected numbers"),
        (["relu", "--inputs", "[1, null]"], "got null"),
        (["relu", "--inputs", "null"], "got null"),
        (["relu", "--inputs", f"[1{'0' * 400}]"], "--inputs: expected numbers"),
        (["relu", "--inputs", "[1"], "--inputs:1:"),
        (["relu", "--inputs", ""], "--inputs:1:1: empty"),
        (["relu", "--inputs", "[]"], "--inputs: expected finite numbers, got []"),
        (["relu", "--inputs", "[.inf]"], "--inputs"),
        (["relu", "--inputs", "[[[1]]]"], "--inputs: has the shape (1, 1, 1); expected a list of rows"),
        (["relu", "--inputs", "[[1], [2, 3]]"], "--inputs: rows differ in length"),
        (["relu", "--outputs", "[1]"], "relu takes --inputs, --grad, not --outputs"),
        (["batch_normalization", "--inputs", "[1]"], "batch_normalization needs 2 rows in training; add --inference"),
        (["mean_squared_error", "--outputs", "[1]"], "mean_squared_error needs --targets"),
        (["mean_squared_error", "--outputs", "[1]", "--targets", "[1, 2]"], "--targets: has the shape (2,), expected"),
        (["categorical_crossentropy", "--outputs", "[0.5, 0.5]", "--targets", "[2]"], "--targets: 2 is no class"),
        (["categorical_crossentropy", "--outputs", "[0.5, 0.5]", "--targets", "[0.5]"], "--targets: 0.5 is no class"),
        (
            ["f1", "--outputs", "[0.1, 0.9]", "--targets", "[1]"],
            "--outputs: f1 needs one for each row, the probability",
        ),
        (["adam", "--grad", "[1]"], "adam needs --params: the parameters before the update"),
        (
            ["adam", "--params", "[1]", "--grad", "[1, 2]"],
            "--grad: has the shape (2,), expected (1,): a number for each",
        ),
        (
            ["elu", "alpha=1e300", "--inputs", "[-1]", "--grad", "[1e300]"],
            "a value is not finite; write smaller numbers",
        ),
        (["regularization", "--weights", "[1]"], "regularization needs a strength: l1=0.01"),
        (["he", "--inputs", "[1]"], "he takes no values, not --inputs"),
        (["sgd", "--params", "[1]", "--grad", "[1]", "momentum"], "invalid override 'momentum': expected KEY=VALUE"),
    ],
)
def test_wrong_values_have_a_message_with_the_fix(run_cli, arguments, message):
    """It names the option, the value or shape, and what is expected."""
    result = run_cli("explain", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("lerning_rate=0.1", "unknown key 'lerning_rate'; did you mean 'optimizer.learning_rate=0.1'?"),
        ("learning_rate=-1", "optimizer.learning_rate: must be greater than 0, got -1"),
    ],
)
def test_wrong_parameter_has_the_message_of_a_config(run_cli, override, message):
    """With its exit code."""
    result = run_cli("explain", "adam", override, "--params", "[1]", "--grad", "[1]")
    assert (result.code, result.out) == (3, "")
    assert message in result.err


def test_every_value_of_a_component_has_an_option(run_cli):
    """A new layer with another parameter needs a new option."""
    assert {name for entry in ALL for name in options_of(entry)} == set(COMPUTED)


def test_computation_is_printed_as_a_worked_example(run_cli):
    """With formula, settings and arrays, rounded to the given digits; the loss and the metric of one name follow."""
    out = run_cli("explain", "mean_absolute_error", "--outputs", "[1, 2.123456]", "--targets", "[1, 1]").out
    assert out.startswith("loss: mean_absolute_error\n    L = (1/M) Σ |P − T|               P, T (N, M)\n")
    assert "\n  mean = 0.5617\n" in out
    assert "\nmetric: mean_absolute_error\n" in out
    short = run_cli(
        "explain", "mean_absolute_error", "--outputs", "[1, 2.123456]", "--targets", "[1, 1]", "--digits", 2
    )
    assert "\n  mean = 0.56\n" in short.out
    out = run_cli("explain", "adam", "learning_rate=0.5", "--params", "2", "--grad", "1", "--steps", "2").out
    assert "    η = 0.5, β₁ = 0.9, β₂ = 0.999, ε = 1e-07\n" in out
    assert out.count("w ← w − η m̂ / (√v̂ + ε)") == 1
    assert re.findall(r"  params after = (\S+)\n", out) == ["1.5", "1"]
