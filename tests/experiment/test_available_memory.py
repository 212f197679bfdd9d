"""Available memory: the smallest limit applies, and limits that cannot be read are ignored."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from nncli.experiment.available_memory import available_memory
from tests.conftest import SPEC as CONFIG

MIB = 2**20
PHYSICAL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
V2 = "35 31 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID = "38 31 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
V1 = "36 31 0:33 / /sys/fs/cgroup/memory rw,relatime shared:9 master:1 - cgroup cgroup rw,memory\n"
V1_CPU = "37 31 0:34 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
V1_CONTAINER = "36 31 0:33 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"


@pytest.fixture
def tree(tmp_path):
    """Create a root directory with proc and mounted cgroup file systems from the given files."""

    def create(cgroup, mounts, files):
        for name, content in {"proc/self/cgroup": cgroup, "proc/self/mountinfo": mounts, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("utf-8", "surrogateescape"))
        return tmp_path

    return create


@pytest.mark.parametrize(
    ("cgroup", "mounts", "files", "mib"),
    [
        pytest.param("0::/\n", V2, {"memory.max": "400"}, 400, id="v2_namespace"),
        pytest.param("0::/a/b\n", V2, {"a/b/memory.max": "400"}, 400, id="v2"),
        pytest.param("0::/a/b\n", V2, {"a/memory.max": "300", "a/b/memory.max": "400"}, 300, id="v2_parent"),
        pytest.param("0::/a/b\n", V2, {"a/b/memory.max": "max", "memory.max": "500"}, 500, id="v2_top"),
        pytest.param("0::/a\n", V2, {"b/memory.max": "400"}, None, id="v2_of_another_group"),
        pytest.param("0::/../a\n", V2, {"memory.max": "400"}, 400, id="v2_outside_of_the_namespace"),
        pytest.param("4:memory:/a\n0::/\n", V1 + HYBRID, {"memory/a/memory.limit_in_bytes": "400"}, 400, id="v1"),
        pytest.param("4:cpu,memory:/a\n", V1, {"memory/memory.limit_in_bytes": "400"}, 400, id="v1_parent"),
        pytest.param("4:memory:/a\n0::/b\n", V1 + HYBRID, {"unified/b/memory.max": "400"}, 400, id="hybrid"),
        pytest.param(
            "4:memory:/docker/abc\n", V1_CONTAINER, {"memory/memory.limit_in_bytes": "400"}, 400, id="v1_container"
        ),
        pytest.param(
            "4:memory:/docker/abc/x\n", V1_CONTAINER, {"memory/x/memory.limit_in_bytes": "400"}, 400, id="v1_inner"
        ),
        pytest.param("4:cpu:/a\n", V1_CPU, {"cpu/a/memory.limit_in_bytes": "400"}, None, id="v1_other_controller"),
        pytest.param("4:memory:/\n", V1, {"memory/memory.limit_in_bytes": str(2**43 - 1)}, None, id="v1_unlimited"),
    ],
)
def test_smallest_cgroup_limit_applies(tree, cgroup, mounts, files, mib):
    """The limits of the cgroup and its parents apply, in both versions, however the file systems are mounted."""
    contents = {
        f"sys/fs/cgroup/{name}": f"{int(text) * MIB}\n" if text.isdecimal() else f"{text}\n"
        for name, text in files.items()
    }
    found = available_memory(tree(cgroup, mounts, contents))
    if mib is None:
        assert found == (PHYSICAL, "this machine")
    else:
        assert found.bytes == mib * MIB
        assert found.owner.startswith("the cgroup limit ")
        assert Path(found.owner.removeprefix("the cgroup limit ")).read_text(encoding="utf-8") == f"{mib * MIB}\n"


@pytest.mark.parametrize("limit", ["", "0", "-1", "max", "many", "4e8", "٤٠٠", "\0\0", "\udcff", "400 MiB", "9" * 5000])
def test_invalid_limit_is_ignored(tree, limit):
    """Only a positive integer is a limit."""
    root = tree("0::/a\n", V2, {"sys/fs/cgroup/a/memory.max": limit})
    assert available_memory(root) == (PHYSICAL, "this machine")


@pytest.mark.parametrize(
    ("cgroup", "mounts"),
    [("", V2), ("0::/a\n", ""), ("0:/a\n:::\n0::a\n\udcff\n", V2 + "x - cgroup2\n - \n"), ("\0", "\0")],
)
def test_invalid_lists_of_cgroups_and_mounts_are_ignored(tree, cgroup, mounts):
    """Lines of another form are skipped."""
    root = tree(cgroup, mounts, {"sys/fs/cgroup/a/memory.max": str(400 * MIB)})
    assert available_memory(root) == (PHYSICAL, "this machine")


def test_physical_memory_applies_without_proc(tmp_path):
    """Other systems than Linux have no cgroups; a directory instead of a file is not a limit."""
    assert available_memory(tmp_path) == (PHYSICAL, "this machine")
    (tmp_path / "proc/self/cgroup").mkdir(parents=True)
    assert available_memory(tmp_path) == (PHYSICAL, "this machine")


def limited(workdir, arguments, prepare):
    """Run a command in a subprocess, which ``prepare`` limits before it starts."""
    return subprocess.run(
        [sys.executable, "-m", "nncli", *arguments],
        cwd=workdir,
        preexec_fn=prepare,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def large(workdir):
    """A config whose training needs about 500 MiB."""
    text = CONFIG.replace("- relu", "- {type: dense, units: 4000}\n  - relu").replace("units: 8", "units: 4000")
    (workdir / "config.yaml").write_text(text, encoding="utf-8")
    return workdir


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not enforce the address-space limit")
@pytest.mark.parametrize("command", [("check",), ("train", "-q")])
def test_address_space_limit_applies(large, command):
    """A config that exceeds it is rejected before training, and the limit is named."""
    limit = 400 * MIB
    result = limited(
        large,
        [*command, "config.yaml"],
        lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY)),
    )
    assert result.returncode == 3, result.stderr
    assert "MiB of memory, but the address-space limit (ulimit -v) has 400 MiB; use fewer units" in result.stderr
    assert not (large / "runs").exists()


@pytest.fixture
def group():
    """A memory cgroup of version 1 or 2 with a limit of 400 MiB, if this machine allows one."""
    for top, name in ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"), (Path("/sys/fs/cgroup"), "memory.max")):
        path = top / f"nncli-test-{os.getpid()}"
        try:
            path.mkdir()
        except OSError:
            continue
        try:
            (path / name).write_text(str(400 * MIB), encoding="ascii")
            yield path
        except OSError:
            continue
        finally:
            path.rmdir()
        return
    pytest.skip("no permission to create a cgroup")


@pytest.mark.slow
@pytest.mark.parametrize("command", [("check",), ("train", "-q")])
def test_limit_of_a_real_cgroup_applies(large, group, command):
    """A config that exceeds it is rejected, before the kernel would kill the training."""

    def enter():
        (group / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

    result = limited(large, [*command, "config.yaml"], enter)
    assert result.returncode == 3, result.stderr
    assert f"MiB of memory, but the cgroup limit {group}/memory." in result.stderr
    assert "has 400 MiB" in result.stderr
