"""The benchmark of memory measures a training, and prints the estimate of ``nncli show`` for it."""

import json

import pytest

from tests.benchmarks.machine import environment
from tests.benchmarks.memory import config, in_own_process, table
from tests.benchmarks.shapes import Shape

WIDE = Shape((8, 4000, 3), 20)


@pytest.mark.slow
def test_growth_contains_the_parameters(tmp_path, run_cli):
    """The growth is at least that of parameters, gradients and two moments; the estimate is that of the command."""
    found = in_own_process(WIDE, environment(1))
    assert found["growth"] > 4 * 4 * WIDE.parameters / 2**20
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(config(WIDE, tmp_path)), encoding="utf-8")
    assert found["estimate"] == json.loads(run_cli("show", str(path), "--json").out)["memory_bytes"] / 2**20


def test_table_compares_growth_and_estimate(monkeypatch):
    """A row has the growth of all rounds, the estimate, and their ratio in each round."""
    growths = iter([2.0, 4.0, 8.0])
    monkeypatch.setattr("tests.benchmarks.memory.in_own_process", lambda *_: {"growth": next(growths), "estimate": 8.0})
    *_, row = table([WIDE], {}, 3).splitlines()
    assert row == "| 8-4000-3, 20 rows | 4.00 (2.00–8.00) | 8.00 | 2.00 (1.00–4.00) |"
