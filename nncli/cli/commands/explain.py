"""``nncli explain``: a training step as a worked example, or the reference of a component."""

from pathlib import Path
from typing import Any

import click

from nncli.cli.completion import complete_subject
from nncli.cli.docstrings import require_docstrings
from nncli.cli.options import json_option, overrides_argument
from nncli.cli.output import print_json


@click.command()
@click.argument("subject", shell_complete=complete_subject, help="Config, run, or name of a component.")
@overrides_argument
@click.option(
    "--rows", type=click.IntRange(1, 20), default=2, show_default=True, help="Number of rows of the training step."
)
@click.option("--digits", type=click.IntRange(1, 17), default=4, show_default=True, help="Significant digits.")
@json_option
def explain(subject: str, overrides: tuple[str, ...], rows: int, digits: int, as_json: bool) -> None:
    """Explain a training step of a config, or a component.

    SUBJECT is a config, a run or the name of a component. Of a config or a run, the first training step is shown on a
    few rows: the forward pass layer by layer, the loss, the gradients, and the update that each optimizer would make.
    Of a component, the formulas, the parameters, the source and an example for a config are shown.
    """
    import nncli.experiment.loading  # noqa: F401 (registers the components)
    from nncli.errors import CommandLineError
    from nncli.registry import components, kinds, names
    from nncli.runner.run_config import run_of

    require_docstrings()
    found = [names(kind)[subject] for kind in kinds() if subject in names(kind)]
    if found and not Path(subject).is_file():
        if overrides:
            raise CommandLineError(f"{subject} is a component; overrides are for configs")
        _explain_components(found, as_json)
    elif subject and (Path(subject).suffix or Path(subject).exists() or run_of(Path(subject))):
        _explain_config(Path(subject), overrides, rows, digits, as_json)
    else:
        from nncli.config.hints import suggestion
        from nncli.store.find_run import DEFAULT, run_names

        known = {*(component.name for kind in kinds() for component in components(kind)), *run_names(DEFAULT)}
        raise CommandLineError(f"{subject!r} is neither a file, a run nor a component{suggestion(subject, known)}")


def _explain_components(found: list[Any], as_json: bool) -> None:
    from nncli.cli.render.component_reference import as_document
    from nncli.cli.render.explain import show_component

    if as_json:
        print_json([as_document(component) for component in found], ensure_ascii=False)
        return
    for component in found:
        show_component(component)


def _explain_config(config: Path, overrides: tuple[str, ...], rows: int, digits: int, as_json: bool) -> None:
    from nncli.analysis.explanation import explain as explain_step
    from nncli.cli.render.explain import as_document, show_explanation

    explanation = explain_step(config, overrides, rows)
    if as_json:
        print_json(as_document(explanation), ensure_ascii=False)
    else:
        show_explanation(str(config), explanation, digits)
