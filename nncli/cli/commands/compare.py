"""``nncli compare``: runs side by side."""

from pathlib import Path

import click

from nncli.cli.options import (
    Integer,
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


def _split_at_commas(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[str, ...]:
    """The names between the commas of a text; each counts once."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, (text or "").split(",")))))


@click.command(
    epilog=examples(
        "nncli compare config fast",
        "nncli compare config fast --sort validation_loss --csv",
        "nncli compare config fast --columns optimizer.type,accuracy --latex",
    )
)
@runs_argument("Paths or names of two or more runs.")
@sort_option
@click.option("--all", "all_keys", is_flag=True, help="Show all keys of the configs, not only those that differ.")
@click.option(
    "--top", type=Integer(min=1), metavar="N", help="Show only the best N runs by --sort or the main held-out metric."
)
@click.option(
    "--columns",
    metavar="A,B,...",
    callback=_split_at_commas,
    shell_complete=completed_by("columns"),
    help="Show only these config keys and metrics, one row per run.",
)
@click.option(
    "--curve",
    metavar="COLUMN",
    shell_complete=completed_by("column"),
    help="Column of metrics.csv to plot, of at most eight runs.  [default: validation_loss, or else the loss; none of"
    " many runs]",
)
@different_data_option
@runs_dir_option
@exact_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Output CSV, one row per run.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Output Markdown tables.")
@click.option(
    "--latex", "as_latex", is_flag=True, help="Output a LaTeX table for the package booktabs, one row per run."
)
def compare(
    runs: tuple[str, ...],
    sort: str | None,
    all_keys: bool,
    top: int | None,
    columns: tuple[str, ...],
    curve: str | None,
    different_data: bool,
    runs_dir: Path | None,
    exact: bool,
    as_json: bool,
    as_csv: bool,
    as_markdown: bool,
    as_latex: bool,
) -> None:
    """Compare runs side by side, or many runs in one row each.

    Shows the differences between their configs, their metrics with the best value of each marked, which of them
    overfit, their loss curves, and which run is significantly better. More than eight runs are sorted by the main
    held-out metric, and their curves are plotted with --curve. Runs are compared on the splits whose rows they share.
    """
    from nncli.analysis.comparison import compare as compare_runs
    from nncli.cli.render import comparison_files as files
    from nncli.errors import CommandLineError
    from nncli.store.find_run import find_runs
    from nncli.store.run_reader import Run

    found = [Run(path) for path in find_runs(runs, runs_dir)]
    if len(found) < 2:
        raise CommandLineError("compare needs at least two runs")
    flags = {"json": as_json, "csv": as_csv, "markdown": as_markdown, "latex": as_latex}
    formats = [name for name, chosen in flags.items() if chosen]
    if len(formats) > 1:
        raise CommandLineError("--json, --csv, --markdown and --latex are mutually exclusive")
    if curve is not None and formats:
        raise CommandLineError(f"--curve cannot be combined with --{formats[0]}")
    comparison = compare_runs(found, sort, all_keys, different_data, top, columns)
    if as_json:
        print_json(files.as_document(comparison))
    elif as_csv:
        print(files.as_csv(comparison), end="")
    elif as_markdown:
        print(files.as_markdown(comparison, digits_of(exact)), end="")
    elif as_latex:
        print(files.as_latex(comparison, digits_of(exact)), end="")
    else:
        from nncli.cli.render.compare import show_comparison

        show_comparison(comparison, curve, digits_of(exact), is_complete=top is not None)
