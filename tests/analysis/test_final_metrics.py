"""The metrics by which a run is listed."""

import csv
import json

from nncli.analysis.final_metrics import final_metrics
from nncli.store.run_reader import Run
from tests.examples import train_config


def test_metrics_of_a_finished_run_are_those_of_its_evaluation(workdir):
    """The columns of each split, at the epoch of the final weights."""
    path = train_config(workdir / "config.yaml", ("test={type: spiral, samples: 10, seed: 7}",)).path
    splits = json.loads((path / "evaluation.json").read_bytes())["splits"]
    epoch, metrics = final_metrics(Run(path))
    assert epoch == 30
    assert metrics == {
        f"{'' if split == 'training' else f'{split}_'}{name}": value
        for split, values in splits.items()
        for name, value in values.items()
    }


def test_metrics_of_another_run_are_those_of_its_last_row(workdir):
    """Without the learning rate, which measures no split; there are none before the first row."""
    path = train_config(workdir / "config.yaml").path
    (path / "evaluation.json").unlink()
    with (path / "metrics.csv").open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    last = dict(zip(header, map(float, rows[-1]), strict=True))
    epoch, metrics = final_metrics(Run(path))
    assert epoch == last["epoch"]
    assert metrics == {name: value for name, value in last.items() if name not in {"epoch", "learning_rate"}}
    (path / "metrics.csv").write_text(",".join(header) + "\n", encoding="utf-8")
    assert final_metrics(Run(path)) == (0, {})
