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


def _format(chosen: list[str], curve: str | None) -> str | None:
    """The format of the output; None for the terminal.

    Raises:
        CommandLineError: several are chosen, or one that has no curve.
    """
    from nncli.errors import CommandLineError

    if len(chosen) > 1:
        raise CommandLineError("--json, --csv, --markdown and --latex are mutually exclusive")
    if curve is not None and chosen:
        raise CommandLineError(f"--curve cannot be combined with --{chosen[0]}")
    return chosen[0] if chosen else None


@click.command(
    epilog=examples(
        "nncli compare config fast",
        "nncli compare config fast --sort validation_loss --csv",
        "nncli compare config fast --columns optimizer.type,accuracy --latex",
        "nncli compare config fast --by optimizer.learning_rate",
        "nncli compare fast --baseline config --fail-on-regression validation_accuracy:0.2",
    )
)
@runs_argument("Paths or names of runs and of groups of runs.")
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
@click.option(
    "--by",
    metavar="KEY[,KEY]",
    shell_complete=completed_by("key"),
    help="Group the runs by the values of keys of their configs, such as optimizer.type.",
)
@click.option(
    "--metric",
    metavar="COLUMN",
    shell_complete=completed_by("metric"),
    help="Metric by which groups are compared.  [default: validation_accuracy, or else another metric or the loss]",
)
@click.option(
    "--rope",
    metavar="WIDTH",
    type=float,
    default=0.0,
    help="Groups whose metric differs by at most WIDTH are equal in practice.",
)
@click.option(
    "--baseline",
    metavar="RUN|GROUP",
    shell_complete=completed_by("run"),
    help="Compare each with this one.  [default: with the best]",
)
@click.option(
    "--fail-on-regression",
    "regression",
    metavar="METRIC[:TOLERANCE]",
    shell_complete=completed_by("metric"),
    help="Exit with code 8 if one is worse than the baseline, by more than TOLERANCE.",
)
@different_data_option
@runs_dir_option
@exact_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Output CSV, one row per run.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Output Markdown tables.")
@click.option("--latex", "as_latex", is_flag=True, help="Output a LaTeX table for the package booktabs.")
def compare(
    runs: tuple[str, ...],
    sort: str | None,
    all_keys: bool,
    top: int | None,
    columns: tuple[str, ...],
    curve: str | None,
    by: str | None,
    metric: str | None,
    rope: float,
    baseline: str | None,
    regression: str | None,
    different_data: bool,
    runs_dir: Path | None,
    exact: bool,
    as_json: bool,
    as_csv: bool,
    as_markdown: bool,
    as_latex: bool,
) -> None:
    """Compare runs or groups of runs side by side, or many runs in one row each.

    Shows the differences between the configs of runs, their metrics with the best value of each marked, which of them
    overfit, their loss curves, and which run is significantly better. For groups it shows mean and standard deviation
    over the runs, which group is better, and how many more seeds would show it.

    More than eight runs are sorted by the main held-out metric, and their curves are plotted with --curve; --top and
    --columns list the runs of groups, too. Runs are compared on the splits whose rows they share.
    """
    from nncli.analysis.comparison import compare as compare_runs
    from nncli.cli.grouped_runs import Grouping
    from nncli.cli.options import find_run
    from nncli.cli.render import comparison_files as files
    from nncli.errors import CommandLineError
    from nncli.store.find_run import find_runs
    from nncli.store.run_reader import Run

    flags = {"json": as_json, "csv": as_csv, "markdown": as_markdown, "latex": as_latex}
    form = _format([name for name, chosen in flags.items() if chosen], curve)
    lists_runs = top is not None or bool(columns)
    paths = find_runs(runs, runs_dir) if lists_runs else [find_run(run, runs_dir) for run in runs]
    grouping = Grouping(by, metric, rope, baseline, regression, different_data, lambda name: find_run(name, runs_dir))
    if grouping.applies_to(paths):
        if lists_runs:
            raise CommandLineError("--top and --columns list single runs; --by and a baseline that is a group do not")
        if sort is not None or all_keys:
            raise CommandLineError("--sort and --all apply to single runs; groups are sorted by --metric")
        grouping.show(paths, form, curve, digits_of(exact))
        return
    paths = grouping.with_baseline(paths)
    if len(paths) < 2:
        raise CommandLineError("compare needs at least two runs, or a group")
    comparison = compare_runs([Run(path) for path in paths], sort, all_keys, different_data, top, columns)
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
    grouping.check(paths)
