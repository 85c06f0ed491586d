"""Reads a batch: which documents, through which executor, into the journal."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hwtranscribe.batch.discover import Found
from hwtranscribe.batch.pool import WorkerDiedError, WorkerTimeoutError
from hwtranscribe.batch.work import Outcome, bug, describe, failure, read_document, take_fingerprint
from hwtranscribe.errors import HwtranscribeError, OutputError
from hwtranscribe.journal import Entry, Journal
from hwtranscribe.types import DocumentJob, PageError, Provenance

LIMITS = ("max_pixels", "max_pages")
"""Options that decide whether a document is read, not what is read: they may change between runs."""

Work = Callable[[DocumentJob, Provenance], Outcome]

_POLL_S = 0.2  # how soon Ctrl-C is noticed


class Reporter(Protocol):
    """What is told as documents come in."""

    def begin(self, document: str) -> None:
        """A document is being read, or waits for a worker."""

    def done(self, outcome: Outcome) -> None:
        """A document has been read, or has failed, and is in the journal."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run has to do.

    Attributes:
        to_read: Documents that are new, changed or to be tried again.
        kept: Number of documents that the journal has and that are as they were.
    """

    to_read: tuple[Found, ...]
    kept: int


class Stop:
    """How urgently a run is to end; set by Ctrl-C."""

    def __init__(self) -> None:
        self.soon = threading.Event()
        self.now = threading.Event()

    def request(self) -> None:
        """The first request ends the run after the documents in hand, the second at once."""
        (self.now if self.soon.is_set() else self.soon).set()


def check_identity(journal: Journal, provenance: Provenance, form: dict[str, Any] | None) -> None:
    """Compare a run with what the journal holds, and note it in a new journal.

    Raises:
        OutputError: The folder holds another run; says what differs and what it would cost to start over.
    """
    now = {
        "version": provenance.version,
        "checkpoint": provenance.checkpoint_hash,
        "form": provenance.form_hash,
        **{name: value for name, value in provenance.options.items() if name not in LIMITS},
    }
    before = journal.get("identity")
    if before is None:
        journal.put({"identity": now, "form": form})
        return
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    if keys:
        changes = "; ".join(f"{key} was {_short(before.get(key))}, now {_short(now.get(key))}" for key in keys)
        count = journal.counts()["documents"]
        raise OutputError(
            f"{journal.path.parent} holds another run: {changes}. "
            f"--fresh starts over and reads its {count} documents again; or choose another --out"
        )


def plan(documents: Sequence[Found], journal: Journal, *, retry_failed: bool = False) -> Plan:
    """Decide which documents have to be read.

    A document whose size and time are as recorded is not opened. One whose time differs is read again only if its
    content differs.

    Raises:
        OutputError: The journal has a document of the same name and another place and content.
    """
    known = {entry.document: entry for entry in journal.entries()}
    to_read = [item for item in documents if _must_be_read(item, known.get(item.document), journal, retry_failed)]
    return Plan(tuple(to_read), len(documents) - len(to_read))


def read_batch(
    jobs: Iterable[DocumentJob],
    executor: Executor,
    capacity: int,
    journal: Journal,
    provenance: Provenance,
    reporter: Reporter,
    stop: Stop,
    work: Work = read_document,
) -> None:
    """Read documents and record each as soon as it is there.

    A document whose worker dies or takes too long is tried once more at the end, alone, so that a neighbour's greed for
    memory is not held against it.

    Args:
        jobs: Documents to read; taken one by one as there is room.
        executor: What runs them.
        capacity: Number of jobs handed to the executor at a time.
        journal: Where results go.
        provenance: From `describe_run`.
        reporter: Is told of progress.
        stop: When to end early.
        work: What the executor runs for each job.

    Raises:
        HwtranscribeError: Nothing can be read (form, checkpoint), or the journal can't be written.
    """
    waiting, suspects = iter(jobs), list[tuple[DocumentJob, PageError]]()
    in_hand: dict[Future[Outcome], DocumentJob] = {}

    def submit(job: DocumentJob) -> None:
        reporter.begin(job.document)
        in_hand[executor.submit(work, job, provenance)] = job

    def collect(*, last_try: bool) -> None:
        for future in _finished(in_hand, stop):
            job = in_hand.pop(future)
            if future.cancelled():
                continue
            outcome = _outcome(future, job, provenance)
            if isinstance(outcome, PageError):
                if not last_try:
                    suspects.append((job, outcome))
                    continue
                fingerprint = take_fingerprint(job.path, content=False)
                outcome = Outcome(fingerprint, failure(job.document, outcome, provenance))
            journal.record(job.path, outcome.fingerprint, outcome.result)
            reporter.done(outcome)

    while not stop.now.is_set():
        while len(in_hand) < capacity and not stop.soon.is_set() and (job := next(waiting, None)):
            submit(job)
        if not in_hand:
            break
        if stop.soon.is_set():
            for future in in_hand:
                future.cancel()
        collect(last_try=False)
    for job, _ in suspects:
        if stop.soon.is_set():
            break
        submit(job)
        while in_hand and not stop.now.is_set():
            collect(last_try=True)


def job_for(item: Found, template: DocumentJob) -> DocumentJob:
    """The job of a document, like `template` in everything else."""
    return replace(template, path=item.path, document=item.document)


def describe_in(executor: Executor, template: DocumentJob) -> Provenance:
    """Ask a worker what would read the documents; also warms it up."""
    return executor.submit(describe, template).result()


def _finished(in_hand: dict[Future[Outcome], DocumentJob], stop: Stop) -> Iterator[Future[Outcome]]:
    while not stop.now.is_set():
        done, _ = wait(in_hand, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        if done:
            yield from done
            return
        if stop.soon.is_set():
            return


def _outcome(future: Future[Outcome], job: DocumentJob, provenance: Provenance) -> Outcome | PageError:
    """The outcome of a finished job, or why there is none and it deserves another try."""
    try:
        return future.result()
    except WorkerDiedError as error:
        return PageError(None, "crashed", str(error))
    except WorkerTimeoutError as error:
        return PageError(None, "timeout", f"{error}; see --timeout")
    except HwtranscribeError:
        raise
    except Exception as error:
        return Outcome(take_fingerprint(job.path), failure(job.document, bug(error.with_traceback(None)), provenance))


def _must_be_read(item: Found, entry: Entry | None, journal: Journal, retry_failed: bool) -> bool:
    if entry is None or (retry_failed and entry.state != "read"):
        return True
    now = take_fingerprint(item.path, content=False)
    if (now.size, now.mtime_ns) == (entry.fingerprint.size, entry.fingerprint.mtime_ns) and item.path == entry.path:
        return False
    now = take_fingerprint(item.path)
    if now.sha256 is not None and now.sha256 == entry.fingerprint.sha256:
        journal.touch(item.document, item.path, now)
        return False
    if item.path != entry.path:
        raise OutputError(
            f"{journal.path.parent} holds what was read of {entry.path!r} under the name {item.document!r}; "
            f"{item.path!r} would replace it. Choose another --out, or start over with --fresh"
        )
    return True


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text[:12] if len(text) == 64 else text


def usable_cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
