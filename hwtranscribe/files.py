"""Writing files so that an interruption leaves the old one or the new one, never half of one."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def write_atomically(path: Path, content: bytes | Iterable[bytes], *, sync: bool = True) -> None:
    """Write aside, flush to disk, rename into place.

    Args:
        path: The file; its folder exists.
        content: All of it, or its pieces in order.
        sync: Whether to wait until it is on the disk; not worth it for what can be made again.
    """
    # Hashed, since the name may have the longest length there is; always the same, so that kills leave no heap of them.
    aside = path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.tmp")
    try:
        with aside.open("wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
