"""A planted fault is in the copy, nowhere else, and what runs there runs with it."""

import pytest

from tests.conftest import ROOT
from tests.reliability.faults import FAULTS
from tests.reliability.sabotage import planted, run_in

CODE = ("nncli/errors.py", "class RunError(NncliError):", "class RunError(NncliError):  # planted")


def test_a_copy_runs_with_the_fault_and_the_original_without(tmp_path):
    """The copy's module is the one that is imported there; the checkout stays as it is."""
    name, right, wrong = CODE
    before = (ROOT / name).read_bytes()
    folder = planted(tmp_path / "copy", {name: (right, wrong)})
    assert wrong in (folder / name).read_text(encoding="utf-8")
    assert (ROOT / name).read_bytes() == before
    outcome = run_in(folder, "nncli", "--version")
    assert (outcome.returncode, outcome.stderr) == (0, "")


@pytest.mark.parametrize("right", ["class NoSuchError", "exit_code = "])
def test_a_fault_whose_place_is_not_one_is_refused(tmp_path, right):
    """A text that is gone, or that stands twice, would make the harness's proof worthless."""
    with pytest.raises(AssertionError, match="no longer holds"):
        planted(tmp_path, {"nncli/errors.py": (right, "")})


@pytest.mark.parametrize(
    ("harness", "fault"), [(harness, fault) for harness, faults in FAULTS.items() for fault in faults]
)
def test_every_fault_has_its_place(harness, fault):
    """What a fault replaces stands in the package exactly once; else the harness's proof would prove nothing."""
    for name, pairs in FAULTS[harness][fault].planted.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        for right, wrong in [pairs] if isinstance(pairs, tuple) else pairs:
            assert text.count(right) == 1
            assert wrong != right


def test_several_faults_of_one_file(tmp_path):
    """A list of pairs is planted one after another."""
    pairs = [("exit_code = 5", "exit_code = 55"), ("exit_code = 6", "exit_code = 66")]
    text = (planted(tmp_path, {"nncli/errors.py": pairs}) / "nncli/errors.py").read_text(encoding="utf-8")
    assert "exit_code = 55" in text
    assert "exit_code = 66" in text


@pytest.mark.parametrize(
    ("harness", "fault"), [(harness, fault) for harness, faults in FAULTS.items() for fault in faults]
)
def test_every_fault_applies_and_compiles(harness, fault):
    """A fault that does not compile would be found by any harness, and show nothing."""
    for name, pairs in FAULTS[harness][fault].planted.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        for right, wrong in [pairs] if isinstance(pairs, tuple) else pairs:
            assert text.count(right) == 1, name
            text = text.replace(right, wrong)
        compile(text, name, "exec")
