"""``nncli schema``: the JSON Schema of a config, for editors."""

import json
from pathlib import Path

from nncli.experiment.json_schema import config_as_schema, schema_text

FILE = "nncli.schema.json"


def test_schema_is_printed(run_cli):
    """One JSON document, and nothing on standard error."""
    result = run_cli("schema")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out) == config_as_schema()


def test_schema_is_written_beside_the_configs(workdir, run_cli):
    """An older copy is overwritten; the message has the line that refers to it."""
    Path(FILE).write_text("old", encoding="utf-8")
    result = run_cli("schema", "--write")
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(f": # yaml-language-server: $schema={FILE}\n")
    assert Path(FILE).read_text(encoding="utf-8") == schema_text()
    assert {each.name for each in workdir.iterdir()} == {"config.yaml", FILE}


def test_failed_write_is_exit_code_5(workdir, run_cli):
    """The message names the file."""
    Path(FILE).mkdir()
    result = run_cli("schema", "--write")
    assert (result.code, result.out) == (5, "")
    assert result.err.startswith(f"{FILE}: ")
