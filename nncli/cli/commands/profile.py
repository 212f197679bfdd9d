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
    products alone, at the rate of a large matrix product on this machine. Then a step is measured on other numbers of
    threads. The network is trained for a moment; nothing is written.
    """
    from nncli.analysis.profiling import profile as measure
    from nncli.analysis.thread_profile import thread_profile
    from nncli.experiment.assembly import assemble
    from nncli.runner.compute_threads import MAX_THREADS, compute_threads, cores
    from nncli.runner.run_config import load_any
    from nncli.training.loop import Trainer

    loaded = load_any(config, overrides, runs_dir)
    threads = loaded.config.training.threads
    with compute_threads(threads, loaded.document):
        trainer = Trainer(assemble(loaded.config, loaded.plan))
        measured = measure(trainer, seconds)
        by_threads = thread_profile(trainer, {1, threads, min(2, cores()), min(MAX_THREADS, cores())}, seconds / 2)
    if as_json:
        from dataclasses import asdict

        from nncli.cli.render.profile import thread_document

        document = {**asdict(measured), "floor": measured.floor, "between": measured.between}
        print_json({"config": str(config), **document, "threads": thread_document(by_threads)})
        return
    from nncli.cli.render.profile import show_profile

    show_profile(measured, by_threads, loaded.config.training)
