"""`report.html`: what a person has to look at, with pictures, in one file that needs nothing else."""

import base64
import html
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path

from hwtranscribe.batch.outputs import Results, field_names_of, results_of, write_file
from hwtranscribe.batch.run import POLL_S, Stop
from hwtranscribe.batch.work import cut_out
from hwtranscribe.journal import Journal
from hwtranscribe.types import Box, DocumentJob, FieldReading, PageError, Status

MAX_FIELDS = 500
"""Doubtful fields that are shown; all are in `fields.csv`."""

MAX_ERRORS = 500

_STYLE = (
    "body{font:15px/1.4 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.5em 0 2em}th,td{padding:.25em .8em;text-align:left;vertical-align:top;"
    "border-bottom:1px solid #ddd}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "img{max-height:5em;max-width:30em;display:block}.text{font-family:ui-monospace,monospace;white-space:pre}"
)
_HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; style-src '
    "'unsafe-inline'\"><title>hwtranscribe report</title>"
    f"<style>{_STYLE}</style>\n"
)


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A field that a person has to look at.

    Attributes:
        document: Its name.
        form: 1-based number of the filled form, or None in page mode.
        reading: What was read.
        picture: JPEG of the place, or None where the file can't be read any more.
    """

    document: str
    form: int | None
    reading: FieldReading
    picture: bytes | None = None


def write_report(folder: Path, journal: Journal, executor: Executor, template: DocumentJob, stop: Stop) -> bool:
    """Write `report.html` when anything is doubtful or failed; returns whether it did. An older one goes otherwise.

    Args:
        folder: The output folder.
        journal: Of the run.
        executor: Cuts out the pictures.
        template: A job with the options of the run.
        stop: A run that is to end at once has no time for a report.

    Raises:
        OutputError: The file can't be written.
    """
    counts = journal.counts()
    doubtful: list[Doubtful] = []
    if counts["review"] and not stop.now.is_set():
        fields = islice(doubtful_fields(results_of(journal)), MAX_FIELDS)
        doubtful = list(_with_pictures(fields, journal, executor, template, stop))
    if stop.now.is_set() or not (counts["review"] or counts["failed"] or counts["partial"]):
        (folder / "report.html").unlink(missing_ok=True)
        return False
    failed = results_of(journal, characters=False, failed_only=True)
    errors = list(islice(_errors(failed), MAX_ERRORS))
    pieces = report_html(counts, journal.status_counts(field_names_of(journal)), doubtful, errors)
    write_file(folder / "report.html", (piece.encode() for piece in pieces))
    return True


def report_html(
    counts: dict[str, int],
    fields: dict[str, dict[str, int]],
    doubtful: Sequence[Doubtful],
    errors: Sequence[tuple[str, PageError]],
) -> Iterator[str]:
    """The page, piece by piece.

    Args:
        counts: From `Journal.counts`.
        fields: From `Journal.status_counts`.
        doubtful: To be shown; may be fewer than there are.
        errors: Document and what could not be read.
    """
    yield _HEAD
    yield "<h1>What there is to look at</h1>\n"
    yield _table(
        ("documents", "pages", "fields", "to review", "failed", "failed in part"),
        [[counts[name] for name in ("documents", "pages", "fields", "review", "failed", "partial")]],
    )
    yield "<h2>By field</h2>\n"
    rows: list[Sequence[str | int]] = []
    for name, states in fields.items():
        total = sum(states.values())
        review = states.get(Status.REVIEW, 0) + states.get(Status.ILLEGIBLE, 0)
        rows.append([name, total, review, f"{review / total:.1%}", states.get(Status.BLANK, 0)])
    yield _table(("field", "read", "to review", "share", "blank"), rows)
    if errors:
        yield "<h2>What could not be read</h2>\n"
        yield _table(
            ("document", "page", "error", "what is wrong"),
            [[document, "" if e.page is None else e.page, e.error, e.detail] for document, e in errors],
        )
    if doubtful:
        yield "<h2>Doubtful fields</h2>\n"
        if counts["review"] > len(doubtful):
            yield f"<p>The first {len(doubtful)} of {counts['review']}; all are in fields.csv.</p>\n"
        yield "<table><tr><th>document<th>page<th>field<th>picture<th>read as<th>confidence<th>why<th>or</tr>\n"
        for one in doubtful:
            yield _doubtful_row(one)
        yield "</table>\n"


def doubtful_fields(results: Results) -> Iterator[Doubtful]:
    """Fields for review and illegible ones, in natural order of the documents."""
    for result in results():
        form_of = {id(reading): form.number for form in result.forms for reading in form.fields}
        for reading in result.readings:
            if reading.status in (Status.REVIEW, Status.ILLEGIBLE):
                yield Doubtful(result.document, form_of.get(id(reading)), reading)


def _errors(results: Results) -> Iterator[tuple[str, PageError]]:
    for result in results():
        for error in result.errors:
            yield result.document, error


def _with_pictures(
    doubtful: Iterable[Doubtful], journal: Journal, executor: Executor, template: DocumentJob, stop: Stop
) -> Iterator[Doubtful]:
    """The fields with pictures of their places, cut out by workers: the parent decodes nothing. Ends with the run."""
    paths = {entry.document: entry.path for entry in journal.entries()}
    waiting = []
    for (document, page), group in groupby(doubtful, key=lambda one: (one.document, one.reading.page)):
        fields = list(group)
        job = replace(template, path=paths[document], document=document, pages=(page, page))
        boxes: list[Box] = [one.reading.box for one in fields]
        waiting.append((fields, executor.submit(cut_out, job, boxes)))
    for fields, future in waiting:
        while not future.done():
            wait([future], timeout=POLL_S)
            if stop.now.is_set():
                return
        try:
            pictures = future.result()
        except Exception:  # whatever happened to the file since it was read, the report needs no picture of it
            pictures = [None] * len(fields)
        for one, picture in zip(fields, pictures, strict=True):
            yield replace(one, picture=picture)


def _doubtful_row(one: Doubtful) -> str:
    reading = one.reading
    picture = ""
    if one.picture:
        picture = f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(one.picture).decode()}">'
    others = ", ".join(f"{a.text} {a.confidence:.0%}" for a in reading.alternatives[:3])
    form = "" if one.form is None else f" (form {one.form})"
    cells = (
        f"<td>{_shown(one.document)}{form}",
        f'<td class="n">{reading.page}',
        f"<td>{_shown(reading.field)}",
        f"<td>{picture}",
        f'<td class="text">{_shown(reading.text)}',
        f'<td class="n">{reading.confidence:.0%}',
        f"<td>{_shown(reading.detail or reading.status)}",
        f"<td>{_shown(others)}",
    )
    return f"<tr>{''.join(cells)}</tr>\n"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    head = "".join(f"<th>{name}" for name in columns)
    body = "".join(
        "<tr>" + "".join(f'<td class="n">{c}' if isinstance(c, int) else f"<td>{_shown(c)}" for c in row) + "</tr>\n"
        for row in rows
    )
    return f"<table><tr>{head}</tr>\n{body}</table>\n"


def _shown(text: str) -> str:
    return html.escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
