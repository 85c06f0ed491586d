"""The output folder: whose it is, and that only one run writes to it."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from hwtranscribe.errors import OutputError
from hwtranscribe.journal import JOURNAL_NAME, Journal

LOCK_NAME = ".hwtranscribe.lock"
_TABLES = (f"{name}.{ending}" for name in ("fields", "forms", "errors") for ending in ("csv", "parquet"))
OUTPUT_NAMES = (*_TABLES, "results.jsonl", "results.xlsx", "report.html", "text", "tables", "overlay")
"""What a run writes besides the journal."""


@contextlib.contextmanager
def open_folder(folder: Path, *, create: bool = True) -> Iterator[Journal]:
    """Claim an output folder and open its journal; see `claim_folder` and `open_journal`."""
    with claim_folder(folder, create=create), open_journal(folder) as journal:
        yield journal


@contextlib.contextmanager
def claim_folder(folder: Path, *, create: bool = True) -> Iterator[None]:
    """Hold an output folder for one run. Nothing that it has of another one is changed.

    A folder that has a journal is ours. Any other folder is fine as long as nothing in it has a name that we write.

    Args:
        folder: Made if missing.
        create: Whether it may be without a journal.

    Raises:
        OutputError: It can't be written, another run is writing to it, or it holds files that are not ours.
    """
    if ":/" in str(folder):
        raise OutputError(f"{folder}: the journal needs a folder of this machine; --copy-to copies the files elsewhere")
    journal_path = folder / JOURNAL_NAME
    try:
        if not create and not journal_path.is_file():
            raise OutputError(f"{folder}: no {JOURNAL_NAME} here; give the --out folder of a run")
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK_NAME).open("a")
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror}") from error
    with lock:
        if not _lock(lock.fileno()):
            raise OutputError(f"{folder}: another run is writing to this folder; wait for it, or choose another folder")
        if not journal_path.exists():
            foreign = [name for name in OUTPUT_NAMES if os.path.lexists(folder / name)]
            if foreign:
                raise OutputError(
                    f"{folder}: holds {', '.join(foreign)} but no {JOURNAL_NAME}, so no run of this program can "
                    "continue there; move them away or choose another folder"
                )
        yield


def open_journal(folder: Path, *, fresh: bool = False) -> Journal:
    """Open the journal of a folder that is claimed, or begin one.

    Args:
        folder: The output folder.
        fresh: Forget what it holds of an earlier run.

    Raises:
        OutputError: It can't be opened, or what is there can't be removed.
    """
    if fresh:
        _clear(folder)
    return Journal(folder)


def _clear(folder: Path) -> None:
    """Remove everything that runs have written."""
    try:
        for name in (*OUTPUT_NAMES, f"{JOURNAL_NAME}-wal", f"{JOURNAL_NAME}-shm", JOURNAL_NAME):
            path = folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{error.filename}: can't be removed: {error.strerror}") from error


def _lock(descriptor: int) -> bool:
    """Take the lock that the system gives back however the process ends; False when another has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
