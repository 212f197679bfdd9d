"""A kind of processor restricts NumPy, its BLAS and XLA in the processes that are measured."""

import subprocess
import sys

import pytest

from tests.benchmarks import processor_kinds
from tests.benchmarks.machine import ONE_XLA_THREAD, ROOT, blas_kernels, environment, pinned, usable_cores
from tests.benchmarks.processor_kinds import AS_IS, avx2_only, avx512_names, kinds

ENABLED = (
    "from numpy._core._multiarray_umath import __cpu_dispatch__ as names, __cpu_features__ as has;"
    "print(*(name for name in names if has[name]))"
)


@pytest.fixture
def processor(tmp_path, monkeypatch):
    """Set the flags of the processor."""

    def create(flags):
        path = tmp_path / "cpuinfo"
        path.write_text(f"model name\t: any\nflags\t\t: {flags}\n", encoding="utf-8")
        monkeypatch.setattr(processor_kinds, "PROCESSOR", path)

    return create


def test_kinds_depend_on_avx512(processor):
    """A processor without AVX-512 is one kind, another one is two."""
    processor("fpu sse2 avx2")
    assert kinds() == (AS_IS,)
    processor("fpu sse2 avx2 avx512f avx512dq")
    assert kinds() == (AS_IS, avx2_only())


def test_avx512_names_are_those_of_old_and_new_numpy():
    """NumPy 2.0 names AVX-512 by its extensions, later versions also by the level of x86-64."""
    assert avx512_names(["SSE41", "AVX2", "AVX512F", "AVX512_SKX"]) == ["AVX512F", "AVX512_SKX"]
    assert avx512_names(["X86_V3", "X86_V4", "AVX512_ICL"]) == ["X86_V4", "AVX512_ICL"]


def test_environment_of_a_kind(monkeypatch):
    """Its variables replace those of the user, and both flags of XLA are kept."""
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=here")
    kind = {"OPENBLAS_CORETYPE": "Haswell", "XLA_FLAGS": "--xla_cpu_max_isa=AVX2"}
    found = environment(1, kind_variables=kind)
    assert found["OPENBLAS_CORETYPE"] == "Haswell"
    assert found["XLA_FLAGS"] == f"{ONE_XLA_THREAD} --xla_cpu_max_isa=AVX2"
    assert environment(2, kind_variables=kind)["XLA_FLAGS"] == "--xla_cpu_max_isa=AVX2"
    assert environment(1)["XLA_FLAGS"] == ONE_XLA_THREAD
    assert not {"OPENBLAS_CORETYPE", "XLA_FLAGS"} & set(environment(2))


@pytest.mark.skipif(len(kinds()) == 1, reason="the processor has no AVX-512")
def test_numpy_has_no_avx512_kernels():
    """In such a process NumPy and its BLAS do not use AVX-512, in one as it is they do."""
    enabled = {}
    for kind in kinds():
        variables = environment(1, kind_variables=kind.variables)
        command = [sys.executable, "-W", "error", "-c", ENABLED]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT, env=variables, check=True)
        enabled[kind.title] = avx512_names(done.stdout.split())
    assert enabled[AS_IS.title]
    assert not enabled[avx2_only().title]
    assert "Haswell" in blas_kernels(environment(1, kind_variables=avx2_only().variables))


def test_cores_are_released():
    """After the block the process may use its cores again, also after an error."""
    before = usable_cores()
    cores = []

    def fail():
        with pinned(1):
            cores.append(usable_cores())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [*cores, usable_cores()] == [1, before]
