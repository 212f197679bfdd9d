"""``nncli compare``: runs side by side."""

import click

from nncli.cli.output import print_json


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--sort", metavar="METRIC", help="Order the runs by a metric, the best first.")
@click.option("--all", "everything", is_flag=True, help="Every key of the specs, not only those that differ.")
@click.option(
    "--curve", metavar="COLUMN", help="The column of metrics.csv to draw; validation_loss or loss if not given."
)
@click.option("--different-data", is_flag=True, help="Compare runs of different data too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
@click.option("--csv", "as_csv", is_flag=True, help="One row per run, for a spreadsheet.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Tables for a document.")
def compare(
    runs: tuple[str, ...],
    sort: str | None,
    everything: bool,
    curve: str | None,
    different_data: bool,
    as_json: bool,
    as_csv: bool,
    as_markdown: bool,
) -> None:
    """Compare runs.

    Shows how the specs of RUNS differ, their metrics with the best of each row marked, who overfits, and the loss
    curves. A run is a directory, or the name of one in runs/.
    """
    from nncli.analysis.comparison import compare as hold
    from nncli.cli.options import find_run
    from nncli.cli.render import comparison_files as tables
    from nncli.errors import CommandLineError
    from nncli.store.run_reader import Run

    if len(runs) < 2:
        raise CommandLineError("one run has nothing to be compared with; name at least two")
    forms = [name for name, chosen in (("json", as_json), ("csv", as_csv), ("markdown", as_markdown)) if chosen]
    if len(forms) > 1:
        raise CommandLineError("--json, --csv and --markdown exclude each other; give one of them")
    if curve is not None and forms:
        raise CommandLineError(f"--curve draws in the terminal; it has no place in --{forms[0]}")
    comparison = hold([Run(find_run(run)) for run in runs], sort, everything, different_data)
    if as_json:
        print_json(tables.as_document(comparison))
    elif as_csv:
        print(tables.as_csv(comparison), end="")
    elif as_markdown:
        print(tables.as_markdown(comparison), end="")
    else:
        from nncli.cli.render.compare import show_comparison

        show_comparison(comparison, curve)
