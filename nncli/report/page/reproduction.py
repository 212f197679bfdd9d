"""How to reproduce a run: the commands, and the environment in which it was trained."""

from shlex import quote
from typing import Any

from nncli.config.diagnostics import sanitized_line
from nncli.report.page.blocks import Block, Column, Commands, Table
from nncli.store.environment import described_differences
from nncli.store.run_reader import Run


def reproduction(run: Run, label: str) -> list[Block]:
    """The commands that train and check a run again, and its environment."""
    name = quote(sanitized_line(str(run.path)))
    copies = [f"nncli train {name}", f"nncli verify {name}", f"nncli evaluate {name}"]
    message = "Trains the run again to the same bytes, checks its files, and evaluates it."
    return [Commands(f"Commands of {label}", message, copies), _environment(run, label)]


def _environment(run: Run, label: str) -> Table:
    record = run.record
    rows: list[list[Any]] = [[name, version] for name, version in record.versions.items()]
    rows += [["machine", record.machine]]
    rows += [[f"BLAS {key}", _text(value)] for key, value in record.blas.items()]
    rows += [[f"SIMD {key}", _text(value)] for key, value in record.simd.items()]
    rows += [[f"SHA-256 of the {name} data", data.sha256] for name, data in run.data.items()]
    differences = described_differences(record)
    same = "This report was made in the same environment, in which training again gives the same bytes."
    message = f"Differs where this report was made: {'; '.join(differences)}." if differences else same
    return Table(f"Environment of {label}", message, [Column("item"), Column("value", "code")], rows)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
