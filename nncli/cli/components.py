"""``nncli components``: everything that the registry knows."""

import json

import click


@click.command()
@click.argument("kind", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
@click.option("--markdown", is_flag=True, help="Tables as they stand in configs/README.md.")
@click.option("--schema", is_flag=True, help="The JSON Schema of a spec, for editors.")
def components(kind: str | None, as_json: bool, markdown: bool, schema: bool) -> None:
    """List what a spec may name.

    Every component that the registry knows, or those of one KIND, with parameters, defaults and ranges.
    """
    import nncli.run.loading  # noqa: F401 (registers them)
    from nncli import registry
    from nncli.cli.reference import as_document, components_as_markdown, spec_as_schema
    from nncli.errors import CommandLineError

    if as_json + markdown + schema > 1 or (schema and kind):
        raise CommandLineError("--json, --markdown and --schema exclude each other; --schema is of a whole spec")
    if kind is not None and kind not in registry.kinds():
        raise CommandLineError(f"unknown kind {kind!r}; known: {', '.join(registry.kinds())}")
    chosen = [entry for name in ([kind] if kind else registry.kinds()) for entry in registry.components(name)]
    if schema:
        click.echo(json.dumps(spec_as_schema(), indent=2))
    elif as_json:
        click.echo(json.dumps([as_document(entry) for entry in chosen], indent=2, ensure_ascii=False))
    elif markdown:
        click.echo(components_as_markdown(chosen), nl=False)
    else:
        from nncli.cli.display import show_components

        show_components(chosen)
