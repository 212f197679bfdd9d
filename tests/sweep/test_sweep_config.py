"""The keys of a sweep file, and their documentation."""

import re
from pathlib import Path

from nncli.sweep.plan import record_from_file
from nncli.sweep.sweep_config import SweepConfig, SweepOptions
from tests.conftest import ROOT

SECTION = re.search(r"\n## Sweeps\n(.*?)\n## ", (ROOT / "configs/README.md").read_text(encoding="utf-8"), re.DOTALL)[1]


def test_every_key_is_documented():
    """The page of configs has a row for each key of a sweep file, and no other."""
    assert set(re.findall(r"^\| `(\w+)` \|", SECTION, re.MULTILINE)) == set(SweepConfig.model_fields)


def test_options_are_keys():
    """Each option of the command line is a key of a sweep file, except for the directory of runs."""
    assert set(SweepOptions._fields) - {"runs"} == set(SweepConfig.model_fields) - {"base", "over"}


def test_the_example_is_valid(tmp_path):
    """The example of the page is a sweep of the config that it names."""
    example = re.search(r"```yaml\n(.*?)```", SECTION, re.DOTALL)[1]
    path = tmp_path / "sweep.yaml"
    path.write_text(example.replace("adam.yaml", str(ROOT / "configs/adam.yaml")))
    record = record_from_file(Path(path), SweepOptions())
    assert (record.method, record.trials, len(record.axes), record.seeds) == ("tpe", 30, 3, [0, 1, 2])
