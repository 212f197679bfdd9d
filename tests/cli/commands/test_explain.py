"""``nncli explain``: a training step or a component, as text and as JSON."""

import json
import re
from pathlib import Path
from textwrap import indent

import numpy as np
import pytest
import yaml

from nncli.analysis.explanation import explain
from nncli.cli.render.component_reference import one_line
from nncli.config.diagnostics import SourceText
from nncli.config.document import read
from nncli.config.validation import validate
from nncli.experiment.loading import load
from nncli.registry import components, kinds
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
def test_every_component_is_explained(run_cli, entry):
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
    ("arguments", "code", "said"),
    [
        (["adm"], 2, "'adm' is neither a file, a run nor a component; did you mean 'adam'?"),
        (["adm "], 2, "did you mean 'adam'?"),
        (["qqqqqqq"], 2, "'nncli components' lists the components, 'nncli runs' the runs"),
        (["x.yaml"], 2, "x.yaml: no such file"),
        (["adam.yaml"], 2, "adam.yaml: no such file"),
        (["."], 2, ".: is a directory"),
        (["folder"], 2, "folder: is a directory"),
        (["adam", "optimizer.learning_rate=1"], 2, "adam is a component; overrides are for configs"),
        (["config.yaml", "adam"], 2, "invalid override 'adam'"),
        (["config.yaml", "--rows", "0"], 2, "expected an integer from 1 to 20, got '0'"),
        (["config.yaml", "--rows", "x"], 2, "expected an integer from 1 to 20, got 'x'"),
        (["config.yaml", "--digits", "0"], 2, "expected an integer from 1 to 17, got '0'"),
        (["config.yaml", "--digits", "18"], 2, "expected an integer from 1 to 17, got '18'"),
        ([], 2, "SUBJECT"),
        (["config.yaml", "layers[0].units=0"], 3, "layers[0].units: must be at least 1, got 0"),
        (["empty.yaml"], 3, "empty.yaml:1:1: empty"),
    ],
)
def test_wrong_requests(workdir, run_cli, arguments, code, said):
    """Each has its exit code and a message that says what would be right; standard output is empty."""
    (workdir / "folder").mkdir()
    (workdir / "empty.yaml").touch()
    result = run_cli("explain", *arguments)
    assert (result.code, result.out) == (code, "")
    assert said in result.err


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
