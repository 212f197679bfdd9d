"""The benchmark of epochs by number of threads."""

import pytest

from nncli.processes import CAN_FORK
from tests.benchmarks import epochs
from tests.benchmarks.machine import usable_cores


@pytest.mark.slow
def test_tasks_have_a_row_for_each_number_of_threads():
    """Both tasks are computed by nncli, and compared with one thread."""
    threads = min(2, usable_cores())
    table = epochs.compare(["nncli"], threads, rounds=1).splitlines()
    assert table[0] == "| 60,000 rows | threads | nncli, ms | nncli to 1 thread |"
    starts = [f"| {task} | {count} |" for task in ("an epoch", "a prediction") for count in range(1, threads + 1)]
    assert [row[: len(start)] for row, start in zip(table[2:], starts, strict=True)] == starts


@pytest.mark.skipif(not CAN_FORK, reason="steps are not divided")
def test_steps_of_the_epoch_are_divided(monkeypatch):
    """On two threads; its processes end with the context."""
    monkeypatch.setattr("tests.benchmarks.training.ROWS", 1000)
    monkeypatch.setattr("tests.benchmarks.training.STEPS", 8)
    used = []
    monkeypatch.setattr("nncli.processes.WorkerProcesses.run", lambda self, *task: used.append(self.count))
    tasks, contexts = epochs.nncli_tasks(2)
    with contexts:
        tasks["epoch"]()
        assert set(used) == {2}
        assert tasks["prediction"]().shape == (1000, 10)
