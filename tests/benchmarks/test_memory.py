"""The benchmark of memory measures a training, and prints the estimate of ``nncli show`` for it."""

import json

import pytest

from tests.benchmarks import memory
from tests.benchmarks.machine import environment
from tests.benchmarks.memory import Network, figures, table, write_config

PARAMETERS = (8 + 1) * 4000 + (4000 + 1) * 3


@pytest.mark.slow
def test_growth_contains_the_parameters(tmp_path, run_cli):
    """It is at least that of parameters, gradients and two moments; the estimate is that of the command."""
    network = Network(2000, 8, (4000,), 3, 100)
    found = figures(network, environment(1))
    assert (found["rows"], found["parameters"]) == (100, PARAMETERS)
    assert found["measured"] > 4 * 4 * PARAMETERS
    shown = json.loads(run_cli("show", str(write_config(network, tmp_path)), "--json").out)
    assert found["estimate"] == shown["memory_bytes"]


def test_table_compares_growth_and_estimate(monkeypatch):
    """A row has the growth of all rounds, the estimate, and their ratio in each round."""
    growths = iter([2.0, 4.0, 8.0])
    sizes = {"rows": 20, "parameters": 1_000, "estimate": 8 * 2**20}
    monkeypatch.setattr(memory, "figures", lambda *_: {**sizes, "measured": next(growths) * 2**20})
    *_, row = table(["64-2048-10"], {}, 3).splitlines()
    assert row == "| 64-2048-10 | 20 | 1,000 | 8.0 | 4.00 (2.00–8.00) | 2.00 (1.00–4.00) |"
