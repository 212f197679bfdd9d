"""Where the process starts, as ``nncli`` or ``python -m nncli``; Ctrl-C is handled before anything slow is imported."""

import _signal  # the module signal itself takes 5 ms to import, in which Ctrl-C would print a traceback
import os


def exit_at_once(signum: int, frame: object) -> None:
    """End the process with 130. An exception could be raised in the middle of an import, which may turn or lose it."""
    try:
        os.write(2, b"interrupted\n")
    finally:
        os._exit(130)


if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:  # a signal that is ignored stays ignored
    _signal.signal(_signal.SIGINT, exit_at_once)

import gc  # noqa: E402
import sys  # noqa: E402

gc.set_threshold(50_000)  # objects between two garbage collections: start-up makes about as many, hardly any garbage

from nncli.cli.main import main as run  # noqa: E402 (slow)


def main() -> int:
    """Run the command of this process' arguments, and return its exit code."""
    code = run(sys.argv[1:])
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)  # the command has ended, which Ctrl-C does not change any more
    gc.freeze()  # no garbage collection in all that was imported, which takes 18 ms
    return code


if __name__ == "__main__":
    sys.exit(main())
