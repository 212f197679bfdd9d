"""Entry point of ``nncli`` and ``python -m nncli``: it handles Ctrl-C before anything slow is imported."""

import _signal  # importing the module signal takes so long that Ctrl-C could print a traceback meanwhile
import os


def exit_at_once(signum: int, frame: object) -> None:
    """End the process with exit code 130. An exception raised during an import may be replaced by another, or lost."""
    try:
        os.write(2, b"interrupted\n")
    finally:
        os._exit(130)


if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:  # an ignored signal stays ignored
    _signal.signal(_signal.SIGINT, exit_at_once)

import gc  # noqa: E402
import sys  # noqa: E402

gc.set_threshold(100_000)  # start-up allocates about this many objects, and hardly any of them is garbage

from nncli.cli.main import main as run  # noqa: E402 (slow)


def main() -> int:
    """Run the command in ``sys.argv``, and return its exit code."""
    code = run(sys.argv[1:])
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)  # the command has ended: Ctrl-C no longer changes its exit code
    gc.freeze()  # skip the garbage collection of imported modules at exit
    return code


if __name__ == "__main__":
    sys.exit(main())
