"""The settings of pytest: a time limit for every test, and markers that select a part of the suite."""

import subprocess
import sys

import pytest

OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist")


@pytest.mark.slow
def test_hanging_test_fails(tmp_path, pytestconfig):
    """Every test has the time limit of pyproject.toml, after which it fails."""
    assert 60 <= float(pytestconfig.getini("timeout")) <= 3600
    (tmp_path / "test_endless.py").write_text("def test_endless():\n    while True:\n        pass\n", encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, "--timeout", "0.2"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 1, result.stdout
    assert "Timeout" in result.stdout


@pytest.mark.mutation
def test_mutation_tests_are_slow(request):
    """The marks ``mutation`` and ``fault_injection`` imply ``slow``, so that ``-m "not slow"`` is the quick part."""
    assert request.node.get_closest_marker("slow")
