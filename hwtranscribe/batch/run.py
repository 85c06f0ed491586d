"""Reads a batch through an executor into the journal."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field, replace
from typing import Protocol

from hwtranscribe.assembly import assemble
from hwtranscribe.batch.pool import WorkerDiedError, WorkerTimeoutError
from hwtranscribe.batch.work import Outcome, bug, failure, read_part, take_fingerprint
from hwtranscribe.errors import HwtranscribeError, OutputError
from hwtranscribe.form import FormTemplate
from hwtranscribe.journal import Fingerprint, Journal
from hwtranscribe.types import DocumentJob, DocumentPart, DocumentResult, PageError, Provenance

PART_PAGES = 16
"""Pages of a document that are read as one task: a long document goes to many workers."""

Work = Callable[[DocumentJob, Provenance], Outcome]

POLL_S = 0.2
"""How soon Ctrl-C is noticed."""


class Reporter(Protocol):
    """What is told as documents come in."""

    def begin(self, document: str) -> None:
        """A document is being read, or waits for a worker."""

    def pages_read(self, count: int) -> None:
        """Pages have been read, or could not be."""

    def done(self, result: DocumentResult, trace: str) -> None:
        """A document has been read, or has failed, and is in the journal."""


class Stop:
    """How urgently a run is to end; set by Ctrl-C."""

    def __init__(self) -> None:
        self.soon = threading.Event()
        self.now = threading.Event()

    def request(self) -> None:
        """The first request ends the run after the tasks in hand, the second at once."""
        (self.now if self.soon.is_set() else self.soon).set()


@dataclass(slots=True)
class _Unfinished:
    """A document of which some parts have been read."""

    fingerprint: Fingerprint
    page_total: int
    parts: dict[int, DocumentPart] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return len(self.parts) == -(-self.page_total // PART_PAGES)


class BatchReader:
    """Reads documents and records each as soon as all of it is there.

    A task whose worker dies or takes too long is tried once more at the end, alone, so that a neighbour's greed for
    memory is not held against it.

    Args:
        executor: What runs the tasks.
        capacity: Says how many tasks the executor is to have at a time; workers of a cluster come and go.
        journal: Where results go.
        provenance: What every part must have been read with.
        form: The template, or None.
        reporter: Is told of progress.
        stop: When to end early.
        work: What the executor runs for each task.
    """

    def __init__(
        self,
        executor: Executor,
        capacity: Callable[[], int],
        journal: Journal,
        provenance: Provenance,
        form: FormTemplate | None,
        reporter: Reporter,
        stop: Stop,
        work: Work = read_part,
    ) -> None:
        self._executor = executor
        self._capacity = capacity
        self._journal = journal
        self._provenance = provenance
        self._form = form
        self._reporter = reporter
        self._stop = stop
        self._work = work
        self._in_hand: dict[Future[Outcome], DocumentJob] = {}
        self._further_parts: deque[DocumentJob] = deque()
        self._suspects: deque[DocumentJob] = deque()
        self._unfinished: dict[str, _Unfinished] = {}

    def read(self, jobs: Iterable[DocumentJob]) -> None:
        """Read documents.

        Args:
            jobs: Whole documents; taken one by one as there is room.

        Raises:
            HwtranscribeError: Nothing can be read (form, checkpoint), or the journal can't be written.
        """
        waiting = iter(jobs)
        while not self._stop.now.is_set():
            capacity = self._capacity()
            while len(self._in_hand) < capacity and not self._stop.soon.is_set():
                # Parts of what was begun come first: what is unfinished is held in memory.
                job = self._further_parts.popleft() if self._further_parts else next(waiting, None)
                if job is None:
                    break
                self._submit(job if job.pages else replace(job, pages=(1, PART_PAGES)))
            if not self._in_hand:
                if not self._suspects or self._stop.soon.is_set():
                    break
                self._retry(self._suspects.popleft())
            if self._stop.soon.is_set():
                for future in self._in_hand:
                    future.cancel()
            self._collect(last_try=False)

    def _retry(self, job: DocumentJob) -> None:
        self._submit(job)
        while self._in_hand and not self._stop.now.is_set():
            self._collect(last_try=True)

    def _submit(self, job: DocumentJob) -> None:
        self._reporter.begin(job.document)
        self._in_hand[self._executor.submit(self._work, job, self._provenance)] = job

    def _collect(self, *, last_try: bool) -> None:
        if not self._in_hand:
            return
        for future in wait(self._in_hand, timeout=POLL_S, return_when=FIRST_COMPLETED).done:
            job = self._in_hand.pop(future)
            if future.cancelled():
                continue
            outcome = self._outcome(future, job)
            if not isinstance(outcome, PageError):
                self._accept(job, outcome)
            elif last_try:
                self._give_up(job, outcome)
            else:
                self._suspects.append(job)

    def _outcome(self, future: Future[Outcome], job: DocumentJob) -> Outcome | PageError:
        """The outcome of a finished task, or why there is none and it deserves another try."""
        try:
            return future.result()
        except WorkerDiedError as error:
            return PageError(None, "crashed", str(error))
        except WorkerTimeoutError as error:
            return PageError(None, "timeout", f"{error}; see --timeout")
        except HwtranscribeError:
            raise
        except Exception as error:
            failed = failure(job.document, bug(error.with_traceback(None)), self._provenance)
            return Outcome(take_fingerprint(job.path, content=False), failed)

    def _give_up(self, job: DocumentJob, error: PageError) -> None:
        """Nothing came of a task: the document is lost when it was its first, else the pages of the task."""
        unfinished = self._unfinished.get(job.document)
        if unfinished is None:
            fingerprint = take_fingerprint(job.path, content=False)
            self._record(job, fingerprint, failure(job.document, error, self._provenance))
            return
        assert job.pages is not None
        first, last = job.pages
        lost = range(first, min(last, unfinished.page_total) + 1)
        errors = tuple(replace(error, page=page) for page in lost)
        part = DocumentPart(unfinished.page_total, (), errors, (), self._provenance)
        self._accept(job, Outcome(unfinished.fingerprint, part))

    def _accept(self, job: DocumentJob, outcome: Outcome) -> None:
        if isinstance(outcome.made, DocumentResult):
            if job.document in self._unfinished:
                self._give_up(job, outcome.made.errors[0])
            else:
                self._record(job, outcome.fingerprint, outcome.made, outcome.trace)
            return
        part = outcome.made
        assert job.pages is not None
        if part.provenance != self._provenance:
            raise OutputError(
                f"{job.document}: a worker read it with {part.provenance}, this run reads with {self._provenance}; "
                "give all workers the same version, checkpoint, form and HWTRANSCRIBE_PDF"
            )
        self._reporter.pages_read(len({page.page for page in part.pages}) + len(part.errors))
        unfinished = self._unfinished.get(job.document)
        if unfinished is None:
            unfinished = self._unfinished[job.document] = _Unfinished(outcome.fingerprint, part.page_total)
            for first in range(1 + PART_PAGES, part.page_total + 1, PART_PAGES):
                self._further_parts.append(replace(job, pages=(first, first + PART_PAGES - 1)))
        unfinished.parts[job.pages[0]] = part
        if unfinished.complete:
            del self._unfinished[job.document]
            parts = [unfinished.parts[first] for first in sorted(unfinished.parts)]
            result = assemble(job.document, self._form, job.options.review_below, parts)
            self._record(job, unfinished.fingerprint, result, outcome.trace)

    def _record(self, job: DocumentJob, fingerprint: Fingerprint, result: DocumentResult, trace: str = "") -> None:
        self._journal.record(job.path, fingerprint, result)
        self._reporter.done(result, trace)


def usable_cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
