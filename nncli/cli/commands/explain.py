"""``nncli explain``: a training step as a worked example, a component with its numbers, or the page of a topic."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from nncli.cli.docstrings import require_docstrings
from nncli.cli.options import (
    Integer,
    completed_by,
    component_names,
    components_named,
    examples,
    json_option,
    overrides_argument_completed_by,
    runs_dir_option,
)
from nncli.cli.output import print_json
from nncli.cli.paths import RUNS

if TYPE_CHECKING:
    from nncli.analysis.component_computation import Request
    from nncli.cli.topics import Topic
    from nncli.registry import Component

VALUES = {  # the input values of components, each with the help of its option
    "inputs": "Input rows of a layer: '[[1, 2], [3, 4]]', or one row '[1, 2]'.",
    "weights": "Weights of a layer: a row for each input, a column for each unit.",
    "biases": "Biases of a layer, 0 by default.",
    "scale": "Scale of batch normalization, 1 by default.",
    "shift": "Shift of batch normalization, 0 by default.",
    "running_mean": "Running mean of batch normalization, 0 by default.",
    "running_variance": "Running variance of batch normalization, 1 by default.",
    "outputs": "Outputs that a loss or a metric compares with targets.",
    "targets": "Targets: a class label for each row, or numbers.",
    "params": "Parameters that an optimizer updates.",
    "grad": "Gradient: of the outputs of a layer, or of the parameters.",
}
WORKED = ("rows", "layer", "epoch")  # options of a training step
COMPUTED = ("steps", "inference", "seed", *VALUES)  # options of a component


def value_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each value."""
    for name, meaning in reversed(VALUES.items()):
        command = click.option(f"--{name.replace('_', '-')}", metavar="LIST", help=meaning)(command)
    return command


@click.command(
    epilog=examples(
        "nncli explain",
        "nncli explain momentum config.yaml",
        "nncli explain config --layer 0",
        "nncli explain config --epoch 100",
        "nncli explain dense --inputs '[1, 2, 3]' --weights '[[0.2], [0.8], [-0.5]]' --biases '[2]'",
        "nncli explain adam learning_rate=0.1 --params '[1]' --grad '[0.5]' --steps 3",
    )
)
@click.argument(
    "subject",
    required=False,
    shell_complete=completed_by("subject"),
    help="Config, run, component or topic.  [default: lists the topics]",
)
@overrides_argument_completed_by("explained")
@click.option("--rows", type=Integer(1, 20), default=2, show_default=True, help="Number of rows of the training step.")
@click.option("--layer", metavar="LAYER", help="Only the steps of one layer: its index from 0 on, or its type.")
@click.option("--epoch", type=Integer(0), help="Epoch of a snapshot of a run.  [default: the final weights]")
@click.option("--digits", type=Integer(1, 17), default=4, show_default=True, help="Significant digits.")
@value_options
@click.option("--steps", type=Integer(1, 1000), default=1, show_default=True, help="Updates of an optimizer.")
@click.option("--inference", is_flag=True, help="Compute a layer as at inference, not as in training.")
@click.option(
    "--seed", type=Integer(0), default=0, show_default=True, help="Seed of initial weights and dropout masks."
)
@runs_dir_option
@json_option
def explain(
    subject: str | None,
    overrides: tuple[str, ...],
    rows: int,
    layer: str | None,
    epoch: int | None,
    digits: int,
    steps: int,
    inference: bool,
    seed: int,
    runs_dir: Path | None,
    as_json: bool,
    **values: str | None,
) -> None:
    """Explain a training step, a component, or a topic.

    SUBJECT is a config, a run, a component or a topic. Of a config the first training step is shown on a few rows, of
    a run a step with its trained weights: the forward pass layer by layer, the loss, the gradients, and the update that
    each optimizer would make. Of a component, the formulas, the parameters, the source and an example for a config are
    shown; with values such as --inputs it computes them, with KEY=VALUE for its parameters. Of a topic, a page is
    shown, with its numbers in a config that follows. Without SUBJECT the topics are listed.
    """
    require_docstrings()
    texts = {name: text for name, text in values.items() if text is not None}
    found, topic = _named(subject or "", runs_dir)
    if subject is None:
        _list_topics(as_json)
    elif found and _given(COMPUTED):
        _reject_options(subject, _options_of(found))
        _compute(found, _request(texts, overrides, steps, inference, seed), digits, as_json)
    elif found:
        _explain_components(found, overrides, as_json)
    elif topic and topic.name == "regularization" and texts:
        _reject_options(topic.name, ("weights", "biases"))
        _compute_penalties(_request(texts, overrides, steps, inference, seed), digits, as_json)
    elif topic:
        _reject_options(f"the topic {topic.name}", ())
        _explain_topic(topic, overrides, runs_dir, as_json)
    else:
        _reject_options("a config or a run", WORKED)
        _explain_step(subject, overrides, (rows, layer, epoch, digits), runs_dir, as_json)


def _named(subject: str, runs_dir: Path | None) -> "tuple[list[Component], Topic | None]":
    """The components or the topic that a subject names; neither if it names a file, or if a run is meant.

    A run of the same name is meant if an option is that of a training step, or if a topic has the word for another
    name; else it is mentioned.
    """
    from nncli.cli.topics import find_topic
    from nncli.runner.run_config import run_of

    found, topic = components_named(subject), find_topic(subject)
    is_name = bool(found) or (topic is not None and topic.name == subject)
    run = run_of(Path(subject), runs_dir) if found or topic else None
    if Path(subject).is_file() or (run and (_given(WORKED) or not is_name)):
        return [], None
    if run and not _given(COMPUTED):
        print(f"{subject} is also a run: 'nncli explain {run}' explains it", file=sys.stderr)
    return found, None if found else topic


def _request(texts: dict[str, str], overrides: tuple[str, ...], steps: int, inference: bool, seed: int) -> "Request":
    from nncli.analysis.component_computation import Request
    from nncli.analysis.component_values import parsed

    return Request(parsed(texts), overrides, steps, inference, seed)


def _given(options: Sequence[str]) -> list[str]:
    """Those of the options that are on the command line."""
    context = click.get_current_context()
    return [name for name in options if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]


def _reject_options(what: str, allowed: Sequence[str]) -> None:
    """Reject the options of another subject.

    Raises:
        CommandLineError: one is given.
    """
    from nncli.analysis.component_values import option
    from nncli.errors import CommandLineError

    wrong = [option(name) for name in _given((*WORKED, *COMPUTED)) if name not in allowed]
    if wrong:
        takes = ", ".join(map(option, allowed)) or "no values"
        raise CommandLineError(f"{what} takes {takes}, not {', '.join(wrong)}")


def _options_of(found: "list[Component]") -> list[str]:
    from nncli.analysis.component_computation import options_of

    return list(dict.fromkeys(name for component in found for name in options_of(component)))


def _compute(found: "list[Component]", request: "Request", digits: int, as_json: bool) -> None:
    """Print what components compute from values; a name that is a loss and a metric stands for both."""
    from nncli.analysis.component_computation import compute, options_of

    computed = [(each.kind, each.name, compute(each, request)) for each in found if options_of(each)]
    _print_computed(computed, digits, as_json)


def _compute_penalties(request: "Request", digits: int, as_json: bool) -> None:
    from nncli.analysis.component_computation import penalties
    from nncli.experiment.component_loading import load_section

    steps = penalties(load_section("regularization", request.overrides), request.values)
    _print_computed([("section", "regularization", steps)], digits, as_json)


def _print_computed(computed: list[tuple[str, str, Any]], digits: int, as_json: bool) -> None:
    from nncli.cli.pager import paged
    from nncli.cli.render.explain import show_steps, steps_as_documents

    if as_json:
        documents = [{"kind": kind, "name": name, "steps": steps_as_documents(steps)} for kind, name, steps in computed]
        print_json(documents, ensure_ascii=False)
        return
    with paged():
        for _, _, steps in computed:
            show_steps(steps, digits)


def _explain_components(found: "list[Component]", overrides: tuple[str, ...], as_json: bool) -> None:
    from nncli.analysis.component_values import option
    from nncli.cli.pager import paged
    from nncli.cli.render.component_reference import as_document
    from nncli.cli.render.explain import show_component
    from nncli.errors import CommandLineError

    _reject_options(found[0].name, _options_of(found))
    if overrides:
        options = ", ".join(map(option, _options_of(found)))
        needs = f"its parameters are for a computation with {options}" if options else "it takes no parameters here"
        raise CommandLineError(f"{found[0].name} is a component; {needs}")
    if as_json:
        print_json([as_document(component) for component in found], ensure_ascii=False)
        return
    with paged():
        for component in found:
            show_component(component)


def _list_topics(as_json: bool) -> None:
    from nncli.cli.pager import paged
    from nncli.cli.render.explain import show_topics
    from nncli.cli.topics import topics

    _reject_options("a list of topics", ())
    if as_json:
        print_json([topic._asdict() for topic in topics()], ensure_ascii=False)
        return
    with paged():
        show_topics(topics())


def _explain_topic(topic: "Topic", words: tuple[str, ...], runs_dir: Path | None, as_json: bool) -> None:
    """The page of a topic, with its numbers in the config or the run that the first of the words names."""
    from nncli.analysis.topic_numbers import numbers
    from nncli.cli.pager import paged
    from nncli.cli.render.explain import show_topic
    from nncli.errors import CommandLineError
    from nncli.runner.run_config import load_any

    config, *overrides = words or ("",)
    if "=" in config:
        raise CommandLineError(f"{topic.name} is a topic; write a config before {config}")
    loaded = load_any(Path(config), tuple(overrides), runs_dir) if config else None
    found = numbers(topic.name, topic.keys, loaded) if loaded else {}
    if as_json:
        print_json([{**topic._asdict(), **({"numbers": found} if loaded else {})}], ensure_ascii=False)
        return
    with paged():
        show_topic(topic, found, config)


def _explain_step(
    subject: str,
    overrides: tuple[str, ...],
    shown: tuple[int, str | None, int | None, int],
    runs_dir: Path | None,
    as_json: bool,
) -> None:
    """A training step of a config or a run: number of rows, layer (None: all), epoch (None: the last), digits."""
    from nncli.analysis.explained_layer import of_one_layer
    from nncli.analysis.explanation import explain as explain_step
    from nncli.cli.pager import paged
    from nncli.cli.render.explain import as_document, show_explanation
    from nncli.runner.run_config import run_of

    if not (subject and (Path(subject).suffix or Path(subject).exists() or run_of(Path(subject), runs_dir))):
        raise _unknown(subject, runs_dir)
    rows, layer, epoch, digits = shown
    explanation = explain_step(Path(subject), overrides, rows, runs_dir, epoch)
    explanation = explanation if layer is None else of_one_layer(explanation, layer)
    if as_json:
        print_json(as_document(explanation), ensure_ascii=False)
        return
    with paged():
        show_explanation(subject, explanation, digits)


def _unknown(subject: str, runs_dir: Path | None) -> Exception:
    from nncli.cli.topics import topic_names
    from nncli.config.hints import similar
    from nncli.errors import CommandLineError
    from nncli.store.find_run import reject_group, run_names

    reject_group(Path(subject), runs_dir)
    fix = similar(subject, [*topic_names(), *component_names(), *run_names(runs_dir or RUNS)])
    fix = fix or (
        f"; topics: {', '.join(topic_names())}; 'nncli components' lists the components, 'nncli runs' the runs"
    )
    return CommandLineError(f"{subject!r} is neither a file, a run, a component nor a topic{fix}")
