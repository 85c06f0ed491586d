"""CSV, text and JSON lines."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import groupby
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from hwtranscribe.types import DocumentResult, FieldReading, FilledForm, Status

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FIELD_COLUMNS = ("document", "page", "field", "text", "confidence", "status", "left", "top", "right", "bottom")
ERROR_COLUMNS = ("document", "page", "error", "detail")

_MAX_NAME_BYTES = 255
# What spreadsheets run when a cell begins with it, also behind white space and in full width.
_FORMULA = re.compile(r"[\s\0-\x1f]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")

Row = Sequence[str | int | float]
TableKey = tuple[str, int, int]
"""Document, page and number of a drawn table on its page, from 1."""
Name = TypeVar("Name", str, TableKey)


def field_rows(results: Iterable[DocumentResult]) -> Iterator[Row]:
    """Rows of `fields.csv` under `FIELD_COLUMNS`: one per field or line."""
    for result in results:
        for reading in result.readings:
            yield (
                result.document,
                reading.page,
                reading.field,
                reading.text,
                round(reading.confidence, 4),
                str(reading.status),
                *reading.box,
            )


def form_columns(field_names: Sequence[str]) -> tuple[str, ...]:
    """Columns of `forms.csv`."""
    return ("document", "form", "pages", *field_names, "review")


def form_rows(results: Iterable[DocumentResult], field_names: Sequence[str]) -> Iterator[Row]:
    """Rows of `forms.csv` under `form_columns`: one per filled form.

    `pages` are separated by spaces, since `1-2` would become a date in a spreadsheet; the names in `review` by `; `.
    """
    for result in results:
        for form in result.forms:
            texts = {reading.field: reading.text for reading in form.fields}
            yield (
                result.document,
                form.number,
                " ".join(map(str, form.pages)),
                *(texts.get(name, "") for name in field_names),
                "; ".join(doubtful_fields(form)),
            )


def error_rows(results: Iterable[DocumentResult]) -> Iterator[Row]:
    """Rows of `errors.csv` under `ERROR_COLUMNS`; `page` is empty where the whole document is meant."""
    for result in results:
        for error in result.errors:
            yield result.document, "" if error.page is None else error.page, error.error, error.detail


def doubtful_fields(form: FilledForm) -> list[str]:
    """Names of the fields that a person has to look at."""
    return [reading.field for reading in form.fields if reading.status in (Status.REVIEW, Status.ILLEGIBLE)]


def csv_bytes(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """A CSV file (RFC 4180, UTF-8) in which no value runs as a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(map(harmless, columns))
    for row in rows:
        writer.writerow([harmless(value) if isinstance(value, str) else value for value in row])
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def harmless(value: str) -> str:
    """The value, with an apostrophe before it where a spreadsheet would run it."""
    return "'" + value if _FORMULA.match(value) else value


def jsonl_bytes(results: Iterable[DocumentResult]) -> Iterator[bytes]:
    """`results.jsonl`: everything known of a document, a line each, raw."""
    for result in results:
        line = json.dumps(result, default=_attributes, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        yield line.encode() + b"\n"


def _attributes(value: "DataclassInstance") -> dict[str, object]:
    """A value object as JSON takes it; not `asdict`, which copies everything and takes twice as long."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def text_bytes(result: DocumentResult) -> bytes:
    """The transcription in reading order.

    Page mode: a line per line of writing and per row of a table, its cells parted by tabs; a form feed between pages.
    Forms: `name: value` per field, an empty line between forms.
    """
    if result.forms:
        forms = ("".join(f"{reading.field}: {reading.text}\n" for reading in form.fields) for form in result.forms)
        return "\n".join(forms).encode()
    parts, last_page = [], None
    for (page, _), readings in groupby(result.lines, key=_page_and_table):
        if last_page is not None and page != last_page:
            parts.append("\f")
        last_page = page
        parts += ["\t".join(row) + "\n" for row in _rows(tuple(readings))]
    return "".join(parts).encode()


def table_rows(result: DocumentResult) -> Iterator[tuple[TableKey, list[list[str]]]]:
    """The drawn tables of a document in page mode: rows of cells, all of one length.

    A merged cell's text is in the first row and column that it covers.
    """
    for (page, table), readings in groupby(result.lines, key=_page_and_table):
        if table is not None:
            yield (result.document, page, table), _rows(tuple(readings))


def _page_and_table(reading: FieldReading) -> tuple[int, int | None]:
    return reading.page, reading.cell.table if reading.cell else None


def _rows(readings: Sequence[FieldReading]) -> list[list[str]]:
    """The texts of a table's cells, in rows; those of lines outside tables, each a row."""
    cells = {(reading.cell.row, reading.cell.column): reading.text for reading in readings if reading.cell}
    if not cells:
        return [[reading.text] for reading in readings]
    rows, columns = (max(numbers) for numbers in zip(*cells, strict=True))
    return [[cells.get((row, column), "") for column in range(1, columns + 1)] for row in range(1, rows + 1)]


def text_paths(documents: Iterable[str]) -> dict[str, PurePosixPath]:
    """Where the text of every document goes, relative to the folder `text`; see `output_path`.

    No text has the name of a folder: where one would, it gets a hash.
    """
    return _apart({document: output_path(document, ".txt") for document in documents})


def table_paths(tables: Iterable[TableKey]) -> dict[TableKey, PurePosixPath]:
    """Where every drawn table goes, relative to the folder `tables`; see `text_paths`."""
    return _apart(
        {key: output_path(key[0], f".page{page:04d}.table{table}.csv") for key in tables for _, page, table in [key]}
    )


def overlay_path(document: str, page: int) -> PurePosixPath:
    """Where the picture of what was read on a page (1-based) goes, relative to the folder `overlay`."""
    return output_path(document, f".page{page:04d}.jpg")


def _apart(paths: Mapping[Name, PurePosixPath]) -> dict[Name, PurePosixPath]:
    """Paths of which none is a folder of another."""
    folders = {folder for path in paths.values() for folder in path.parents}
    return {
        name: path.with_name(_with_hash(path.name, str(name))) if path in folders else path
        for name, path in paths.items()
    }


def output_path(document: str, ending: str) -> PurePosixPath:
    """A relative path for something made of a document: its name with an ending.

    No part can lead out of the folder, and none is longer than file systems allow: where one would, it is cut and gets
    a hash.
    """
    parts = [part for part in document.replace("\0", "_").split("/") if part not in ("", ".", "..")]
    if "/".join(parts) != document or not parts:
        parts = [*parts[:-1], _with_hash(f"{(parts or ['document'])[-1]}{ending}", document)]
    else:
        parts[-1] += ending
    return PurePosixPath(*(part if len(part.encode()) <= _MAX_NAME_BYTES else _with_hash(part, part) for part in parts))


def _with_hash(name: str, source: str) -> str:
    """The name, cut, with a hash of `source` before its ending."""
    stem, dot, ending = name.rpartition(".")
    tail = f"~{hashlib.sha256(source.encode()).hexdigest()[:12]}{dot}{ending}" if len(ending) <= 8 else ""
    tail = tail or f"~{hashlib.sha256(source.encode()).hexdigest()[:12]}"
    kept = (stem or name).encode()[: _MAX_NAME_BYTES - len(tail.encode())].decode(errors="ignore")
    return kept + tail
