"""The pages of topics: their form, and that what they name exists."""

import re
import shlex

import pytest

from nncli.cli import config_keys
from nncli.cli.options import component_names, components_named
from nncli.cli.topics import PAGES, find_topic, topic_names, topics
from tests.conftest import ROOT

TOPICS = [pytest.param(topic, id=topic.name) for topic in topics()]
# Types with which a key exists that not every component has.
TYPED = {"optimizer": ("sgd", "adam", "adamw"), "layers": ("dense",)}


def test_pages_are_part_of_the_package():
    """Each file is a topic."""
    assert topic_names() == sorted(path.stem for path in PAGES.iterdir())
    assert PAGES.is_relative_to(ROOT / "nncli")


@pytest.mark.parametrize("topic", TOPICS)
def test_page_has_its_parts(topic):
    """A title, a sentence, a formula, paragraphs, keys and related subjects; no line is longer than 120 characters."""
    assert re.fullmatch(r"[A-Z][\w -]+", topic.title)
    assert re.fullmatch(r"[^.]+\.", topic.summary)
    paragraphs = topic.text.split("\n\n")
    assert any(paragraph.startswith("    ") for paragraph in paragraphs)
    assert sum(not paragraph.startswith("    ") for paragraph in paragraphs) >= 1
    assert topic.keys
    assert topic.related
    lines = (PAGES / f"{topic.name}.md").read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 125
    assert len(lines) <= 30


@pytest.mark.parametrize("topic", TOPICS)
def test_words_of_a_page_are_unambiguous(topic):
    """No topic has the name of a component, and no two the same word; related subjects exist."""
    others = {word for each in topics() if each is not topic for word in (each.name, *each.also)}
    for word in (topic.name, *topic.also):
        assert not components_named(word)
        assert word not in others
        assert find_topic(word.upper().replace("_", " ")) is topic
        assert find_topic(word.replace("_", "-")) is topic
    assert set(topic.related) <= {*topic_names(), *component_names()}


@pytest.mark.parametrize("topic", TOPICS)
def test_keys_of_a_page_exist(topic):
    """According to the schema that editors read."""
    for path in topic.keys:
        section, *rest = re.findall(r"\w+", path)
        values = [{"type": name} for name in TYPED.get(section, ())] or [{}]
        assert any(exists(section, rest, value, "[]" in path) for value in values), path


def exists(section, keys, value, is_list):
    """Whether a config has a key, if a section has a value."""
    root = {section: [value] if is_list else value}
    path = [section, 0] if is_list else [section]
    for key in keys:
        schemas, found = config_keys.at(path, root)
        names = {re.split(r"\W", each)[0] for each in config_keys.continued(schemas, config_keys.as_mapping(found))}
        if key not in names:
            return False
        path.append(key)
    return bool(config_keys.at(path, root)[0])


COMMANDS = [pytest.param(command, id=command) for topic in topics() for command in topic.commands]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_a_page_run(run_cli, command):
    """As they are printed."""
    program, *words = shlex.split(command)
    result = run_cli(*words)
    assert (program, result.code, result.err) == ("nncli", 0, "")
