"""The documents that ``--json`` prints: their keys and types are those that nncli/README.md documents."""

import json
import re
import shutil
from dataclasses import dataclass, field

import numpy as np
import pytest

from nncli.cli.main import nncli as group
from nncli.store.group_files import AxisRecord, GroupRecord, create_group
from tests.conftest import ROOT
from tests.examples import BINARY, LATE_TEST, SINE, put_record

TYPES = {
    "any": object,
    "array of strings": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}
RUNS = {
    "classes": ("training.epochs=20",),
    "again": ("training.epochs=30",),
    "more": ("data.samples=30", "training.epochs=20"),
    "binary": (*BINARY, "training.epochs=20"),
    "sine": (*SINE, "training.epochs=20"),
    "late": LATE_TEST,
    "nothing": ("optimizer.learning_rate=1e-9", "training.epochs=20"),
}
DIVERGING = ["train", "config.yaml", "optimizer.learning_rate=1e30"]
COMMANDS = {  # each documented key appears in one of the documents of its heading
    "Errors": [["show", "bad.yaml"], ["show", "config.yaml", "--lr", "1"], ["compare", "one", "two"], DIVERGING],
    "check": [["check", "bad.yaml", "missing.yaml", "config.yaml"]],
    "data": [["data", "table.csv", "--target", "b"], ["data", "x.npy"], ["data", "y.npy"]],
    "train": [
        ["train", "config.yaml"],
        ["train", "config.yaml", *LATE_TEST],
        ["train", "config.yaml", *RUNS["nothing"]],
    ],
    "sweep, worker, train of a group": [
        ["sweep", "config.yaml", "optimizer=sgd,adam", "training.threads=1,999", "training.epochs=2"],
        ["worker", "config-sweep"],
        ["train", "config.yaml", "--seeds", "2", "training.epochs=2"],
        ["train", "config.yaml", "validation=null", "--folds", "5", "training.epochs=2"],
    ],
    "evaluate": [
        ["evaluate", "nothing"],
        ["evaluate", "classes"],
        ["evaluate", "binary"],
        ["evaluate", "sine"],
        ["evaluate", "late", "--fail-below", "accuracy=2"],
        ["evaluate", "arrays", "--data", "x.npy", "--data", "y.npy"],
    ],
    "plot": [
        ["plot", "classes", "--boundary", "--curves", "--confusion", "--calibration", "--weights", "--gradients"],
        ["plot", "classes", "binary", "--units"],
        ["plot", "sine", "--boundary", "--residuals"],
    ],
    "compare": [
        ["compare", "classes", "nothing"],
        ["compare", "classes", "again", "--top", "1"],
        ["compare", "classes", "more"],
        ["compare", "late", "sine", "--different-data"],
    ],
    "runs": [["runs", "--export", "tensorboard", "events"], ["runs"]],
    "note": [["note", "classes", "a note", "--tag", "a"], ["note", "sine"]],
    "rm": [["rm", "binary", "group", "--yes"]],
    "compare with groups": [
        ["compare", "seeds"],
        ["compare", "classes", "nothing", "--by", "optimizer.learning_rate"],
        ["compare", "seeds", "--baseline", "adam", "--metric", "validation_loss"],
    ],
    "verify": [["verify", "classes"], ["verify", "old"]],
    "verify GROUP": [["verify", "group"]],
    "cache": [["cache", "--cache-dir", "entries"]],
    "show": [["show", "config.yaml"]],
    "explain CONFIG": [["explain", "config.yaml"]],
    "explain COMPONENT with values": [["explain", "relu", "--inputs", "[1]", "--grad", "[1]"]],
    "explain TOPIC": [["explain"], ["explain", "momentum", "config.yaml"]],
    "explain COMPONENT, nncli components": [["explain", "dense"], ["components"]],
    "gradcheck": [["gradcheck", "config.yaml"]],
    "profile": [["profile", "config.yaml", "--seconds", "1"]],
}

AGAIN = {"reproducible": True, "differences": []}
EXIT_CODES = {"Errors": {2, 3, 4, 7}, "check": {3}}


@dataclass
class Key:
    """A documented key, or a container of documented keys."""

    types: list[str] = field(default_factory=list)
    is_optional: bool = True  # a container is optional if all keys in it are
    keys: dict[str, "Key"] = field(default_factory=dict)
    is_seen: bool = False


def documented_keys():
    """By heading, the keys of its table as a tree."""
    section = (ROOT / "nncli" / "README.md").read_text(encoding="utf-8").partition("\n## JSON output\n")[2]
    for block in section.partition("\n## ")[0].split("\n### ")[1:]:
        heading, _, text = block.removeprefix("nncli ").partition("\n")
        root = Key(is_optional=False)
        for path, types, meaning in re.findall(r"^\| `(.+?)` \| (.*?) \| .*? ?\| (.*) \|$", text, re.MULTILINE):
            node, is_optional = root, meaning.startswith("*optional*")
            for name in re.findall(r"\[\]|[^.\[\]]+", path):
                node = node.keys.setdefault(name, Key())
                node.is_optional &= is_optional
            node.types = types.split(" or ")
        yield heading, root


DOCUMENTED = dict(documented_keys())


def undocumented(value, key, path=""):
    """Yield what a value contradicts in the documentation of its key."""
    key.is_seen = True
    if isinstance(value, dict) and key.keys:
        names = {name: key.keys.get(name, key.keys.get("*")) for name in value}
        yield from (f"{path}.{name} is not documented" for name, known in names.items() if known is None)
        required = {name for name, known in key.keys.items() if name != "*" and not known.is_optional}
        yield from (f"{path}.{name} is missing" for name in required - set(value))
        for name, known in names.items():
            if known is not None:
                yield from undocumented(value[name], known, f"{path}.{name}")
    elif isinstance(value, list) and "[]" in key.keys:
        for item in value:
            yield from undocumented(item, key.keys["[]"], f"{path}[]")
    elif not any(is_instance(value, name) for name in key.types):
        yield f"{path} is {value!r}, not {' or '.join(key.types)}"


def is_instance(value, name):
    """Whether a value has a type of JSON; true and false are no integers."""
    return isinstance(value, TYPES[name]) and (not isinstance(value, bool) or name in {"boolean", "any"})


def unseen(key, path=""):
    """Yield the documented keys that no document had."""
    if key.types and not key.is_seen:
        yield path
    for name, inner in key.keys.items():
        yield from unseen(inner, f"{path}.{name}")


@pytest.fixture
def runs(workdir, run_cli, optimizer_group):
    """Finished runs of each task, a group, and a run that has lost its run.json."""
    shutil.copytree(optimizer_group, workdir / "runs" / "seeds")
    for name, changes in RUNS.items():
        assert run_cli("train", "config.yaml", *changes, "-q", "--name", name).code == 0
    assert run_cli("train", "config.yaml", "-q", "--name", "damaged").code == 0
    (workdir / "runs" / "damaged" / "run.json").unlink()
    np.save("x.npy", np.arange(40.0).reshape(20, 2) % 7)
    np.save("y.npy", np.arange(20) % 3)
    arrays = ("data={type: arrays, path: x.npy, targets: y.npy}", "validation=null", "training.epochs=2")
    assert run_cli("train", "config.yaml", *arrays, "-q", "--name", "arrays").code == 0
    shutil.copytree(workdir / "runs" / "classes", workdir / "runs" / "old")
    record = json.loads((workdir / "runs" / "old" / "run.json").read_bytes())
    put_record(workdir / "runs" / "old" / "run.json", {**record, "versions": {**record["versions"], "numpy": "1.0"}})
    record = GroupRecord(
        config="",
        config_path="../config.yaml",
        axes=[AxisRecord(key="optimizer.learning_rate", values=[0.1])],
        seeds=[0, 1],
    )
    group = create_group(workdir / "runs", "group", record, is_numbered=False)
    for name in ("0000", "0001"):
        assert run_cli("train", "config.yaml", "-q", "--runs-dir", group, "--name", name).code == 0
    for noted in ("group", "nothing"):
        assert run_cli("note", noted, "a note", "--tag", "a").code == 0
    (workdir / "bad.yaml").write_text("seed: -1", encoding="utf-8")
    (workdir / "entries").mkdir()
    (workdir / "entries" / "0.rows").write_bytes(b"entry")
    (workdir / "table.csv").write_text("a,b,note\n1,x,p\n2,y,q\n3,x,r\n3,x,r\n", encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("heading", DOCUMENTED)
def test_json_documents_have_the_documented_keys(runs, run_cli, heading):
    """All documents have only documented keys, of the documented types, and each documented key is in one of them."""
    for command in COMMANDS[heading]:
        result = run_cli(*command, "--json")
        assert result.code in EXIT_CODES.get(heading, {0, 8}), result.err
        assert list(undocumented(json.loads(result.out), DOCUMENTED[heading])) == []
    assert list(unseen(DOCUMENTED[heading])) == []


def test_json_documents_of_all_commands_are_documented():
    """Each command with ``--json`` has a table."""
    with_json = {name for name, command in group.commands.items() if any(p.name == "as_json" for p in command.params)}
    assert with_json == {command[0] for heading in DOCUMENTED for command in COMMANDS[heading]}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"run": "a", "holds": True, "checks": [], **AGAIN}, []),
        ({"run": "a", "holds": None, "checks": [{"what": "", "words": "", "holds": None}], **AGAIN}, []),
        ({"run": "a", "holds": True, **AGAIN}, [".checks is missing"]),
        ({"run": 1, "holds": True, "checks": [], **AGAIN}, [".run is 1, not string"]),
        ({"run": "a", "holds": True, "checks": [], "new": 1, **AGAIN}, [".new is not documented"]),
    ],
)
def test_json_documents_with_other_keys_are_found(document, problem):
    """The test itself reports missing, unknown and wrongly typed keys."""
    assert list(undocumented(document, DOCUMENTED["verify"])) == problem
