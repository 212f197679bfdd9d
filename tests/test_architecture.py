"""The house held against its plan: floors, circles, lengths, captions."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median, quantiles

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "nncli"
FLOORS = [{"cli", "__main__"}, {"run"}, {"nn"}, {"data"}, {"spec"}, {"registry", "errors"}]
ALLOWED_OUTSIDE = {
    "cli": {"click", "rich", "yaml", "plotext", "threadpoolctl", "pydantic", "pydantic_core"},
    "run": {"numpy", "nnfs", "pydantic_core", "threadpoolctl"},
    "nn": {"numpy"},
    "data": {"numpy", "nnfs"},
    "spec": {"yaml", "pydantic_core"},
    "registry": {"pydantic_core"},
    "errors": set(),
    "__main__": set(),
    "__init__": set(),
}


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_of(path): (path, ast.parse(path.read_text(encoding="utf-8"))) for path in PACKAGE.rglob("*.py")}


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imported(tree):
    """Every module that a tree imports, in full."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)
            assert node.level == 0, "imports are written in full"


def edges(module):
    """The package's own modules that a module imports."""
    for name, node in imported(SOURCES[module][1]):
        target = name if name in SOURCES else name.rpartition(".")[0]
        if target in SOURCES and target != module:
            yield target, node


def floor(module):
    return next((number for number, rooms in enumerate(FLOORS) if room(module) in rooms), None)


@pytest.mark.parametrize("module", sorted(set(SOURCES) - {"nncli"}))
def test_imports_go_down(module):
    """No module imports one on a floor above its own."""
    assert floor(module) is not None, f"{module} is on no floor"
    upward = [target for target, _ in edges(module) if target != "nncli" and floor(target) < floor(module)]
    assert not upward


def test_the_ground_stands_on_nothing():
    """Registry and errors import nothing of the package."""
    assert not [target for module in ("nncli.registry", "nncli.errors") for target, _ in edges(module)]


def test_there_is_no_circle():
    """The modules can be put in an order in which each imports only earlier ones."""
    graph = {module: {target for target, _ in edges(module)} for module in SOURCES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(SOURCES)


def test_nothing_but_cli_uses_cli():
    """The top floor is imported by itself and by ``python -m nncli`` only."""
    users = {module for module in SOURCES for target, _ in edges(module) if target.startswith("nncli.cli")}
    assert all(room(user) in {"cli", "__main__"} for user in users)


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_rooms_know_only_what_they_may(module):
    """Each floor imports from outside only what its caption allows, and the standard library."""
    import sys

    outside = {name.split(".")[0] for name, _ in imported(SOURCES[module][1])} - {"nncli"} - sys.stdlib_module_names
    assert outside <= ALLOWED_OUTSIDE[room(module)]


def test_what_is_imported_is_declared():
    """Every package that the code imports is a dependency in pyproject.toml, and every dependency is imported."""
    import tomllib
    from importlib.metadata import packages_distributions

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.match(r"[\w-]+", each)[0].lower().replace("_", "-") for each in project["dependencies"]}
    distributions = packages_distributions()
    packages = set().union(*ALLOWED_OUTSIDE.values())
    assert {distributions[name][0].lower().replace("_", "-") for name in packages} == declared


@pytest.mark.parametrize("module", sorted(module for module in SOURCES if room(module) != "cli"))
def test_imports_stand_at_the_top(module):
    """Only commands import late, so that they start fast; nobody else hides an import in a function."""
    tree = SOURCES[module][1]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not [inner for function in functions for inner in imported(function)]


def test_nn_touches_neither_files_nor_clock_nor_global_numbers():
    """The network knows no file, no terminal, no clock, and no global random state."""
    global_numbers = r"np\.random\.(seed|rand|randn|set_state|get_state)\b|nnfs\.init"
    forbidden = re.compile(rf"\bopen\(|\bprint\(|\btime\.\w|{global_numbers}")
    for module, (path, _) in SOURCES.items():
        if room(module) == "nn":
            assert not forbidden.search(path.read_text(encoding="utf-8")), module


def test_only_storage_writes():
    """Files are written in nncli/run/storage.py; the one exception, the report of a bug, is a temporary file."""
    writing = re.compile(r"\.(write_text|write_bytes|mkdir|rename|replace|unlink)\((?!b?[\"'])|open\([^)]*[\"'][wax]")
    found = {m for m, (path, _) in SOURCES.items() if writing.search(path.read_text(encoding="utf-8"))}
    assert found == {"nncli.run.storage", "nncli.cli"}


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_files_and_functions_are_short(module):
    """No file is longer than 300 lines, no function's body than 40."""
    path, tree = SOURCES[module]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    assert not [f"{name}: {length}" for name, length in lengths(tree) if length > 40]


def test_most_functions_are_very_short():
    """Half of all bodies have at most 5 lines, nine in ten at most 15."""
    found = [length for _, tree in SOURCES.values() for _, length in lengths(tree)]
    assert median(found) <= 5
    assert quantiles(found, n=10)[-1] <= 15


def lengths(tree):
    """Name and length in lines of every function's body, its docstring left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            yield node.name, body[-1].end_lineno - body[0].lineno + 1


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_every_room_has_a_caption(module):
    """A module's docstring says in a sentence what is in it."""
    caption = ast.get_docstring(SOURCES[module][1])
    assert caption
    assert caption.split("\n\n")[0].rstrip().endswith((".", ":"))


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda path: path.name)
def test_every_test_says_what_it_holds(path):
    """A test has a sentence on the property that it holds."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
    assert tests
    assert not [test.name for test in tests if not ast.get_docstring(test)]


MIRRORING = sorted(
    path for path in (ROOT / "tests").glob("*/test_*.py") if path.parent.name not in {"compatibility", "reliability"}
)


@pytest.mark.parametrize("path", MIRRORING, ids=lambda path: path.stem)
def test_tests_mirror_the_tree(path):
    """A test file of a room is named after a module of that room, or after what holds for the whole room."""
    for_the_room = {"test_contracts", "test_sizes", "test_book", "test_terminal", "test_main", "test_pytorch"}
    modules = {f"test_{module.split('.')[-1]}" for module in SOURCES if room(module) == path.parent.name}
    assert path.stem in modules | for_the_room


def test_top_level_is_the_plan_s():
    """Nothing stands at the top but what the plan names, dot-files aside."""
    import subprocess

    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if listed.returncode:
        pytest.skip("not a checkout")
    top = {Path(name).parts[0] for name in listed.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    assert visible <= {"pyproject.toml", "README.md", "nncli", "configs", "runs", "tests"}
