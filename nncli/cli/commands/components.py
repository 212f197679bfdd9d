"""``nncli components``: list the registered components."""

import click

from nncli.cli.completion import complete_kind
from nncli.cli.docstrings import require_docstrings
from nncli.cli.options import json_option
from nncli.cli.output import print_json


@click.command()
@click.argument("kind", required=False, shell_complete=complete_kind, help="Kind of component. [default: all]")
@json_option
@click.option("--markdown", is_flag=True, help="Print Markdown, as in configs/README.md.")
def components(kind: str | None, as_json: bool, markdown: bool) -> None:
    """List the components that a config can use.

    Lists all components, or those of one KIND, with their parameters, types, defaults and ranges. Kinds: layer, loss,
    optimizer, schedule, clipping, initializer, metric, dataset.
    """
    import nncli.experiment.loading  # noqa: F401 (registers the components)
    from nncli import registry
    from nncli.cli.render.component_reference import as_document, components_as_markdown
    from nncli.errors import CommandLineError

    require_docstrings()
    if as_json and markdown:
        raise CommandLineError("use only one of --json and --markdown")
    if kind is not None and kind not in registry.kinds():
        raise CommandLineError(f"unknown kind {kind!r}; known: {', '.join(registry.kinds())}")
    chosen = [entry for name in ([kind] if kind else registry.kinds()) for entry in registry.components(name)]
    if as_json:
        print_json([as_document(entry) for entry in chosen], ensure_ascii=False)
    elif markdown:
        print(components_as_markdown(chosen), end="")
    else:
        from nncli.cli.render.components import show_components

        show_components(chosen)
