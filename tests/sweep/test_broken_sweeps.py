"""Broken sweeps: every problem is reported at once, with its place and message, before anything is trained.

The file broken_sweeps.txt has each sweep file, and after => the problems that are reported.
"""

import re
from pathlib import Path

import pytest

from nncli.errors import CommandLineError, ConfigError, MissingExtraError
from nncli.sweep.plan import record_from_command_line, record_from_file
from nncli.sweep.sweep_config import SweepOptions
from tests.conftest import SPEC

WITHOUT_VALIDATION = SPEC.replace("validation: {type: spiral, samples: 20}\n", "")
BASES = {
    "config.yaml": SPEC,
    "problems.yaml": SPEC.replace("units: 8", "units: many"),
    "notes.yaml": "- buy milk\n",
    "broken.yaml": "layers: [dense\n",
    "few.yaml": WITHOUT_VALIDATION,
    "seeds.yaml": f"{WITHOUT_VALIDATION}seeds: {{weights: 3}}\n",
    "last.yaml": f"{WITHOUT_VALIDATION}validation: {{fraction: 0.2, last: true}}\n",
}
TEXT = Path(__file__).with_name("broken_sweeps.txt").read_text(encoding="utf-8")
SWEEPS = re.findall(r"^# (.*)\n((?:.*\n)*?)=>\n((?:.+\n)+)", TEXT, re.MULTILINE)


@pytest.fixture(autouse=True)
def bases(tmp_path, monkeypatch):
    """A directory with base configs."""
    monkeypatch.chdir(tmp_path)
    for name, text in BASES.items():
        (tmp_path / name).write_text(text)


def problems(error):
    """The lines of a message without the snippets of the source."""
    return [line for line in str(error).splitlines() if not line.startswith("    ")]


def test_sweeps_are_many_and_different():
    """At least 40 kinds of broken sweeps are tested."""
    assert len({text for _, text, _ in SWEEPS}) == len(SWEEPS) == TEXT.count("=>") >= 40


@pytest.mark.parametrize(("text", "expected"), [pytest.param(*rest, id=name) for name, *rest in SWEEPS])
def test_every_problem_is_reported(text, expected):
    """A broken sweep file is rejected with exit code 3; its problems have file, line, column, key, value and fix."""
    Path("sweep.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        record_from_file(Path("sweep.yaml"), SweepOptions())
    assert problems(caught.value) == expected.splitlines()
    assert caught.value.exit_code == 3
    assert len(caught.value.diagnostics) >= len(expected.splitlines())


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        (
            ["optimizer.learning_rate=0.1,-1", "optimizer.beta_1=2"],
            {},
            [
                "command line:2:18: optimizer.beta_1: must be less than 1, got 2",
            ],
        ),
        (
            ["optimizer.learning_rate=0.1,-1", "layers[0].units=8,many"],
            {},
            [
                "command line:1:29: optimizer.learning_rate: must be greater than 0, got -1",
                "command line:2:19: layers[0].units: must be an integer, got 'many'; "
                "write the number of units, such as 64",
            ],
        ),
        (
            ["seed=1,2", "seed=3,4"],
            {},
            ["command line:2:1: seed: varies twice (first at line 1, column 1); remove one"],
        ),
        (
            ["optimizer=sgd,adam", "optimizer.learning_rate=0.1"],
            {},
            [
                "command line:1:1: optimizer: the override 'optimizer.learning_rate=0.1' (argument 2) has no effect, "
                "since optimizer varies; remove one"
            ],
        ),
        (
            ["optimizer=sgd,adam", "optimizer.beta_1=0.5,2"],  # the second one is not tried with the first
            {},
            [
                "command line:2:1: optimizer.beta_1: optimizer.beta_1 varies, but so does optimizer, which contains it;"
                " write whole values of optimizer"
            ],
        ),
        (
            ["optimizer={type: sgd, momentum: 0.9},{momentum: 0.9, type: sgd}"],
            {},
            [
                "command line:1:38: optimizer: {'momentum': 0.9, 'type': 'sgd'} repeats "
                "(first at line 1, column 11); remove one"
            ],
        ),
        (["seed=,"], {}, ["command line:1:6: seed: no value beside the comma; write seed=V1,V2"]),
        (["seed=1,,2"], {}, ["command line:1:8: seed: no value beside the comma; write seed=V1,V2"]),
        (["seed=1, "], {}, ["command line:1:7: seed: no value beside the comma; write seed=V1,V2"]),
        (
            ["layers[0].units={min: 4, max: 2}"],
            {"method": "random", "trials": 0},
            [
                "command line:1:23: layers[0].units.min: min 4 is not less than max 2; write the smaller one as min",
                "command line:3:10: trials: must be at least 1, got 0",
            ],
        ),
        ([], {}, ["command line:1:1: nothing varies; write optimizer.learning_rate=0.1,0.01, or --seeds 10"]),
        (["seed=1,2"], {"max_failures": -1}, ["command line:2:16: max_failures: must be at least 0, got -1"]),
    ],
)
def test_problems_of_a_command_line(arguments, options, expected):
    """On the command line each argument and each option is a line."""
    with pytest.raises(ConfigError) as caught:
        record_from_command_line(Path("config.yaml"), arguments, SweepOptions(**options))
    assert problems(caught.value) == expected


def test_arguments_without_a_path_are_errors_of_the_command_line():
    """An argument that is no override is rejected as by the other commands, and a base that does not exist."""
    with pytest.raises(CommandLineError, match="invalid override 'epochs 3': expected KEY=VALUE"):
        record_from_command_line(Path("config.yaml"), ["epochs 3"], SweepOptions())
    with pytest.raises(CommandLineError, match=r"confg.yaml: no such file; did you mean 'config.yaml'\?"):
        record_from_command_line(Path("confg.yaml"), ["seed=1,2"], SweepOptions())


def test_tpe_needs_its_extra(monkeypatch):
    """Without Optuna the error says which extra to install."""
    monkeypatch.setattr("nncli.sweep.sweep_checks.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"searches by tpe need an extra .*nncli\[sweep\]"):
        record_from_command_line(Path("config.yaml"), ["seed=1,2"], SweepOptions(method="tpe", trials=2))
