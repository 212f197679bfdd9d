"""The BLAS library that NumPy has loaded, and what it says of its kernels."""

from functools import cache

from threadpoolctl import ThreadpoolController

# kernels of OpenBLAS for processors with AVX-512, which multiply small matrices without packing them
WITHOUT_PACKING = frozenset({"SkylakeX", "Cooperlake", "SapphireRapids"})


@cache
def loaded_libraries() -> ThreadpoolController:
    """The libraries with threads of their own that NumPy has loaded; they are searched for once in a process."""
    return ThreadpoolController()


@cache
def kernels() -> tuple[str, ...]:
    """The processor architectures that the loaded BLAS libraries have chosen kernels for, each once."""
    return tuple(dict.fromkeys(each["architecture"] for each in loaded_libraries().info() if "architecture" in each))


@cache
def multiplies_without_packing() -> bool:
    """Whether BLAS multiplies small matrices without packing them first."""
    return not WITHOUT_PACKING.isdisjoint(kernels())
