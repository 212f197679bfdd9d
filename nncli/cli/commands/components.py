"""``nncli components``: list the registered components."""

from typing import TYPE_CHECKING

import click

from nncli.cli.docstrings import require_docstrings
from nncli.cli.options import completed_by, component_names, components_named, examples, json_option
from nncli.cli.output import print_json

if TYPE_CHECKING:
    from nncli.registry import Component


@click.command(epilog=examples("nncli components", "nncli components optimizers"))
@click.argument(
    "kind", required=False, shell_complete=completed_by("kind"), help="Kind or name of components.  [default: all]"
)
@json_option
@click.option("--markdown", is_flag=True, help="Print Markdown, as in configs/README.md.")
def components(kind: str | None, as_json: bool, markdown: bool) -> None:
    """List the components that a config can use.

    Lists all components, those of one KIND or a single one, with their parameters, types, defaults and ranges. Kinds:
    layers, losses, optimizers, schedules, clipping, initializers, metrics, datasets, columns, transforms, encodings,
    imputations.
    """
    from nncli.cli.render.component_reference import as_document, components_as_markdown
    from nncli.errors import CommandLineError

    require_docstrings()
    if as_json and markdown:
        raise CommandLineError("use only one of --json and --markdown")
    chosen = _chosen(kind)
    if as_json:
        print_json([as_document(entry) for entry in chosen], ensure_ascii=False)
    elif markdown:
        print(components_as_markdown(chosen), end="")
    else:
        from nncli.cli.render.components import show_components

        show_components(chosen)


def _chosen(word: str | None) -> "list[Component]":
    """The components of a kind, in the singular or the plural, or those that a word names; all of them by default.

    Raises:
        CommandLineError: there is no such kind and no such component.
    """
    from nncli.registry import components, kinds

    named = components_named(word or "")
    of = [kind for kind in kinds() if word is None or word.lower() in {kind, f"{kind}s", f"{kind}es"}]
    if not named and not of:
        from nncli.config.hints import suggestion
        from nncli.errors import CommandLineError

        fix = suggestion(word or "", [*kinds(), *component_names()], listed=kinds())
        raise CommandLineError(f"unknown kind or component {word!r}{fix}")
    return named or [component for kind in of for component in components(kind)]
