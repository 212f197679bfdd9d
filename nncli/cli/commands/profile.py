"""``nncli profile``: where the time of a training step goes."""

from pathlib import Path

import click

from nncli.cli.output import print_json


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1)
@click.option(
    "--seconds", type=click.IntRange(1, 3600), default=2, show_default=True, help="About how long to train for it."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def profile(config: Path, overrides: tuple[str, ...], seconds: int, as_json: bool) -> None:
    """Show where the time of a training step goes, layer by layer.

    Forward, backward and update, against the floor: what the matrix products alone would take at the rate of a large
    product on this machine. It trains for a moment and writes nothing.

    OVERRIDES change values of the config: training.batch_size=32 layers[0].units=128
    """
    from nncli.analysis.profiling import profile as profiled
    from nncli.experiment.assembly import assemble
    from nncli.experiment.loading import load
    from nncli.runner.blas_threads import blas_threads
    from nncli.train.loop import Trainer

    loaded = load(config, overrides)
    with blas_threads(loaded.config.training.threads, loaded.document):
        found = profiled(Trainer(assemble(loaded.config, loaded.plan)), seconds)
    if as_json:
        from dataclasses import asdict

        document = {**asdict(found), "floor": found.floor, "between": found.between}
        print_json({"config": str(config), **document})
        return
    from nncli.cli.render.profile import show_profile

    show_profile(found, loaded.config.training)
