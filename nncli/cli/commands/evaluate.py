"""``nncli evaluate``: what a run's network is worth."""

import click

from nncli.cli.output import print_json


@click.command()
@click.argument("run")
@click.option("--split", "splits", multiple=True, help="training, validation or test; all of them where not given.")
@click.option(
    "--fail-under", "floors", multiple=True, metavar="METRIC=VALUE", help="Exit code 8 where a metric is lower."
)
@click.option(
    "--fail-over", "ceilings", multiple=True, metavar="METRIC=VALUE", help="Exit code 8 where a metric is higher."
)
@click.option(
    "--threshold",
    type=float,
    help="What a single output has to exceed to stand for class 1; the config's where not given.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def evaluate(
    run: str,
    splits: tuple[str, ...],
    floors: tuple[str, ...],
    ceilings: tuple[str, ...],
    threshold: float | None,
    as_json: bool,
) -> None:
    """Measure the network of a run.

    RUN is a run directory, or the name of one in runs/.

    A gate names a metric, which then holds for every split that is shown, or a split and a metric:

    nncli evaluate runs/spiral --fail-under accuracy=0.9 --fail-over validation_loss=0.5
    """
    from nncli.analysis.evaluation import assess
    from nncli.analysis.gates import gate_failures, parse_gate
    from nncli.cli.options import find_run
    from nncli.errors import GateError
    from nncli.runner.blas_threads import blas_threads
    from nncli.store.run_reader import Run

    gates = [parse_gate(text, upper=False) for text in floors] + [parse_gate(text, upper=True) for text in ceilings]
    measured = Run(find_run(run))
    with blas_threads(measured.record.spec.training.threads):
        assessment = assess(measured, splits, threshold)
    failed = gate_failures(assessment, gates)
    try:
        if as_json:
            print_json({**assessment, "gates_failed": failed})
        else:
            from nncli.cli.render.evaluate import show_assessment

            show_assessment(assessment)
    finally:  # a gate is judged even where nobody reads the rest
        if failed:
            raise GateError("\n".join(failed))
