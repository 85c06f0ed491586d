"""Batches made ahead of the training step, in a thread."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import cv2

Made = TypeVar("Made")

_AHEAD = 12


def made_ahead(make: Callable[..., Made], arguments: Sequence[tuple[Any, ...]]) -> Iterator[Made]:
    """Yield what a function makes of each of some arguments, in order; a dozen are made before they are asked for."""
    with ThreadPoolExecutor(1, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        pending: deque[Future[Made]] = deque()
        try:
            for one in arguments:
                pending.append(pool.submit(make, *one))
                if len(pending) > _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
