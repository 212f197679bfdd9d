"""``nncli profile``: measures where the time of a training step goes."""

from pathlib import Path

import click

from nncli.cli.options import Integer, config_argument, examples, json_option, overrides_argument, runs_dir_option
from nncli.cli.output import print_json


@click.command(epilog=examples("nncli profile config.yaml training.batch_size=32 --seconds 5"))
@config_argument
@overrides_argument
@click.option(
    "--seconds",
    type=Integer(1, 3600),
    default=2,
    show_default=True,
    help="Approximate duration of the measurement.",
)
@runs_dir_option
@json_option
def profile(config: Path, overrides: tuple[str, ...], seconds: int, runs_dir: Path | None, as_json: bool) -> None:
    """Measure the time of each part of a training step.

    The forward and backward pass and the update of the weights are compared with the minimum: the time of the matrix
    products alone, at the rate of a large matrix product on this machine. The network is trained for a moment; nothing
    is written.
    """
    from nncli.analysis.profiling import profile as measure
    from nncli.experiment.assembly import assemble
    from nncli.runner.compute_threads import compute_threads
    from nncli.runner.run_config import load_any
    from nncli.training.loop import Trainer

    loaded = load_any(config, overrides, runs_dir)
    with compute_threads(loaded.config.training.threads, loaded.document):
        measured = measure(Trainer(assemble(loaded.config, loaded.plan)), seconds)
    if as_json:
        from dataclasses import asdict

        document = {**asdict(measured), "floor": measured.floor, "between": measured.between}
        print_json({"config": str(config), **document})
        return
    from nncli.cli.render.profile import show_profile

    show_profile(measured, loaded.config.training)
