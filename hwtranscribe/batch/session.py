"""What runs have in common: settings, the output folder, workers, and how they are stopped."""

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hwtranscribe.batch.cluster import ClusterExecutor
from hwtranscribe.batch.discover import Found
from hwtranscribe.batch.folder import claim_folder, open_journal
from hwtranscribe.batch.plan import check_identity
from hwtranscribe.batch.pool import WorkerPool
from hwtranscribe.batch.run import BatchReader, Reporter, Stop, usable_cores
from hwtranscribe.batch.work import failure
from hwtranscribe.form import FormTemplate
from hwtranscribe.journal import Fingerprint, Journal
from hwtranscribe.types import DocumentJob, Provenance, ReadOptions


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What a run is asked to do.

    Attributes:
        inputs: Files, folders and globs.
        out: Output folder.
        form: Template, or None for page mode.
        checkpoint: Folder of weights, or None for the shipped ones.
        options: How to read.
        jobs: Number of worker processes; None for one per core.
        scheduler: Address of a Dask scheduler whose workers are to read, or None for processes of this machine.
        copy_to: URL of a folder that the files are copied to at the end, or None.
        timeout_s: Longest time for one document.
        fresh: Start over.
        retry_failed: Try documents again that failed before.
        quiet: No progress and no summary.
        log_json: Progress as JSON lines.
        debug: Tell where bugs were met.
    """

    inputs: Sequence[str]
    out: Path
    form: Path | None = None
    checkpoint: Path | None = None
    options: ReadOptions = field(default_factory=ReadOptions)
    jobs: int | None = None
    scheduler: str | None = None
    copy_to: str | None = None
    timeout_s: float | None = None
    fresh: bool = False
    retry_failed: bool = False
    quiet: bool = False
    log_json: bool = False
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """An output folder with workers that are ready to read into it.

    Attributes:
        journal: Of the folder.
        pool: The workers.
        provenance: What reads.
        form: The template, or None.
        template: A job with everything but the document.
        stop: Set by Ctrl-C.
    """

    journal: Journal
    pool: WorkerPool | ClusterExecutor
    provenance: Provenance
    form: FormTemplate | None
    template: DocumentJob
    stop: Stop

    def read(self, documents: Sequence[Found], reporter: Reporter) -> None:
        """Read documents into the journal.

        Raises:
            HwtranscribeError: Nothing can be read, or the journal can't be written.
        """
        jobs = []
        for item in documents:
            if item.error is None:
                jobs.append(replace(self.template, path=item.path, document=item.document))
            else:
                failed = failure(item.document, item.error, self.provenance)
                self.journal.record(item.path, Fingerprint(None, None, None), failed)
                reporter.done(failed, "")
        reader = BatchReader(self.pool, self._capacity, self.journal, self.provenance, self.form, reporter, self.stop)
        reader.read(jobs)

    def _capacity(self) -> int:
        """Two tasks per worker process: one to read and one to go on with. One on a cluster, which may be far away."""
        return self.pool.worker_count * (2 if isinstance(self.pool, WorkerPool) else 1)


@contextlib.contextmanager
def open_session(settings: RunSettings) -> Iterator[Session]:
    """Claim the output folder, start workers, and check that the folder holds the same run or none.

    Args:
        settings: Of the run.

    Raises:
        TemplateError: The form is wrong.
        CheckpointError: The checkpoint is wrong.
        OutputError: The output folder can't be used.
    """
    out = settings.out
    form = FormTemplate.load(settings.form) if settings.form else None
    form_facts = {"name": form.name, "fields": [f.name for p in form.pages for f in p.fields]} if form else None
    template = DocumentJob(
        path="",
        document="",
        form_path=str(settings.form.absolute()) if settings.form else None,
        options=settings.options,
        checkpoint_path=str(settings.checkpoint.absolute()) if settings.checkpoint else None,
        overlay_folder=str((out / "overlay").absolute()) if settings.options.overlay else None,
    )
    with claim_folder(out), _stopping() as stop:
        pool: WorkerPool | ClusterExecutor
        if settings.scheduler is not None:
            pool = ClusterExecutor(settings.scheduler, settings.timeout_s)
        else:
            pool = WorkerPool(settings.jobs or usable_cores(), settings.timeout_s)
        try:
            provenance = pool.describe(template)
            # Not before it is known that this run can read: a mistyped option must not cost what is there.
            with open_journal(out, fresh=settings.fresh) as journal:
                check_identity(journal, provenance, form_facts)
                yield Session(journal, pool, provenance, form, template, stop)
        finally:
            if stop.now.is_set():
                pool.kill()
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _stopping() -> Iterator[Stop]:
    """Ctrl-C (or a polite kill) asks the run to end instead of ending it."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(signum: int, frame: Any) -> None:
        stop.request()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
