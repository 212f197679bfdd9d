"""The environment in which BLAS libraries start with one thread; it has to be set before NumPy is imported."""

# One thread is faster at most sizes, and the results do not depend on the number of cores.
SINGLE_THREAD_ENV = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
