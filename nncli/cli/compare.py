"""``nncli compare``: runs side by side."""

import click


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--sort", metavar="METRIC", help="Order the runs by a metric, the best first.")
@click.option("--all", "everything", is_flag=True, help="Every key of the specs, not only those that differ.")
@click.option(
    "--curve", metavar="COLUMN", help="The column of metrics.csv to draw; validation_loss or loss if not given."
)
@click.option("--different-data", is_flag=True, help="Compare runs of different data too.")
@click.option("--json", "form", flag_value="json", help="One JSON document instead of text.")
@click.option("--csv", "form", flag_value="csv", help="A line a run, for a spreadsheet.")
@click.option("--markdown", "form", flag_value="markdown", help="Tables for a document.")
def compare(
    runs: tuple[str, ...], sort: str | None, everything: bool, curve: str | None, different_data: bool, form: str | None
) -> None:
    """Hold runs against each other.

    Shows how the specs of RUNS differ, their metrics with the best of each row marked, who overfits, and the loss
    curves. A run is a directory, or the name of one in runs/.
    """
    from nncli.cli import tables
    from nncli.cli.arguments import find_run
    from nncli.errors import CommandLineError
    from nncli.run.comparison import compare as hold
    from nncli.run.reading import Run

    if len(runs) < 2:
        raise CommandLineError("one run has nothing to be compared with; name at least two")
    if curve is not None and form is not None:
        raise CommandLineError(f"--curve draws in the terminal; it has no place in --{form}")
    comparison = hold([Run(find_run(run)) for run in runs], sort, everything, different_data)
    written = {"json": tables.as_json, "csv": tables.as_csv, "markdown": tables.as_markdown}
    if form is not None:
        click.echo(written[form](comparison), nl=False)
        return
    from nncli.cli.display import show_comparison

    show_comparison(comparison, curve)
