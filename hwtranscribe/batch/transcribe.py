"""The whole of a run: from INPUT... and options to the files of the output folder."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwtranscribe.batch.discover import discover
from hwtranscribe.batch.outputs import copy_outputs, write_outputs
from hwtranscribe.batch.plan import forget_what_never_was, plan
from hwtranscribe.batch.progress import ProgressReporter, duration
from hwtranscribe.batch.report import write_report
from hwtranscribe.batch.session import RunSettings, open_session
from hwtranscribe.errors import ExitCode


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended.

    Attributes:
        counts: Totals of the output folder, from `Journal.counts`.
        read: Documents that this run tried.
        kept: Documents that were as the journal has them.
        kept_failed: How many of these could not be read before.
        skipped: Files that are of no type that can be read.
        elapsed_s: Time spent reading.
        pages_per_s: Rate of this run.
        interrupted: Whether Ctrl-C ended it.
        report: What there is to look at, or None when that is nothing.
    """

    counts: dict[str, int]
    read: int
    kept: int
    kept_failed: int
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

    def record(self) -> dict[str, Any]:
        """The same as JSON values, for `--log-json`."""
        facts = asdict(self)
        return {
            "event": "summary",
            **facts.pop("counts"),
            **facts,
            "elapsed_s": round(self.elapsed_s, 3),
            "pages_per_s": round(self.pages_per_s, 3),
            "report": None if self.report is None else str(self.report),
            "exit_code": int(self.exit_code),
        }

    def __str__(self) -> str:
        counts = self.counts
        kept = f" ({self.kept} as before)" if self.kept else ""
        lines = [
            f"{counts['documents']} documents{kept}, {counts['pages']} pages, {counts['fields']} fields, "
            f"{counts['review']} to review, {counts['failed']} failed",
            f"{self.read} read in {duration(self.elapsed_s)}, {self.pages_per_s:.2f} pages/s",
        ]
        if self.kept_failed:
            lines.append(f"{self.kept_failed} that failed before were not tried again; --retry-failed tries them")
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
    discovery = discover(settings.inputs, settings.out)
    with open_session(settings) as session:
        journal, stop = session.journal, session.stop
        forget_what_never_was(discovery.documents, journal)
        work = plan(discovery.documents, journal, retry_failed=settings.retry_failed)
        with ProgressReporter(
            len(work.to_read), quiet=settings.quiet, log_json=settings.log_json, debug=settings.debug
        ) as reporter:
            session.read(work.to_read, reporter)
        write_outputs(settings.out, journal)
        reported = write_report(settings.out, journal, session.pool, session.template, stop)
        if settings.copy_to is not None:
            copy_outputs(settings.out, settings.copy_to)
        return Summary(
            counts=journal.counts(),
            read=reporter.documents,
            kept=work.kept,
            kept_failed=work.kept_failed,
            skipped=discovery.skipped,
            elapsed_s=reporter.elapsed_s,
            pages_per_s=reporter.pages_per_s,
            interrupted=stop.soon.is_set(),
            report=settings.out / "report.html" if reported else None,
        )
