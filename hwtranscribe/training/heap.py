"""Memory of training: what one step gives back, the next one takes again."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
"""Parameters of glibc's mallopt(3)."""


def keep_freed_memory() -> bool:
    """Have the C library keep large buffers that are freed, for the rest of the process.

    XLA takes the same large buffers for every step. Fetched from the system each time, with every page of them cleared
    anew, they cost up to half of a step.

    Returns:
        Whether it could be told: glibc alone is asked, others need not be.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    # One heap that only grows: those of further threads can't hold the largest buffers.
    return all(
        set_option(option, value) for option, value in ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1))
    )
