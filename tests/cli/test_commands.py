"""The layout of the command line: command ``x`` is ``commands/x.py``, drawn by ``render/x.py``; it computes nothing."""

import ast

import pytest

from nncli.cli.main import COMMANDS
from nncli.cli.main import nncli as group
from tests.conftest import ROOT

CLI = ROOT / "nncli" / "cli"
SHARED_RENDER_MODULES = {
    "console",
    "table",
    "format",
    "metrics_table",
    "table_notes",
    *("comparison_files", "comparison_rows", "compare_groups", "group_files"),  # of compare
    "component_reference",  # of explain, components and configs/README.md
    *("progress", "panel", "live", "live_curves"),  # of train
    "group_panel",  # of sweep, worker, and train of a group
    "boundary",  # of plot, and while training
    "diagram",  # of compare and plot
    *("plot_tables", "figures", "figure_diagrams", "figure_planes"),  # of plot
}
DATA_ONLY = ("nncli.cli.", "nncli.config.", "nncli.registry")  # packages that any render module may import
CONSTANTS = {  # modules that a render module imports for a constant: the name of a part, the cores, the kinds of status
    "boundary": {"nncli.report.colors"},
    "diagram": {"nncli.report.colors"},
    "figure_planes": {"nncli.report.colors"},
    "figure_diagrams": {"nncli.report.colors", "nncli.report.curves"},
    "plot": {"nncli.report.curves"},
    "profile": {"nncli.analysis.profiling", "nncli.processes"},
    "runs": {"nncli.store.run_status"},
}

QUICK = {  # modules that commands may import at the top
    *(
        "nncli.cli.group_options",
        "nncli.cli.group_training",
        "nncli.cli.training_progress",
        "nncli.cli.docstrings",
        "nncli.cli.note_options",
        "nncli.cli.interrupts",
        "nncli.cli.options",
        "nncli.cli.output",
        "nncli.cli.paths",
    ),
    "nncli.errors",
}


def modules(package):
    """The syntax trees of the modules in a package of nncli.cli, by name."""
    paths = (path for path in (CLI / package).glob("*.py") if path.stem != "__init__")
    return {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def imports(statements):
    """The names of all modules that statements import, except those for type checkers."""
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield statement.module
        elif not (isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"):
            yield from imports(ast.iter_child_nodes(statement))


COMMAND_MODULES, RENDER_MODULES = modules("commands"), modules("render")


def test_command_modules_are_the_commands():
    """Each command has a module of its name, and each module is a command."""
    assert set(COMMAND_MODULES) == {command.name for command in group.commands.values()} == set(COMMANDS)


def test_render_modules_belong_to_commands():
    """A render module has the name of a command, or is one of the shared ones."""
    assert set(RENDER_MODULES) - SHARED_RENDER_MODULES <= set(COMMAND_MODULES)


@pytest.mark.parametrize("name", COMMAND_MODULES)
def test_command_modules_import_only_click_at_the_top(name):
    """Everything slow is imported by the command itself, so that help starts fast."""
    top = [node for node in COMMAND_MODULES[name].body if isinstance(node, ast.Import | ast.ImportFrom)]
    own = [module for module in imports(top) if module.startswith(("nncli", "rich", "numpy", "yaml", "pydantic"))]
    assert set(own) <= QUICK | ({"nncli.cli.main"} if name == "completion" else set())


@pytest.mark.parametrize("name", COMMAND_MODULES)
def test_command_modules_render_with_their_own_module(name):
    """A command imports its own render module, and shared ones."""
    rendered = {
        each.removeprefix("nncli.cli.render.") for each in imports([COMMAND_MODULES[name]]) if ".render." in each
    }
    assert rendered <= {name} | SHARED_RENDER_MODULES


@pytest.mark.parametrize("name", RENDER_MODULES)
def test_render_modules_compute_nothing(name):
    """A render module gets its data from the command: it imports no package that computes."""
    used = {module for module in imports([RENDER_MODULES[name]]) if module.startswith("nncli")}
    assert {module for module in used if not module.startswith(DATA_ONLY)} == CONSTANTS.get(name, set())
