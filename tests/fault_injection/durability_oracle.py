"""What must survive a power loss at each moment of a training: the oracle of ``power_loss``."""

import json
from pathlib import PurePath
from typing import Any, NamedTuple

from tests.fault_injection.disk_model import Disk, File, Node
from tests.fault_injection.disk_recording import PRINTED, Operation
from tests.fault_injection.small_runs import RUN

HEAD = len(b"nncli checkpoint 1\n") + 32  # bytes before a checkpoint's line of JSON


class Guarantee(NamedTuple):
    """What a power loss must leave: at least this epoch and batch, and whether the run is published and finished."""

    position: tuple[int, int] = (0, 0)
    published: bool = False
    finished: bool = False


class DurabilityOracle:
    """Derives the guarantees from the operations: a file is durable as soon as its atomic write has returned.

    An atomic write has returned when its directory was synced after the rename, or, without such an fsync, when the
    next operation begins.
    """

    def __init__(self) -> None:
        self._renamed: tuple[str, Node] | None = None
        self.now = Guarantee()

    def follow(self, operation: Operation, disk: Disk) -> Guarantee:
        """The guarantee after an operation, which the disk has executed."""
        method, arguments = operation
        if self._renamed is not None and self._has_returned(method, arguments, disk):
            self._guarantee(*self._renamed)
            self._renamed = None
        if method == "rename":
            self._renamed = arguments[1], disk.find(arguments[1])
        if method == PRINTED:
            self.now = self.now._replace(finished=True)
        return self.now

    @staticmethod
    def _has_returned(method: str, arguments: tuple[Any, ...], disk: Disk) -> bool:
        if method == "fsync":
            return not isinstance(disk.opened(arguments[0]), File)
        return method != "open"

    def _guarantee(self, path: str, node: Node) -> None:
        if path == RUN:
            self.now = self.now._replace(published=True)
        elif path == f"{RUN}/evaluation.json":
            self.now = self.now._replace(finished=True)
        elif PurePath(path).suffix == ".ckpt" and isinstance(node, File):
            self.now = self.now._replace(position=position(node.content()))


def position(checkpoint: bytes) -> tuple[int, int]:
    """Epoch and batch of a checkpoint."""
    head = json.loads(checkpoint[HEAD:].partition(b"\n")[0])
    return head["state"]["epoch"], head["state"]["batch"]
