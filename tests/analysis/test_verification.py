"""Verification: whether training again would give the same bytes."""

from types import SimpleNamespace

import pytest

from nncli.analysis import verification
from nncli.analysis.verification import Check, obstacles

SUBJECTS = ("run.json", "config.yaml", "spec.yaml", "data", "weights.npz", "checkpoints")


@pytest.mark.parametrize(
    ("has_config_file", "needed"),
    [(True, ["run.json", "config.yaml", "data"]), (False, ["run.json", "spec.yaml", "data"])],
)
@pytest.mark.parametrize("holds", [True, False, None])
def test_only_what_a_training_reads_is_an_obstacle(monkeypatch, has_config_file, needed, holds):
    """Damaged or unreadable; and each difference of the machine."""
    monkeypatch.setattr(verification, "described_differences", lambda record: ["numpy (1 then, 2 now)"])
    run = SimpleNamespace(record=SimpleNamespace(has_config_file=has_config_file))
    found = obstacles(run, [Check(subject, "", holds) for subject in SUBJECTS])
    wrong = [] if holds else [f"{subject} is not ok" for subject in needed]
    assert found == [*wrong, "numpy (1 then, 2 now)"]
