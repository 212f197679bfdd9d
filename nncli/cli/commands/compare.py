"""``nncli compare``: runs side by side."""

from pathlib import Path

import click

from nncli.cli.options import (
    completed_by,
    different_data_option,
    digits_of,
    exact_option,
    examples,
    json_option,
    runs_argument,
    runs_dir_option,
    sort_option,
)
from nncli.cli.output import print_json


@click.command(epilog=examples("nncli compare config fast", "nncli compare config fast --sort validation_loss --csv"))
@runs_argument("Paths or names of two or more runs.")
@sort_option
@click.option("--all", "all_keys", is_flag=True, help="Show all keys of the configs, not only those that differ.")
@click.option(
    "--curve",
    metavar="COLUMN",
    shell_complete=completed_by("column"),
    help="Column of metrics.csv to plot.  [default: validation_loss, or else the loss]",
)
@different_data_option
@runs_dir_option
@exact_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Output CSV, one row per run.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Output Markdown tables.")
def compare(
    runs: tuple[str, ...],
    sort: str | None,
    all_keys: bool,
    curve: str | None,
    different_data: bool,
    runs_dir: Path | None,
    exact: bool,
    as_json: bool,
    as_csv: bool,
    as_markdown: bool,
) -> None:
    """Compare runs side by side.

    Shows the differences between their configs, their metrics with the best value of each marked, which of them
    overfit, their loss curves, and which run is significantly better.
    """
    from nncli.analysis.comparison import compare as compare_runs
    from nncli.cli.options import find_run
    from nncli.cli.render import comparison_files as files
    from nncli.errors import CommandLineError
    from nncli.store.run_reader import Run

    if len(runs) < 2:
        raise CommandLineError("compare needs at least two runs")
    formats = [name for name, chosen in (("json", as_json), ("csv", as_csv), ("markdown", as_markdown)) if chosen]
    if len(formats) > 1:
        raise CommandLineError("--json, --csv and --markdown are mutually exclusive")
    if curve is not None and formats:
        raise CommandLineError(f"--curve cannot be combined with --{formats[0]}")
    comparison = compare_runs([Run(find_run(run, runs_dir)) for run in runs], sort, all_keys, different_data)
    if as_json:
        print_json(files.as_document(comparison))
    elif as_csv:
        print(files.as_csv(comparison), end="")
    elif as_markdown:
        print(files.as_markdown(comparison, digits_of(exact)), end="")
    else:
        from nncli.cli.render.compare import show_comparison

        show_comparison(comparison, curve, digits_of(exact))
