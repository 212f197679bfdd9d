"""Suggested lines are applied to the config that they are about, and the result has to be accepted."""

import re

import pytest

from nncli.config.diagnostics import SourceText
from nncli.config.document import DocumentError, read
from nncli.config.model import Config
from nncli.errors import ConfigError
from nncli.experiment.loading import load, load_mapping
from tests.cli.test_mistakes import (
    CONFIG_FILE,
    KERAS,
    LUDWIG,
    OWN_VALUES,
    PYTORCH_LIGHTNING,
    SKLEARN,
    VALID,
    changed,
    write,
)

SECOND_MISTAKES = {"metrics: accuracy, f1"}  # which their suggestions leave for a second message
ROWS = [
    row
    for row in (*CONFIG_FILE, *KERAS, *PYTORCH_LIGHTNING, *SKLEARN, *LUDWIG, *OWN_VALUES)
    if row.id not in SECOND_MISTAKES
]
FEWEST_APPLIED = 90  # of the rows; a test that applies none could not fail


def applied(config, diagnostic):
    """Apply the suggestion of a message to a config in place; False if it suggests no concrete value."""
    path, message = diagnostic.path, diagnostic.message
    unknown = re.search("unknown key '([^']*)'", message)
    if unknown and re.search("; (not available; )?(layers have no such key; )?remove it", message):
        del at(config, path)[unknown[1]]
        return True
    if unknown and (meant := re.search("did you mean '([^']*)'", message)):
        at(config, path)[meant[1]] = at(config, path).pop(unknown[1])
        return True
    if found := re.search("(?:did you mean|write) '?([{\\[\\w].*)", message):
        value = sections(found[1])
        if unknown and value:
            del at(config, path)[unknown[1]]
        elif not value and not unknown and path and found[1][0] in "{[":
            at(config, path[:-1])[path[-1]] = longest(found[1])
        config.update(value)
        return bool(value) or (not unknown and found[1][0] in "{[")
    return False


def at(config, path):
    """The value at a path."""
    for key in path:
        config = config[key]
    return config


def longest(text):
    """The value of the longest beginning of a text that is one value in YAML."""
    for end in range(len(text), 0, -1):
        if text[end - 1] in "}]" and (found := parsed(text[:end])):
            return found.plain()
    return None


def parsed(text):
    """The root of a YAML text; None if it is none."""
    try:
        return read(SourceText("text", text)).root
    except DocumentError:
        return None


def sections(text):
    """The sections of a config that a text consists of; empty if it does not begin with one."""
    result = {}
    for part in re.split(r" and (?=\w+: )|(?<=[\w}]), (?=\w+: \w+$)", text):
        key, colon, value = part.partition(": ")
        if not colon or key not in Config.model_fields or " or " in value.partition(";")[0].partition("}")[0]:
            return result
        result[key] = longest(value) if value[0] in "{[" else re.match(r"[\w.]+", value)[0]
    return result


@pytest.mark.parametrize(("old", "new", "_"), ROWS)
def test_suggested_lines_are_accepted(workdir, old, new, _):
    """A config with all of its suggestions applied has no error."""
    assert_accepted(changed(VALID, old, new), workdir)


def assert_accepted(text, workdir):
    """Apply all suggestions, if each is concrete, and load the result; the number of suggestions that were applied."""
    write(workdir, text)
    with pytest.raises(ConfigError) as caught:
        load(workdir / "bad.yaml")
    root = parsed(text)
    config = root.plain() if root else None
    if not isinstance(config, dict) or not all(applied(config, each) for each in caught.value.diagnostics):
        return False
    if config["data"].get("type") != "table":  # whose file does not exist
        load_mapping(config)
    return True


@pytest.mark.slow
def test_most_suggestions_are_concrete(workdir):
    """The test above is about many of the rows."""
    assert sum(assert_accepted(changed(VALID, *row.values[:2]), workdir) for row in ROWS) >= FEWEST_APPLIED
