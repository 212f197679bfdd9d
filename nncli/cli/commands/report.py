"""``nncli report``: runs as one HTML file."""

from pathlib import Path

import click

from nncli.cli.options import different_data_option, examples, runs_argument, runs_dir_option

DEFAULT = "report.html"
SUFFIXES = (".html", ".htm")


@click.command(epilog=examples("nncli report config", "nncli report config fast -o comparison.html"))
@runs_argument()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=DEFAULT,
    show_default=True,
    metavar="FILE",
    help="HTML file to write; one that exists is replaced.",
)
@different_data_option
@runs_dir_option
def report(runs: tuple[str, ...], output: Path, different_data: bool, runs_dir: Path | None) -> None:
    """Write a report of runs as one HTML file.

    It opens from disk in any browser, makes no request, and can be printed: verdict, curves, the boundary while the
    network learns, errors, calibration, health of the network, and how to reproduce the run. Several runs, or those of
    a group, are compared.
    """
    from nncli.cli.interrupts import raised_on_ctrl_c
    from nncli.cli.reading import reading_shown
    from nncli.errors import CommandLineError
    from nncli.report.page.content import report_of
    from nncli.report.page.html import html
    from nncli.runner.compute_threads import compute_threads
    from nncli.store.atomic_write import replacing
    from nncli.store.find_run import find_runs
    from nncli.store.run_reader import Run

    if output.is_dir():
        raise CommandLineError(f"{output}: is a directory; name an HTML file in it with -o")
    if output.suffix.lower() not in SUFFIXES:  # such as a config, which would be replaced
        raise CommandLineError(f"{output}: a report is written as .html; name a file such as {DEFAULT}")
    loaded = [Run(path) for path in find_runs(runs, runs_dir)]
    threads = max(run.record.spec.training.threads for run in loaded)
    with raised_on_ctrl_c(), compute_threads(threads), reading_shown():
        page = html(report_of(loaded, different_data))
    with replacing(output) as stream:
        stream.write(page.decode())
    print(output)
