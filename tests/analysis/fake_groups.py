"""Groups of runs that were never trained: real results of runs whose scores, seeds and rows are given."""

from pathlib import Path
from types import SimpleNamespace

from nncli.analysis.group_results import GroupResult
from nncli.analysis.scores import Score
from nncli.config.model import Config
from nncli.store.run_status import RunProgress, RunStatus

TRAINING_ROWS, ROWS = 45, 15


class FakeConfig(SimpleNamespace):
    """The keys of a config that a comparison reads."""

    seed_of = Config.seed_of


def fake_run(score, seed=0, *, metric="validation_accuracy", rows="rows", validation=None, status="finished", **config):
    """A run with one metric.

    Args:
        score: the metric.
        seed: the seed.
        metric: its column.
        rows: what identifies its validation rows.
        validation: the validation set of its config.
        status: its status.
        config: other keys of its config.
    """
    name = metric.removeprefix("validation_")
    given = {"seeds": None, "metrics": [SimpleNamespace(type=name)], "loss": "mse", "data": SimpleNamespace()}
    counts = {"training": TRAINING_ROWS, "validation": ROWS}
    progress = RunProgress(RunStatus(status))
    return SimpleNamespace(
        is_final=progress.status is RunStatus.FINISHED,
        progress=progress,
        metrics={metric: score},
        scores={"validation": Score(name, score, score * (1 - score), ROWS)} if name == "accuracy" else {},
        run=SimpleNamespace(
            path=Path("runs/0000"),
            release=lambda: None,
            config=FakeConfig(seed=seed, validation=validation, **{**given, **config}),
            fingerprints={"training": f"training {rows}", "validation": rows},
            data={split: SimpleNamespace(rows=count, classes=2) for split, count in counts.items()},
        ),
    )


def fake_group(label, scores, seeds=None, **options):
    """The result of a group of runs with these scores; ``options`` are those of ``fake_run``, the same for all runs.

    Args:
        label: its name.
        scores: one per run.
        seeds: the seeds; 0, 1, ... by default.
    """
    seeds = range(len(scores)) if seeds is None else seeds
    entries = [fake_run(score, seed, **options) for score, seed in zip(scores, seeds, strict=True)]
    return GroupResult(label, options.get("metric", "validation_accuracy"), entries)
