"""The document of all benchmarks has the parts that are asked for."""

import subprocess
import sys

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import document, memory, steps, time_to_accuracy, worker
from tests.benchmarks.document import Options
from tests.benchmarks.machine import ROOT, usable_cores
from tests.benchmarks.processor_kinds import AS_IS, Kind
from tests.benchmarks.shapes import Shape

TINY = Shape((2, 4, 3), 20)
OTHER = Kind("Another kind", {"OPENBLAS_VERBOSE": "0"})


@pytest.fixture
def options():
    """The smallest options: nncli alone, in one round."""
    return Options(kinds=(AS_IS,), threads=1, rounds=1, seeds=1, fashion=None, names=("nncli",))


@pytest.mark.slow
def test_steps_of_each_kind_and_number_of_threads(options, monkeypatch):
    """The table of a kind has a row of each network with each number of threads, with the times of all baselines."""
    monkeypatch.setattr(steps, "SHAPES", (TINY,))
    monkeypatch.setattr(worker, "SECONDS", 0.01)
    threads = min(2, usable_cores())
    kinds = options._replace(kinds=(AS_IS, OTHER), threads=threads, names=("nncli", "textbook"))
    blocks = list(document.steps(kinds))
    assert [block for block in blocks if block.startswith("###")] == [f"### {AS_IS.title}", "### Another kind"]
    times = [block for block in blocks if block.startswith("| network | threads | nncli | textbook NumPy |")]
    assert len(times) == 2
    for table in times:
        rows = table.splitlines()[2:]
        expected = [f"| 2-4-3, 20 rows | {count} |" for count in range(1, threads + 1)]
        assert [row[: len(start)] for row, start in zip(rows, expected, strict=True)] == expected


def test_variables_of_a_kind_reach_the_measurement(options, monkeypatch):
    """Each kind is measured in its own environment."""
    seen = []

    def compare(names, shapes, variables, rounds, with_products):
        seen.append((variables.get("OPENBLAS_VERBOSE"), variables["OMP_NUM_THREADS"], usable_cores()))
        return {shape: [{"nncli": 1.0}] for shape in shapes}

    monkeypatch.setattr(steps, "compare", compare)
    list(document.steps(options._replace(kinds=(AS_IS, OTHER))))
    assert seen == [(None, "1", 1), ("0", "1", 1)]


def test_fashion_mnist_needs_its_directory(options, monkeypatch):
    """Without the directory only the spiral is trained, and the document says so."""
    trained = []

    def rounds_of(problem, names, seeds, fashion, variables):
        trained.append(problem.name)
        return [{"nncli": {"seconds": 1.0, "memory": 1.0, "epochs": 1, "reached": True}}]

    monkeypatch.setattr(time_to_accuracy, "rounds_of", rounds_of)
    assert "left out" in "\n".join(document.accuracy(options))
    assert trained == ["spiral"]
    assert "left out" not in "\n".join(document.accuracy(options._replace(fashion="here")))
    assert trained == ["spiral", "spiral", "Fashion-MNIST"]


@pytest.mark.slow
def test_only_some_parts(monkeypatch, capsys):
    """The command prints the header and the parts that are named, and how long they took on standard error."""
    monkeypatch.setattr(memory, "NETWORKS", {"tiny": memory.Network(2000, 8, (4,), 3, 20)})
    monkeypatch.setattr(command, "COMPARED", ())
    monkeypatch.setattr("sys.argv", ["benchmarks", "--only", "memory", "--rounds", "1"])
    command.main()
    printed = capsys.readouterr()
    assert [line for line in printed.out.splitlines() if line.startswith("#")] == [
        "# Benchmarks of nncli",
        "## Peak memory",
    ]
    assert "| tiny | 20 | 51 |" in printed.out
    assert "numpy " in printed.out
    assert printed.err.startswith("memory: ")


def test_wrong_arguments_are_rejected(tmp_path, capsys):
    """An unknown part, and a directory without the files, end the command."""
    for arguments, message in [
        (["--only", "steps,memories"], "no part is called 'memories'; there are steps, processes"),
        (["--fashion", str(tmp_path)], "train-images-idx3-ubyte.gz does not exist"),
    ]:
        with pytest.raises(SystemExit) as error:
            command.parse_arguments(arguments)
        assert error.value.code == 2
        assert message in capsys.readouterr().err
    assert command.parse_arguments(["--only", "steps,memory"]).only == ["steps", "memory"]


def test_measuring_process_stays_small():
    """The module does not load NumPy, whose memory would count as that of the processes that it starts."""
    code = "import sys, tests.benchmarks.document; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
