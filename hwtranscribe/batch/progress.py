"""What a run says while it goes on, on stderr."""

import json
import sys
import time
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hwtranscribe.types import DocumentResult, Status

_PLAIN_INTERVAL_S = 10.0


class ProgressReporter:
    """Counts documents and pages and tells of them: a bar on a terminal, lines elsewhere, or JSON lines.

    Args:
        total: Documents to read; None when nobody knows: then each is a line of its own.
        quiet: Say nothing.
        log_json: One JSON object per document instead.
        debug: Say where in the program a bug was met.
        stream: Where to.
    """

    def __init__(
        self,
        total: int | None,
        *,
        quiet: bool = False,
        log_json: bool = False,
        debug: bool = False,
        stream: TextIO | None = None,
    ) -> None:
        self.documents = self.pages = self.failed = 0
        self._total = total
        self._quiet = quiet
        self._log_json = log_json
        self._debug = debug
        self._stream = stream or sys.stderr
        self._begun_s = self._told_s = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> "ProgressReporter":
        self._begun_s = self._told_s = time.monotonic()
        if self._total is not None and self._stream.isatty() and not self._quiet and not self._log_json:
            self._bar = Progress(
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(elapsed_when_finished=True),
                TextColumn("{task.description}"),
                console=Console(file=self._stream),
            )
            self._task = self._bar.add_task("", total=self._total, rate="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def elapsed_s(self) -> float:
        """Time since the start, s."""
        return time.monotonic() - self._begun_s

    @property
    def pages_per_s(self) -> float:
        """Mean rate so far."""
        return self.pages / max(self.elapsed_s, 1e-9)

    def begin(self, document: str) -> None:
        """Show which document is being read."""
        if self._bar is not None:
            self._bar.update(self._task, description=escape(_printable(document)))

    def pages_read(self, count: int) -> None:
        """Count pages."""
        self.pages += count
        if self._bar is not None:
            self._bar.update(self._task, rate=self._rate())

    def done(self, result: DocumentResult, trace: str) -> None:
        """Count a document and tell of it."""
        self.documents += 1
        self.failed += not result.page_count
        if self._bar is not None:
            self._bar.update(self._task, advance=1, rate=self._rate())
        elif not self._quiet:
            if self._log_json:
                self._log(result)
            elif self._total is None:
                self._tell_one(result)
            else:
                self._tell(result.document)
        if self._debug and trace:
            self._stream.write(trace)

    def _rate(self) -> str:
        return f"{self.pages} pages, {self.pages_per_s:.1f} pages/s, {self.failed} failed"

    def _tell(self, document: str) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s < _PLAIN_INTERVAL_S:
            return
        self._told_s = now_s
        left_s = self.elapsed_s / self.documents * ((self._total or 0) - self.documents)
        self._stream.write(
            f"{self.documents} of {self._total} documents, {self.pages} pages, {self.pages_per_s:.1f} pages/s, "
            f"{self.failed} failed, about {duration(left_s)} left, last {_printable(document)}\n"
        )
        self._stream.flush()

    def _tell_one(self, result: DocumentResult) -> None:
        review = sum(reading.status in (Status.REVIEW, Status.ILLEGIBLE) for reading in result.readings)
        what = f"{result.page_count} pages, {len(result.readings)} fields, {review} to review"
        errors = "".join(f"; {error.error}: {error.detail}" for error in result.errors)
        self._stream.write(f"{_printable(result.document)}: {what}{_printable(errors)}\n")
        self._stream.flush()

    def _log(self, result: DocumentResult) -> None:
        record = {
            "event": "document",
            "document": result.document,
            "pages": result.page_count,
            "fields": len(result.readings),
            "errors": [error.error for error in result.errors],
            "done": self.documents,
            "total": self._total,
            "elapsed_s": round(self.elapsed_s, 3),
        }
        self._stream.write(json.dumps(record) + "\n")
        self._stream.flush()


def duration(seconds: float) -> str:
    """`75` -> `1 min 15 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _printable(text: str) -> str:
    """Text that can't move the cursor or ring the bell."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
