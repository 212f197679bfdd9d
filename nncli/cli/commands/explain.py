"""``nncli explain``: a training step as a worked example, or the reference of a component."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncli.cli.docstrings import require_docstrings
from nncli.cli.options import (
    Integer,
    completed_by,
    component_names,
    components_named,
    examples,
    json_option,
    overrides_argument,
    runs_dir_option,
)
from nncli.cli.output import print_json
from nncli.cli.paths import RUNS

if TYPE_CHECKING:
    from nncli.analysis.explanation import Explanation
    from nncli.registry import Component


@click.command(epilog=examples("nncli explain adam", "nncli explain config.yaml --rows 3"))
@click.argument("subject", shell_complete=completed_by("subject"), help="Config, run, or name of a component.")
@overrides_argument
@click.option("--rows", type=Integer(1, 20), default=2, show_default=True, help="Number of rows of the training step.")
@click.option("--digits", type=Integer(1, 17), default=4, show_default=True, help="Significant digits.")
@runs_dir_option
@json_option
def explain(
    subject: str, overrides: tuple[str, ...], rows: int, digits: int, runs_dir: Path | None, as_json: bool
) -> None:
    """Explain a training step of a config, or a component.

    SUBJECT is a config, a run or the name of a component. Of a config or a run, the first training step is shown on a
    few rows: the forward pass layer by layer, the loss, the gradients, and the update that each optimizer would make.
    Of a component, the formulas, the parameters, the source and an example for a config are shown.
    """
    from nncli.analysis.explanation import explain as explain_step
    from nncli.errors import CommandLineError
    from nncli.runner.run_config import run_of

    require_docstrings()
    found = components_named(subject)
    if found and not Path(subject).is_file():
        if overrides:
            raise CommandLineError(f"{subject} is a component; overrides are for configs")
        _explain_components(found, as_json)
    elif subject and (Path(subject).suffix or Path(subject).exists() or run_of(Path(subject), runs_dir)):
        explanation = explain_step(Path(subject), overrides, rows, runs_dir)
        _print_explanation(subject, explanation, digits, as_json)
    else:
        from nncli.config.hints import similar
        from nncli.store.find_run import run_names

        fix = similar(subject, [*component_names(), *run_names(runs_dir or RUNS)])
        fix = fix or "; 'nncli components' lists the components, 'nncli runs' the runs"
        raise CommandLineError(f"{subject!r} is neither a file, a run nor a component{fix}")


def _explain_components(found: "list[Component]", as_json: bool) -> None:
    from nncli.cli.pager import paged
    from nncli.cli.render.component_reference import as_document
    from nncli.cli.render.explain import show_component

    if as_json:
        print_json([as_document(component) for component in found], ensure_ascii=False)
        return
    with paged():
        for component in found:
            show_component(component)


def _print_explanation(config: str, explanation: "Explanation", digits: int, as_json: bool) -> None:
    from nncli.cli.pager import paged
    from nncli.cli.render.explain import as_document, show_explanation

    if as_json:
        print_json(as_document(explanation), ensure_ascii=False)
        return
    with paged():
        show_explanation(config, explanation, digits)
