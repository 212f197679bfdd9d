"""The lists of commands in the harnesses have every command, so that a new one is not forgotten."""

from nncli.cli.main import nncli as group
from tests.fault_injection import environments, fuzz_runs

READ_NO_RUN = {"rm", "cache", "init", "data", "components", "schema", "completion", "help"}  # rm: only names
LOAD_LIKE_SHOW = {"gradcheck", "profile"}  # a run in the place of a config
LOAD_LIKE_EVALUATE = {"explain", "predict"}  # predict: of read data; the runs of the fuzzer are on sampled data
WRITES_RUNS = {"train", "sweep", "worker"}  # what a resume reads is damaged by fuzz_checkpoints


def test_every_command_that_reads_runs_is_fuzzed():
    """A command is a reader unless it is named as one that reads no run, or reads it as another does."""
    assert {arguments[0] for arguments in fuzz_runs.READERS} == set(
        group.commands
    ) - READ_NO_RUN - LOAD_LIKE_SHOW - LOAD_LIKE_EVALUATE - WRITES_RUNS


def test_every_command_has_unusual_streams():
    """No command is left out."""
    assert {arguments[0] for arguments in environments.COMMANDS} == set(group.commands)
