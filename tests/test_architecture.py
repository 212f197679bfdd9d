"""The architecture as a test: order of the packages, import cycles, dependencies, length of files and functions."""

import ast
import re
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path
from statistics import median, quantiles

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "nncli"
# Imports go down this list only.
PACKAGES = [
    "cli",
    "sweep",
    "export",
    "api",
    "sklearn",
    "report",
    "analysis",
    "inference",
    "runner",
    "store",
    "training",
    "experiment",
    "nn",
    "data",
    "config",
    "registry",
    "processes",
    "threads",
    "errors",
    "version",
]
THIRD_PARTY = {
    "cli": {"click", "matplotlib", "numpy", "plotext", "rich", "yaml"},
    "sweep": {"distributed", "numpy", "optuna", "pydantic_core"},
    "export": set(),
    "api": {"numpy"},
    "sklearn": {"numpy", "sklearn"},
    "report": {"numpy"},
    "analysis": {"numpy"},
    "inference": {"numpy"},
    "runner": {"numpy", "threadpoolctl"},
    "store": {"numpy", "nnfs", "pydantic_core"},
    "training": {"numpy"},
    "experiment": {"numpy"},
    "nn": {"numpy", "threadpoolctl"},
    "data": {"numpy", "nnfs", "pydantic_core", "PIL", "duckdb"},
    "config": {"yaml", "pydantic_core"},
    "registry": {"pydantic_core"},
    "processes": {"numpy"},
    "threads": {"numpy"},
    "errors": set(),
    "version": set(),
    "__main__": set(),
    "__init__": set(),
}

# Imported when an error is found, since most starts find none.
IMPORTED_ON_ERRORS = {
    "nncli.config.document": {"nncli.config.yaml_errors"},
    "nncli.config.validation": {"nncli.config.validation_messages"},
    "nncli.data.delimited.text_file": {"nncli.config.similar_file"},
    "nncli.experiment.checks": {"nncli.config.hints"},
    "nncli.store.find_run": {"nncli.config.hints", "nncli.config.similar_file"},
    "nncli.training.loop": {"nncli.training.divergence"},
    "nncli.experiment.loading": {"nncli.config.similar_file"},
    "nncli.sweep.sweep_config": {"nncli.config.hints", "nncli.config.validation_messages"},
    "nncli.sweep.sweep_checks": {"nncli.config.hints"},
}
IMPORTED_WITH_FILES = {
    "nncli.data.sources.array_source": {"nncli.data.array_preprocessing"},
    "nncli.data.sources.arrays": {"nncli.data.array_pairs"},
    "nncli.data.sources.idx": {"nncli.data.array_pairs"},
    "nncli.data.sources.images": {"nncli.data.array_pairs"},
    "nncli.data.sources.table": {"nncli.data.preprocessing", "nncli.data.table_file"},
    "nncli.experiment.data_plan": {"nncli.data.table_warnings"},
}
# Imported when they are used, since they need not be installed: the package and the extra that installs it, by module.
EXTRAS = {
    "nncli.data.parquet_file": {"duckdb": "parquet"},
    "nncli.data.images": {"PIL": "images"},
    "nncli.cli.render.figures": {"matplotlib": "plots"},
    "nncli.sweep.tpe": {"optuna": "sweep"},
    "nncli.sweep.dask_cluster": {"distributed": "cluster"},
    "nncli.sweep.dask_task": {"distributed": "cluster"},
}
# Imported at the top, since classes inherit from theirs; the module needs the extra.
BASES_OF_EXTRAS = {"nncli.sklearn.estimators": {"sklearn": "sklearn"}}


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_of(path): (path, ast.parse(path.read_text(encoding="utf-8"))) for path in PACKAGE.rglob("*.py")}


def package(module):
    """The package directly under nncli that a module is in."""
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


def test_imports_go_down():
    """No module imports from a package above its own."""
    wrong = []
    for module in set(SOURCES) - {"nncli", "nncli.__main__"}:
        above = PACKAGES[: PACKAGES.index(package(module))]
        wrong += [(module, target) for target, _ in edges(module) if package(target) in above]
    assert not wrong


def test_registry_and_errors_import_nothing_of_the_package():
    """Registry and errors depend on themselves alone."""
    for name in ("registry", "errors", "version"):
        modules = [module for module in SOURCES if package(module) == name]
        assert {package(target) for module in modules for target, _ in edges(module)} <= {name}


def test_imports_have_no_cycle():
    """Each module can be imported after all that it imports."""
    graph = {module: {target for target, _ in edges(module)} for module in SOURCES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(SOURCES)


def test_only_cli_imports_cli():
    """The command line is imported by itself and by ``python -m nncli`` only."""
    users = {module for module in SOURCES for target, _ in edges(module) if target.startswith("nncli.cli.main")}
    assert all(package(user) in {"cli", "__main__"} for user in users)


def test_third_party_imports_are_allowed_per_package():
    """Each package imports only the third-party packages that are listed for it, and the standard library."""
    import sys

    inside = {"nncli", *sys.stdlib_module_names}
    for module, (_, tree) in SOURCES.items():
        outside = {name.split(".")[0] for name, _ in imported(tree)} - inside
        assert outside <= THIRD_PARTY[package(module)], module


def test_imports_are_declared_dependencies():
    """Every package that the code imports is a dependency, or of an extra, in pyproject.toml, and each is imported."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = {
        package: extra
        for packages in (*EXTRAS.values(), *BASES_OF_EXTRAS.values())
        for package, extra in packages.items()
    }
    assert declared_names(project["dependencies"]) == distribution_names(
        set().union(*THIRD_PARTY.values()) - set(optional)
    )
    for extra in set(optional.values()):
        packages = {package for package, each in optional.items() if each == extra}
        assert declared_names(project["optional-dependencies"][extra]) == distribution_names(packages)


def declared_names(requirements):
    """The names of the distributions that requirements name."""
    return {re.match(r"[\w-]+", each)[0].lower().replace("_", "-") for each in requirements}


def distribution_names(packages):
    """The names of the distributions that contain packages."""
    distributions = packages_distributions()
    return {distributions[name][0].lower().replace("_", "-") for name in packages}


def test_imports_are_at_the_top_of_modules():
    """Only extras, and what a command or the message of an error alone needs, is imported inside functions."""
    for module, (_, tree) in SOURCES.items():
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        inside = {name.rpartition(".")[0] for function in functions for name, _ in imported(function)}
        if package(module) != "cli":
            late = {**IMPORTED_ON_ERRORS, **IMPORTED_WITH_FILES, **EXTRAS}
            assert inside == set(late.get(module, ())), module


def test_nn_uses_no_files_clock_or_global_random_state():
    """The network uses no files, no terminal, no clock, and no global random state."""
    global_random_state = r"np\.random\.(seed|rand|randn|set_state|get_state)\b|nnfs\.init"
    forbidden = re.compile(rf"\bopen\(|\bprint\(|\btime\.\w|{global_random_state}")
    for module, (path, _) in SOURCES.items():
        if package(module) == "nn":
            assert not forbidden.search(path.read_text(encoding="utf-8")), module


def test_files_are_written_by_one_module():
    """Files of runs are written in nncli/store/atomic_write.py, those of the cache in nncli/data/cache.py.

    Exceptions are the crash report, a temporary file, and the members of an NPZ file in memory.
    """
    writing = re.compile(r"\.(write_text|write_bytes|mkdir|rename|replace|unlink)\((?!b?[\"'])|open\([^)]*[\"'][wax]")
    found = {m for m, (path, _) in SOURCES.items() if writing.search(path.read_text(encoding="utf-8"))}
    assert found == {"nncli.store.atomic_write", "nncli.data.cache", "nncli.cli.main", "nncli.store.npz"}


def test_files_and_functions_are_short():
    """No file is longer than 300 lines, and no function's body than 40."""
    for module, (path, tree) in SOURCES.items():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, module
        assert not [f"{module}.{name}: {length}" for name, length in function_lengths(tree) if length > 40]


def test_most_functions_are_very_short():
    """Half of all bodies have at most 5 lines, nine in ten at most 15."""
    found = [length for _, tree in SOURCES.values() for _, length in function_lengths(tree)]
    assert median(found) <= 5
    assert quantiles(found, n=10)[-1] <= 15


def function_lengths(tree):
    """Name and length in lines of every function's body, its docstring left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            yield node.name, body[-1].end_lineno - body[0].lineno + 1


def test_every_module_has_a_docstring():
    """A module's docstring begins with a sentence that summarizes it."""
    for module, (_, tree) in SOURCES.items():
        summary = ast.get_docstring(tree) or ""
        assert summary.split("\n\n")[0].rstrip().endswith((".", ":")), module


def test_every_test_has_a_docstring():
    """A test has a docstring that states the property."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tests = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
        assert tests, path
        assert not [(path.name, test.name) for test in tests if not ast.get_docstring(test)]


MIRRORED = sorted(
    path
    for path in (ROOT / "tests").rglob("test_*.py")
    if path.parent != ROOT / "tests"
    and path.parent.name not in {"fault_injection", "mutations", "benchmarks", "compatibility"}
)
WHOLE_PACKAGE = {
    "test_contracts",
    "test_sizes",
    "test_book",
    "test_invalid_configs",
    "test_json_documents",
    "test_mistakes",
    "test_suggestions",
    "test_terminal",
    "test_pytorch",
    "test_divided_divergence",
    "test_divided_processes",
    "test_divided_states",
    "test_divided_steps",
    "test_memory_of_steps",
    "test_prediction_threads",
    "test_language_server",
    "test_formats",
    "test_damaged_tables",
    "test_row_weights",
    "test_drawn",
    "test_broken_sweeps",
    "test_groups",
}


def test_tests_mirror_the_tree():
    """A test file is named after a module of the same package, or after a property of a whole package."""
    for path in MIRRORED:
        directory = PACKAGE / path.parent.relative_to(ROOT / "tests")
        modules = {f"test_{each.stem}" for each in (*directory.rglob("*.py"), *directory.iterdir())}
        assert path.stem in modules | WHOLE_PACKAGE, path


def test_top_level_has_only_the_planned_entries():
    """The top level has no entries but those of the plan, apart from hidden files."""
    import subprocess

    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if listed.returncode:
        pytest.skip("not a checkout")
    top = {Path(name).parts[0] for name in listed.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    assert visible <= {"pyproject.toml", "README.md", "nncli", "configs", "runs", "tests"}
