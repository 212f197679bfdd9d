"""How much memory this process can have: that of the machine, or less where a container or the shell limits it."""

import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CGROUP = re.compile(r"^[0-9]+:(.*?):(/.*)$", re.MULTILINE)  # in /proc/self/cgroup: controllers, path
MOUNT = re.compile(r"^\S+ \S+ \S+ (/\S*) /(\S*) .*- (cgroup2?) \S+ (\S+)$", re.MULTILINE)  # in /proc/self/mountinfo
LIMIT = re.compile(r"([1-9][0-9]{,18})\n?")  # in bytes; other text, such as "max", is no limit
LIMIT_FILES = {"cgroup2": "memory.max", "cgroup": "memory.limit_in_bytes"}


class Memory(NamedTuple):
    """A number of bytes, and what has that many."""

    bytes: int
    owner: str


def available_memory(root: Path = Path("/")) -> Memory:
    """The smallest of the physical memory, the limits of cgroups, and the address-space limit.

    Args:
        root: the directory in which proc and sys are; where they are not, there are no cgroups.
    """
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found = [Memory(physical, "this machine"), *_cgroup_limits(root)]
    address_space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if address_space != resource.RLIM_INFINITY:
        found.append(Memory(address_space, "the address-space limit (ulimit -v)"))
    return min(found)


def in_units(size: int) -> str:
    """A number of bytes in MiB, or in GiB where it has many.

    >>> in_units(419_430_400), in_units(2**44)
    ('400 MiB', '16,384 GiB')
    """
    return f"{size / 2**30:,.0f} GiB" if size >= 10 * 2**30 else f"{size / 2**20:,.0f} MiB"


def _cgroup_limits(root: Path) -> Iterator[Memory]:
    """The memory limits of this process's cgroup and of its parents, in version 1 and 2; others are ignored."""
    paths = {}
    for controllers, path in CGROUP.findall(_content(root / "proc/self/cgroup")):
        if not controllers or "memory" in controllers.split(","):
            paths["cgroup" if controllers else "cgroup2"] = Path(path)
    for top, mount, version, options in MOUNT.findall(_content(root / "proc/self/mountinfo")):
        if version in paths and (version == "cgroup2" or "memory" in options.split(",")):
            path = paths[version]
            inner = path.relative_to(top) if path.is_relative_to(top) else Path()  # of a container, mounted as its top
            for part in (inner, *inner.parents):
                file = root / mount / part / LIMIT_FILES[version]
                if limit := LIMIT.fullmatch(_content(file)):
                    yield Memory(int(limit[1]), f"the cgroup limit {file}")


def _content(path: Path) -> str:
    """The text of a file; none where it cannot be read."""
    try:
        return os.fsdecode(path.read_bytes())
    except OSError:
        return ""
