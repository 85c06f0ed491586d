"""The whole of a run: from INPUT... and options to the files of the output folder."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hwtranscribe.batch.discover import Found, discover
from hwtranscribe.batch.folder import open_folder
from hwtranscribe.batch.outputs import write_outputs
from hwtranscribe.batch.plan import check_identity, plan
from hwtranscribe.batch.pool import WorkerPool
from hwtranscribe.batch.progress import ProgressReporter, duration
from hwtranscribe.batch.report import write_report
from hwtranscribe.batch.run import BatchReader, Stop, describe_in, job_for, usable_cores
from hwtranscribe.batch.work import failure
from hwtranscribe.errors import ExitCode, UsageError
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
    timeout_s: float | None = None
    fresh: bool = False
    retry_failed: bool = False
    quiet: bool = False
    log_json: bool = False
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended.

    Attributes:
        counts: Totals of the output folder, from `Journal.counts`.
        read: Documents that this run tried.
        kept: Documents that were as the journal has them.
        skipped: Files that are of no type that can be read.
        elapsed_s: Time spent reading.
        pages_per_s: Rate of this run.
        interrupted: Whether Ctrl-C ended it.
        report: What there is to look at, or None when that is nothing.
    """

    counts: dict[str, int]
    read: int
    kept: int
    skipped: int
    elapsed_s: float
    pages_per_s: float
    interrupted: bool
    report: Path | None

    @property
    def exit_code(self) -> ExitCode:
        """130 interrupted, 3 nothing could be read, 4 some could not, 0 all is there."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.counts["failed"] == self.counts["documents"]:
            return ExitCode.NO_INPUT
        return ExitCode.SOME_FAILED if self.counts["failed"] or self.counts["partial"] else ExitCode.DONE

    def __str__(self) -> str:
        counts = self.counts
        kept = f" ({self.kept} as before)" if self.kept else ""
        lines = [
            f"{counts['documents']} documents{kept}, {counts['pages']} pages, {counts['fields']} fields, "
            f"{counts['review']} to review, {counts['failed']} failed",
            f"{self.read} read in {duration(self.elapsed_s)}, {self.pages_per_s:.2f} pages/s",
        ]
        if counts["partial"]:
            lines.append(f"{counts['partial']} documents have pages that could not be read; see errors.csv")
        if self.skipped:
            lines.append(f"{self.skipped} other files skipped")
        if self.report:
            lines.append(f"what there is to look at: {self.report}")
        if self.interrupted:
            lines.append("interrupted; the same command goes on where this run stopped")
        return "\n".join(lines)


def transcribe(settings: RunSettings) -> Summary:
    """Read what is new in the inputs and write the output folder.

    Raises:
        HwtranscribeError: Nothing was read; see its subclasses.
    """
    out = settings.out
    if any(Path(text).is_dir() and Path(text).resolve() == out.resolve() for text in settings.inputs):
        raise UsageError(f"--out {out} is the input folder; choose another folder")
    form = FormTemplate.load(settings.form) if settings.form else None
    form_facts = {"name": form.name, "fields": [f.name for p in form.pages for f in p.fields]} if form else None
    discovery = discover([str(text) for text in settings.inputs], out)
    template = DocumentJob(
        path="",
        document="",
        form_path=str(settings.form.absolute()) if settings.form else None,
        options=settings.options,
        checkpoint_path=str(settings.checkpoint.absolute()) if settings.checkpoint else None,
        overlay_folder=str((out / "overlay").absolute()) if settings.options.overlay else None,
    )
    with open_folder(out, fresh=settings.fresh) as journal, _stopping() as stop:
        pool = WorkerPool(min(settings.jobs or usable_cores(), len(discovery.documents)), settings.timeout_s)
        try:
            provenance = describe_in(pool, template)
            check_identity(journal, provenance, form_facts)
            work = plan(discovery.documents, journal, retry_failed=settings.retry_failed)
            _record_hopeless(work.to_read, journal, provenance)
            jobs = [job_for(item, template) for item in work.to_read if item.error is None]
            reporter = ProgressReporter(
                len(jobs), quiet=settings.quiet, log_json=settings.log_json, debug=settings.debug
            )
            with reporter:
                # Two per worker: one to read and one to go on with.
                reader = BatchReader(pool, 2 * pool.worker_count, journal, provenance, form, reporter, stop)
                reader.read(jobs)
            write_outputs(out, journal)
            reported = not stop.soon.is_set() and write_report(out, journal, pool, template)
        finally:
            if stop.now.is_set():
                pool.kill()
            pool.shutdown(cancel_futures=True)
        return Summary(
            counts=journal.counts(),
            read=reporter.documents,
            kept=work.kept,
            skipped=discovery.skipped,
            elapsed_s=reporter.elapsed_s,
            pages_per_s=reporter.pages_per_s,
            interrupted=stop.soon.is_set(),
            report=out / "report.html" if reported else None,
        )


def _record_hopeless(documents: Sequence[Found], journal: Journal, provenance: Provenance) -> None:
    """Record what need not be tried, such as a path that does not exist."""
    for item in documents:
        if item.error is not None:
            journal.record(item.path, Fingerprint(None, None, None), failure(item.document, item.error, provenance))


@contextmanager
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
