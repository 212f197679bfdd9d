"""``nncli explain``: a training step, or a component, as one would write it on a board."""

from pathlib import Path
from typing import Any

import click

from nncli.cli.docstrings import require_docstrings
from nncli.cli.output import print_json


@click.command()
@click.argument("subject")
@click.argument("overrides", nargs=-1)
@click.option(
    "--rows", type=click.IntRange(1, 20), default=2, show_default=True, help="Rows that go through a network."
)
@click.option("--digits", type=click.IntRange(1, 17), default=4, show_default=True, help="Digits of a number.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text, with every number in full.")
def explain(subject: str, overrides: tuple[str, ...], rows: int, digits: int, as_json: bool) -> None:
    """Explain a config's network, or a component.

    SUBJECT is a config, whose first training step is shown on a few rows, layer by layer, with the gradients that come
    back and the update that each optimizer would make; or the name of a component, whose formula, parameters, source
    and an example for a config are shown.

    OVERRIDES change values of the config: optimizer.learning_rate=0.1 layers[0].units=128
    """
    import nncli.experiment.loading  # noqa: F401 (registers the components)
    from nncli.errors import CommandLineError
    from nncli.registry import components, kinds, names

    require_docstrings()
    known = [entry for kind in kinds() for entry in [names(kind).get(subject)] if entry]
    if known and not Path(subject).is_file():
        if overrides:
            raise CommandLineError(f"{subject} is a component; overrides are for configs")
        _explain_components(known, as_json)
    elif subject and (Path(subject).suffix or Path(subject).exists()):
        _explain_config(Path(subject), overrides, rows, digits, as_json)
    else:
        from nncli.config.diagnostics import suggestion

        every = {entry.name for kind in kinds() for entry in components(kind)}
        raise CommandLineError(f"{subject!r} is neither a file nor a component{suggestion(subject, every)}")


def _explain_components(known: list[Any], as_json: bool) -> None:
    from nncli.cli.render.component_reference import as_document
    from nncli.cli.render.explain import show_component

    if as_json:
        print_json([as_document(entry) for entry in known], ensure_ascii=False)
        return
    for entry in known:
        show_component(entry)


def _explain_config(config: Path, overrides: tuple[str, ...], rows: int, digits: int, as_json: bool) -> None:
    from nncli.analysis.explanation import explain as explained
    from nncli.cli.render.explain import as_document, show_explanation

    explanation = explained(config, overrides, rows)
    if as_json:
        print_json(as_document(explanation), ensure_ascii=False)
    else:
        show_explanation(str(config), explanation, digits)
