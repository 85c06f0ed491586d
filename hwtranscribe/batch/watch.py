"""Reads what a scanner drops into a folder, for as long as it is let."""

import time
from collections.abc import Sequence
from pathlib import Path

from hwtranscribe.batch.discover import Found, check_inputs, is_folder, look_for
from hwtranscribe.batch.outputs import write_outputs
from hwtranscribe.batch.plan import plan
from hwtranscribe.batch.progress import ProgressReporter
from hwtranscribe.batch.report import write_report
from hwtranscribe.batch.session import RunSettings, Session, open_session
from hwtranscribe.batch.work import take_fingerprint
from hwtranscribe.errors import NoInputError

_EXPORT_SHARE = 0.1  # of the time may go into writing the files again; documents come first


class Arrivals:
    """Tells which documents have come and are complete: whole, since nobody has written to them for a while.

    Args:
        settle_s: How long a file must have stayed as it is.
    """

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._seen: dict[str, tuple[tuple[int | None, int | None], float]] = {}
        self._taken: dict[str, tuple[int | None, int | None]] = {}

    def complete(self, documents: Sequence[Found], now_s: float) -> list[Found]:
        """The documents that are new or changed since they were last returned, and complete.

        Args:
            documents: Everything in the folder.
            now_s: A clock that only goes forward.
        """
        ready = []
        for item in documents:
            fingerprint = take_fingerprint(item.path, content=False)
            state = fingerprint.size, fingerprint.mtime_ns
            if self._taken.get(item.path) == state:
                continue
            before, since_s = self._seen.get(item.path, (None, now_s))
            if before != state:
                since_s = now_s
                self._seen[item.path] = state, now_s
            if now_s - since_s >= self._settle_s:
                self._seen.pop(item.path, None)
                self._taken[item.path] = state
                ready.append(item)
        return ready


def watch(settings: RunSettings, *, poll_s: float = 2.0, settle_s: float = 5.0) -> None:
    """Read documents as they come into a folder, until asked to stop. Nothing in the folder is moved or changed.

    What was read is in the journal: started again, it goes on where it was.

    Args:
        settings: `inputs` is the folder.
        poll_s: How often the folder is looked at.
        settle_s: How long a file must have stayed as it is to count as complete.

    Raises:
        NoInputError: There is no such folder.
        UsageError: It is the output folder.
        HwtranscribeError: Nothing can be read; see its subclasses.
    """
    (folder,) = settings.inputs
    check_inputs([folder], settings.out)  # before anything is written to what may be the folder itself
    if not is_folder(Path(folder)):
        raise NoInputError(f"{folder}: no such folder")
    arrivals = Arrivals(settle_s)
    with (
        open_session(settings) as session,
        ProgressReporter(None, quiet=settings.quiet, log_json=settings.log_json, debug=settings.debug) as reporter,
    ):
        unwritten, next_export_s = True, 0.0
        while not session.stop.soon.wait(poll_s):
            ready = arrivals.complete(_documents_in(folder, settings.out), time.monotonic())
            work = plan(ready, session.journal, retry_failed=settings.retry_failed)
            if work.to_read:
                session.read(work.to_read, reporter)
                unwritten = True
            if unwritten and time.monotonic() >= next_export_s:
                next_export_s = _export(session, settings.out)
                unwritten = False
        if unwritten:
            _export(session, settings.out)
        write_report(settings.out, session.journal, session.pool, session.template, session.stop)


def _documents_in(folder: str, out: Path) -> Sequence[Found]:
    """What a folder holds; nothing while it is away, as one on a share may be for a while."""
    if not is_folder(Path(folder)):
        return ()
    documents = look_for([folder], out).documents
    return documents if is_folder(Path(folder)) else ()


def _export(session: Session, out: Path) -> float:
    """Write the files; returns when they may be written next."""
    begun_s = time.monotonic()
    write_outputs(out, session.journal)
    now_s = time.monotonic()
    return now_s + (now_s - begun_s) / _EXPORT_SHARE
