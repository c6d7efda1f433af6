"""How the memory of tensors is kept from one training step to the next."""

import contextlib
import ctypes
import os

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENAS = -3, -1, -8  # numbers of glibc's mallopt(3)
_LARGEST = 32 << 20  # the most that glibc takes for the first of them
_NEVER = 2**31 - 1


def keep() -> None:
    """Keep freed memory in this process; to be called before TensorFlow is imported.

    By default large tensors are mapped anew and given back at once, so the kernel clears all of
    their pages in every step; benchmarks/memory.py measures what that costs. No result changes.
    """
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
    with contextlib.suppress(OSError, AttributeError):  # no glibc
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _LARGEST)
        library.mallopt(_TRIM_THRESHOLD, _NEVER)
        library.mallopt(_ARENAS, 1)
