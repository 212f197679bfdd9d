"""What a command line and a sweep file say."""

from pathlib import Path

import pytest

from nncli.errors import CommandLineError, ConfigError
from nncli.sweep.definition import from_command_line, from_file, is_sweep_file
from nncli.sweep.sweep_config import SweepOptions


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("a=1,2", [1, 2]),
        ("a=1, 2", [1, 2]),
        ("a=[1, 2],[3]", [[1, 2], [3]]),
        ("a=x,{type: sgd, momentum: 0.9}", ["x", {"type": "sgd", "momentum": 0.9}]),
        ("a='1,2',3", ["1,2", 3]),
        ("a=null,true", [None, True]),
        ("a={min: 1, max: 2}", [1, 2]),
        ("a[0].b=1,2", [1, 2]),
    ],
)
def test_what_varies(argument, values):
    """Commas outside of brackets, braces and quotes separate values; a mapping with min and max is a range."""
    definition = from_command_line(Path("config.yaml"), [argument], SweepOptions())
    (axis,) = definition.axes
    assert [each.plain() for each in axis.values] == values
    assert axis.is_range == ("min" in argument)
    assert axis.key == argument.partition("=")[0]
    assert axis.values[0].location.column > argument.index("=") + 1
    assert definition.overrides == []


@pytest.mark.parametrize("argument", ["a=1", "a=[1, 2]", "a={type: sgd, momentum: 0.9}", "a='1,2'", "a=x]", "a="])
def test_overrides(argument):
    """A single value is an override, whatever it is; what is invalid is left to the overrides."""
    definition = from_command_line(Path("config.yaml"), ["b=1,2", argument], SweepOptions())
    assert definition.overrides == [(2, argument)]
    assert len(definition.axes) == 1


def test_options_are_settings():
    """Options that are definition are settings, with the locations of the command line."""
    definition = from_command_line(Path("c.yaml"), ["a=1"], SweepOptions(trials=3, max_failures=0))
    assert {key: node.value for key, node in definition.settings.children.items()} == {
        "base": "c.yaml",
        "trials": 3,
        "max_failures": 0,
    }
    assert str(definition.location("max_failures")) == "command line:3:16"
    assert definition.location("max_failures").source.text == "--max-failures 0"


def test_sweep_files_are_recognized(tmp_path):
    """A sweep file has the key ``base``; configs, other files and missing ones are none."""
    path = tmp_path / "sweep.yaml"
    assert not is_sweep_file(path)
    for text, expected in {"base: a.yaml\n": True, "seed: 0\n": False, "[": False, "- base\n": False}.items():
        path.write_text(text)
        assert is_sweep_file(path) is expected
    assert not is_sweep_file(tmp_path)


def test_files_that_cannot_be_read(tmp_path):
    """A missing sweep file is an error of the command line, one that is not YAML has the place of the error."""
    with pytest.raises(CommandLineError, match="no such file"):
        from_file(tmp_path / "sweep.yaml", [], SweepOptions())
    (tmp_path / "sweep.yaml").write_text("base: a\nover: [\n")
    with pytest.raises(ConfigError, match=r"sweep.yaml:\d+:\d+: invalid YAML"):
        from_file(tmp_path / "sweep.yaml", [], SweepOptions())
    (tmp_path / "sweep.yaml").write_bytes(b"base: \xe9\n")
    with pytest.raises(ConfigError, match="not valid UTF-8"):
        from_file(tmp_path / "sweep.yaml", [], SweepOptions())
