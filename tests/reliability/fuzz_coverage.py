"""Specs that grow by what they reach in the reader: fuzzing guided by coverage, with the library atheris.

``guided`` starts this module as a process of its own: the reader has to be instrumented before it is imported, and the
library ends the process that it runs in.
"""

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT, SPEC

INSTALL = "atheris is missing; pip install 'nncli[fuzz]' installs it (for some versions of Python there is none)"
WORDS = "spiral sine dense relu softmax adam type units layers data loss optimizer training epochs &a *a !x [ ] { } : -"
FAULTS = {
    "an alias of nothing is looked up": {
        "nncli/config/document.py": ("if event.anchor not in self.anchors:", "if not event.anchor:")
    },
    "the place of a key that stands twice is lost": {
        "nncli/config/document.py": ("first = node.keys[event.value].line", "first = node.keys[len(node.keys)].line")
    },
}
LONGEST = 4096  # characters of a spec that it makes up


def guided(minutes: float, kept: Path) -> int:
    """Fuzz the reader of specs for so long; returns the exit code."""
    if importlib.util.find_spec("atheris") is None:
        print(INSTALL, file=sys.stderr)
        return 1
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus, words = Path(folder) / "corpus", Path(folder) / "words"
        corpus.mkdir()
        texts = [SPEC, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "configs").rglob("*.yaml")))]
        for number, text in enumerate(texts):
            (corpus / str(number)).write_text(text, encoding="utf-8")
        words.write_text("".join(f'"{word}"\n' for word in WORDS.split()), encoding="utf-8")
        options = [f"-max_total_time={round(60 * minutes)}", f"-dict={words}", f"-max_len={LONGEST}", "-timeout=60"]
        command = [sys.executable, "-m", __name__, *options, f"-artifact_prefix={kept}/", "-rss_limit_mb=2048", corpus]
        outcome = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    return told(outcome.stderr + outcome.stdout, outcome.returncode)


def told(output: str, code: int) -> int:
    """Print what a process of atheris has done, in one line; returns the exit code."""
    done = re.search(r"Done (\d+) runs", output)
    reached = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", output) or [("0", "0", "0")]
    if code or not done:
        print(output[-3000:], file=sys.stderr)
    count, (places, _, kept) = int(done[1]) if done else 0, reached[-1]
    failures = int(bool(code) or not done)
    print(f"{count:,} inputs reached {places} places, {kept} of them kept for it; {failures} failures")
    return failures


def serve() -> None:
    """Instrument the reader, and give it one text after another; never returns."""
    import atheris

    with atheris.instrument_imports(
        include=["nncli.config", "nncli.experiment.loading", "nncli.experiment.checks", "yaml"]
    ):
        from tests.reliability import fuzz_specs
    from tests.reliability.tally import Tally

    path = Path(tempfile.mkdtemp()) / "spec.yaml"

    def judge(data: bytes) -> None:
        path.write_bytes(data)
        wrong = fuzz_specs.judged(path, data, Tally())
        if wrong:
            raise AssertionError(wrong)

    atheris.Setup(sys.argv, judge)
    atheris.Fuzz()


if __name__ == "__main__":
    serve()
