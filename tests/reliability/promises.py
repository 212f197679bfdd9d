"""What a training has promised up to a moment: that so much will outlive a power cut."""

import json
from pathlib import PurePath
from typing import Any, NamedTuple

from tests.reliability.disk import Disk, File, Node
from tests.reliability.recording import PRINTED, Operation
from tests.reliability.trials import RUN

HEAD = len(b"nncli checkpoint 1\n") + 32  # bytes before a checkpoint's line of JSON


class Promise(NamedTuple):
    """From which epoch and batch on training will continue, and whether the run is published, and finished."""

    position: tuple[int, int] = (0, 0)
    published: bool = False
    finished: bool = False


class Promises:
    """Reads off the operations what has been promised: a file counts from the moment that its put is over.

    A put is over when the folder was synced after the rename, or, where that is left out, when something else is done.
    """

    def __init__(self) -> None:
        self._renamed: tuple[str, Node] | None = None
        self.now = Promise()

    def follow(self, operation: Operation, disk: Disk) -> Promise:
        """The promises after an operation, which the disk has carried out."""
        method, arguments = operation
        if self._renamed is not None and self._is_over(method, arguments, disk):
            self._keep(*self._renamed)
            self._renamed = None
        if method == "rename":
            self._renamed = arguments[1], disk.find(arguments[1])
        if method == PRINTED:
            self.now = self.now._replace(finished=True)
        return self.now

    @staticmethod
    def _is_over(method: str, arguments: tuple[Any, ...], disk: Disk) -> bool:
        if method == "fsync":
            return not isinstance(disk.opened(arguments[0]), File)
        return method != "open"

    def _keep(self, path: str, node: Node) -> None:
        if path == RUN:
            self.now = self.now._replace(published=True)
        elif path == f"{RUN}/evaluation.json":
            self.now = self.now._replace(finished=True)
        elif PurePath(path).suffix == ".ckpt" and isinstance(node, File):
            self.now = self.now._replace(position=position(node.content()))


def position(checkpoint: bytes) -> tuple[int, int]:
    """Epoch and batch of a checkpoint."""
    head = json.loads(checkpoint[HEAD:].partition(b"\n")[0])
    return head["position"]["epoch"], head["position"]["batch"]
