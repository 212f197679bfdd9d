"""The memory that is available to this process: that of the machine, or the limit of a container or shell."""

import os
import re
import resource
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

CGROUP = r"(?m)^[0-9]+:(.*?):(/.*)$"  # in /proc/self/cgroup: controllers, path
MOUNT = r"(?m)^\S+ \S+ \S+ (/\S*) /(\S*) .*- (cgroup2?) \S+ (\S+)$"  # in /proc/self/mountinfo
LIMIT = r"([1-9][0-9]{,18})\n?"  # in bytes; other text, such as "max", means no limit
LIMIT_FILES = {"cgroup2": "memory.max", "cgroup": "memory.limit_in_bytes"}


class Memory(NamedTuple):
    """A number of bytes, and the owner of this memory or limit."""

    bytes: int
    owner: str


def available_memory(root: Path = Path("/")) -> Memory:
    """Return the smallest of physical memory, cgroup limits and address-space limit.

    Args:
        root: the directory that contains proc and sys; without them there are no cgroups.
    """
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [Memory(physical, "this machine"), *_cgroup_limits(root)]
    address_space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if address_space != resource.RLIM_INFINITY:
        limits.append(Memory(address_space, "the address-space limit (ulimit -v)"))
    return min(limits)


def format_bytes(size: int) -> str:
    """Format a number of bytes in MiB, or in GiB from 10 GiB.

    >>> format_bytes(419_430_400), format_bytes(2**44)
    ('400 MiB', '16,384 GiB')
    """
    return f"{size / 2**30:,.0f} GiB" if size >= 10 * 2**30 else f"{size / 2**20:,.0f} MiB"


@cache
def _cgroup_limits(root: Path) -> tuple[Memory, ...]:
    """The memory limits of the cgroup of this process and of its parents, for cgroup versions 1 and 2; read once."""
    return tuple(_read_cgroup_limits(root))


def _read_cgroup_limits(root: Path) -> Iterator[Memory]:
    paths = {}
    for controllers, path in re.findall(CGROUP, _content(root / "proc/self/cgroup")):
        if not controllers or "memory" in controllers.split(","):
            paths["cgroup" if controllers else "cgroup2"] = Path(path)
    for top, mount, version, options in re.findall(MOUNT, _content(root / "proc/self/mountinfo")):
        if version in paths and (version == "cgroup2" or "memory" in options.split(",")):
            path = paths[version]
            relative = path.relative_to(top) if path.is_relative_to(top) else Path()  # in a container
            for directory in (relative, *relative.parents):
                file = root / mount / directory / LIMIT_FILES[version]
                if limit := re.fullmatch(LIMIT, _content(file)):
                    yield Memory(int(limit[1]), f"the cgroup limit {file}")


def _content(path: Path) -> str:
    """The text of a file; empty if it cannot be read."""
    try:
        return os.fsdecode(path.read_bytes())
    except OSError:
        return ""
