"""Coverage-guided fuzzing of the config reader, with the library atheris.

``run`` starts this module as a new process, because the reader has to be instrumented before it is imported, and
atheris ends the process that it runs in.
"""

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT, SPEC

INSTALL = "atheris is missing; pip install 'nncli[fuzz]' installs it (it does not support all versions of Python)"
DICTIONARY = (
    "spiral sine dense relu softmax adam type units layers data loss optimizer training epochs &a *a !x [ ] { } : -"
)
MAX_LENGTH = 4096  # bytes of a config


def run(minutes: float, failures: Path) -> int:
    """Fuzz the config reader for some minutes; returns the exit code."""
    if importlib.util.find_spec("atheris") is None:
        print(INSTALL, file=sys.stderr)
        return 1
    failures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        corpus, dictionary = Path(directory) / "corpus", Path(directory) / "words"
        corpus.mkdir()
        texts = [SPEC, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "configs").rglob("*.yaml")))]
        for index, text in enumerate(texts):
            (corpus / str(index)).write_text(text, encoding="utf-8")
        dictionary.write_text("".join(f'"{word}"\n' for word in DICTIONARY.split()), encoding="utf-8")
        options = [
            f"-max_total_time={round(60 * minutes)}",
            f"-dict={dictionary}",
            f"-max_len={MAX_LENGTH}",
            "-timeout=60",
        ]
        command = [
            sys.executable,
            "-m",
            __name__,
            *options,
            f"-artifact_prefix={failures}/",
            "-rss_limit_mb=2048",
            corpus,
        ]
        outcome = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    return report(outcome.stderr + outcome.stdout, outcome.returncode)


def report(output: str, code: int) -> int:
    """Print the counts in the output of atheris in one line; returns the exit code."""
    done = re.search(r"Done (\d+) runs", output)
    reached = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", output) or [("0", "0", "0")]
    if code or not done:
        print(output[-3000:], file=sys.stderr)
    count, (edges, _, corpus) = int(done[1]) if done else 0, reached[-1]
    failures = int(bool(code) or not done)
    print(f"{count:,} inputs covered {edges} edges, {corpus} of them in the corpus; {failures} failures")
    return failures


def serve() -> None:
    """Instrument the reader, and fuzz it; never returns."""
    import atheris

    with atheris.instrument_imports(
        include=["nncli.config", "nncli.experiment.loading", "nncli.experiment.checks", "yaml"]
    ):
        from tests.fault_injection import fuzz_configs
    from tests.fault_injection.result_counter import ResultCounter

    path = Path(tempfile.mkdtemp()) / "config.yaml"

    def fuzz_one(data: bytes) -> None:
        path.write_bytes(data)
        problem = fuzz_configs.loading_problem(path, data, ResultCounter())
        if problem:
            raise AssertionError(problem)

    atheris.Setup(sys.argv, fuzz_one)
    atheris.Fuzz()


if __name__ == "__main__":
    serve()
