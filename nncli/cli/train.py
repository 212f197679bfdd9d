"""``nncli train``: from a config to a run directory."""

import json
import time
from contextlib import nullcontext
from pathlib import Path

import click


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1)
@click.option("--name", help="The run's name; else the config's, with a number where that is taken.")
@click.option(
    "--runs", type=click.Path(path_type=Path), default="runs", show_default=True, help="The folder of all runs."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress; only the run's path is printed.")
@click.option("--json", "as_json", is_flag=True, help="No progress; one JSON document instead of text.")
def train(config: Path, overrides: tuple[str, ...], name: str | None, runs: Path, quiet: bool, as_json: bool) -> None:
    """Train a network, and leave a run directory.

    OVERRIDES change values of the config: optimizer.learning_rate=0.1 layers[0].units=128
    """
    from nncli.cli.progress import View, watch
    from nncli.cli.threads import blas_threads
    from nncli.run.assembly import assemble
    from nncli.run.directory import RunDirectory, name_from
    from nncli.run.loading import load
    from nncli.run.signals import stop_on_signals
    from nncli.run.training import Training

    loaded = load(config, overrides)
    started = time.monotonic()
    run_name = name_from(config) if name is None else name
    with blas_threads(loaded.spec.training.threads, loaded.document), stop_on_signals() as stop:
        training = Training(assemble(loaded.spec, loaded.document), stop)
        with RunDirectory.create(runs, run_name, loaded, training, numbered=name is None) as directory:
            with nullcontext(View()) if quiet or as_json else watch(training) as view:
                for epoch in directory.record():
                    view.show(epoch)
            if stop.signum is not None and not training.is_done:
                raise directory.interrupt(stop.signum)
            evaluation = directory.finish()
    seconds = round(time.monotonic() - started, 3)
    result = {"run": str(directory.path), **evaluation.model_dump(), "seconds": seconds}
    if as_json:
        click.echo(json.dumps(result, indent=2, allow_nan=False))
    elif quiet:
        click.echo(directory.path)
    else:
        from nncli.cli.display import show_result

        show_result(result)
