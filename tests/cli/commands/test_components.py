"""``nncli components``: list the registered components."""

import json

import pytest

import nncli.experiment.loading  # noqa: F401 (registers the components)
from nncli.cli.render.component_reference import default_text, describe
from nncli.registry import components, kinds

ALL = [entry for kind in kinds() for entry in components(kind)]
IDS = [f"{entry.kind}-{entry.name}" for entry in ALL]


@pytest.mark.parametrize("entry", ALL, ids=IDS)
@pytest.mark.parametrize("form", [[], ["--markdown"]])
def test_component_is_listed_with_its_parameters(run_cli, monkeypatch, entry, form):
    """Name, alias, summary, and each parameter with type, default and range."""
    monkeypatch.setenv("COLUMNS", "200")
    result = run_cli("components", entry.kind, *form)
    assert (result.code, result.err) == (0, "")
    assert entry.name in result.out
    assert (entry.alias or "") in result.out
    assert entry.documentation.summary in result.out
    for parameter in entry.parameters:
        doc = describe(parameter)
        cells = (doc.name, doc.type, default_text(parameter, "{}"), doc.range)
        assert any(all(cell in line for cell in cells) for line in result.out.splitlines()), doc.name


@pytest.mark.parametrize("kind", kinds())
def test_kind_lists_only_its_components(run_cli, kind):
    """All components of one kind, in the order of registration."""
    document = json.loads(run_cli("components", kind, "--json").out)
    assert [(each["kind"], each["name"]) for each in document] == [(kind, entry.name) for entry in components(kind)]


def test_all_components_are_listed_by_default(run_cli):
    """Every kind has a heading, and every component a line."""
    out = run_cli("components").out
    assert [line for line in out.splitlines() if line and not line.startswith(" ")] == list(kinds())
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ") and line[2] != " "] == [
        entry.name for entry in ALL
    ]


def test_json_lists_every_component(run_cli):
    """Every component with every parameter, and with these keys; nothing on standard error."""
    result = run_cli("components", "--json")
    document = json.loads(result.out)
    assert result.err == ""
    assert [(each["kind"], each["name"], each["alias"], each["summary"]) for each in document] == [
        (entry.kind, entry.name, entry.alias, entry.documentation.summary) for entry in ALL
    ]
    keys = {"kind", "name", "alias", "summary", "text", "parameters", "source", "example"}
    for each, entry in zip(document, ALL, strict=True):
        assert set(each) == keys
        assert [parameter["name"] for parameter in each["parameters"]] == [known.name for known in entry.parameters]
        assert all(set(doc) == {"name", "type", "default", "range", "meaning"} for doc in each["parameters"])


@pytest.mark.parametrize("entry", ALL, ids=IDS)
def test_every_parameter_is_documented(entry):
    """No parameter lacks a type or a meaning."""
    assert entry.documentation.summary
    assert all(each.type and each.meaning for each in map(describe, entry.parameters))


def test_help_lists_the_kinds(run_cli):
    """The values of KIND."""
    text = " ".join(run_cli("components", "--help").out.split())
    listed = text.partition("Kinds: ")[2].partition(".")[0]
    words = listed.split(", ")
    entries = [json.loads(run_cli("components", word, "--json").out) for word in words]
    assert sorted({entry["kind"] for entry in chosen}.pop() for chosen in entries) == list(kinds())


def test_forms_of_output_exclude_each_other(run_cli):
    """A command line that asks for two is wrong."""
    assert run_cli("components", "--json", "--markdown").code == 2


def test_unknown_kind_is_an_error_that_lists_the_kinds(run_cli):
    """Exit code 2."""
    result = run_cli("components", "words")
    assert (result.code, result.out) == (2, "")
    assert result.err == f"unknown kind or component 'words'; known: {', '.join(kinds())}\n"


@pytest.mark.parametrize("kind", kinds())
def test_kind_may_be_in_the_plural(run_cli, kind):
    """With the same components."""
    plural = f"{kind}es" if kind.endswith("s") else f"{kind}s"
    assert run_cli("components", plural, "--json") == run_cli("components", kind, "--json")


@pytest.mark.parametrize("name", ["adam", "Adam", "Optimizer_Adam"])
def test_component_is_listed_by_name(run_cli, name):
    """In any spelling that a config may use."""
    (entry,) = json.loads(run_cli("components", name, "--json").out)
    assert (entry["kind"], entry["name"]) == ("optimizer", "adam")


@pytest.mark.parametrize(("word", "meant"), [("adm", "adam"), ("optimisers", "optimizer"), ("mae", "mean_absolute")])
def test_similar_component_or_kind_is_suggested(run_cli, word, meant):
    """Exit code 2."""
    result = run_cli("components", word)
    assert (result.code, result.out) == (2, "")
    assert f"unknown kind or component {word!r}; did you mean '{meant}" in result.err
