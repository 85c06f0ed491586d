"""The record of a run: an SQLite database in the output folder.

A document's result is committed as one transaction when it comes in, so that a run that is killed loses only what was
in hand. The other files of the output folder are exports of it. The schema is described in `docs/journal.md`.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwtranscribe.errors import OutputError
from hwtranscribe.types import (
    Alternative,
    Cell,
    CharReading,
    DocumentResult,
    FieldReading,
    FilledForm,
    Kind,
    PageError,
    Provenance,
    Status,
)

JOURNAL_NAME = "journal.sqlite"
SCHEMA_VERSION = 2

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE provenance (
    id INTEGER PRIMARY KEY, version TEXT NOT NULL, checkpoint_hash TEXT NOT NULL, form_hash TEXT, options TEXT NOT NULL
) STRICT;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, document TEXT NOT NULL UNIQUE, path BLOB NOT NULL,
    size INTEGER, mtime_ns INTEGER, sha256 TEXT,
    state TEXT NOT NULL CHECK (state IN ('read', 'partial', 'failed')),
    page_count INTEGER NOT NULL, warnings TEXT NOT NULL,
    provenance_id INTEGER NOT NULL REFERENCES provenance (id)
) STRICT;
CREATE TABLE pages (
    document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    page INTEGER NOT NULL, form INTEGER, PRIMARY KEY (document_id, page)
) STRICT, WITHOUT ROWID;
CREATE TABLE forms (
    document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    form INTEGER NOT NULL, name TEXT NOT NULL, pages TEXT NOT NULL, PRIMARY KEY (document_id, form)
) STRICT, WITHOUT ROWID;
CREATE TABLE fields (
    document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    position INTEGER NOT NULL, form INTEGER, page INTEGER NOT NULL, field TEXT NOT NULL, kind TEXT NOT NULL,
    text TEXT NOT NULL, confidence REAL NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL,
    "left" INTEGER NOT NULL, top INTEGER NOT NULL, "right" INTEGER NOT NULL, bottom INTEGER NOT NULL,
    characters TEXT NOT NULL, alternatives TEXT NOT NULL, table_number INTEGER,
    table_row INTEGER, table_column INTEGER, PRIMARY KEY (document_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE errors (
    document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    position INTEGER NOT NULL, page INTEGER, error TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (document_id, position)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells whether a file is still the one that was read.

    Attributes:
        size: Bytes, or None where the file could not be read.
        mtime_ns: Time of its last change, ns.
        sha256: Of its content, hexadecimal, or None.
    """

    size: int | None
    mtime_ns: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal knows of a document without its readings."""

    document: str
    path: str
    fingerprint: Fingerprint
    state: str

    @property
    def was_never_there(self) -> bool:
        """Whether it failed without being a file at all: a mistyped name, a folder that could not be opened."""
        return self.state == "failed" and self.fingerprint.size is None


class Journal:
    """An open journal. One process writes to it at a time; see `hwtranscribe.batch.folder`."""

    def __init__(self, folder: Path) -> None:
        """Open the journal of an output folder, or begin one.

        Raises:
            OutputError: It can't be opened, or another version of this program wrote it.
        """
        self.path = folder / JOURNAL_NAME
        try:
            self._db = sqlite3.connect(self.path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.DatabaseError as error:
            raise OutputError(
                f"{self.path}: can't be opened as a journal: {error}; move it away, or start over with --fresh"
            ) from error
        with self._errors():
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            with self._transaction():
                if not self._db.execute("SELECT 1 FROM sqlite_schema").fetchone():
                    for statement in _SCHEMA.split(";\n"):
                        self._db.execute(statement)
                    self._set("schema", SCHEMA_VERSION)
        schema = self.get("schema")
        if schema != SCHEMA_VERSION:
            self.close()
            raise OutputError(
                f"{self.path}: schema {schema!r} is of another version of hwtranscribe (this one writes "
                f"{SCHEMA_VERSION}); choose another folder"
            )

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it."""
        self._db.close()

    def get(self, key: str) -> Any:
        """A value about the run, or None."""
        with self._errors():
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, values: Mapping[str, Any]) -> None:
        """Store JSON values about the run."""
        with self._errors(), self._transaction():
            for key, value in values.items():
                self._set(key, value)

    def entries(self) -> Iterator[Entry]:
        """Every document, in no order that matters."""
        with self._errors():
            rows = self._db.execute("SELECT document, path, size, mtime_ns, sha256, state FROM documents")
            for document, path, size, mtime_ns, sha256, state in rows:
                yield Entry(document, os.fsdecode(path), Fingerprint(size, mtime_ns, sha256), state)

    def touch(self, document: str, path: str, fingerprint: Fingerprint) -> None:
        """Note that the same content now lies at `path` with another time."""
        with self._errors():
            self._db.execute(
                "UPDATE documents SET path = ?, size = ?, mtime_ns = ? WHERE document = ?",
                (os.fsencode(path), fingerprint.size, fingerprint.mtime_ns, document),
            )

    def forget(self, documents: Iterable[str]) -> None:
        """Take documents out, with all that is known of them."""
        with self._errors(), self._transaction():
            self._db.executemany("DELETE FROM documents WHERE document = ?", ((document,) for document in documents))

    def record(self, path: str, fingerprint: Fingerprint, result: DocumentResult) -> None:
        """Store what became of a document, in place of what was known of it.

        Raises:
            OutputError: The journal can't be written, for example since the disk is full.
        """
        state = "failed" if not result.page_count else "partial" if result.errors else "read"
        with self._errors(), self._transaction():
            self._db.execute("DELETE FROM documents WHERE document = ?", (result.document,))
            key = self._db.execute(
                "INSERT INTO documents (document, path, size, mtime_ns, sha256, state, page_count, warnings, "
                "provenance_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    result.document,
                    os.fsencode(path),
                    fingerprint.size,
                    fingerprint.mtime_ns,
                    fingerprint.sha256,
                    state,
                    result.page_count,
                    _json([_utf8(warning) for warning in result.warnings]),
                    self._provenance_id(result.provenance),
                ),
            ).lastrowid
            form_of_page = {page: form.number for form in result.forms for page in form.pages}
            self._db.executemany(
                "INSERT INTO pages VALUES (?, ?, ?)",
                ((key, page, form_of_page.get(page)) for page in range(1, result.page_count + 1)),
            )
            self._db.executemany(
                "INSERT INTO forms VALUES (?, ?, ?, ?)",
                ((key, form.number, form.name, _json(form.pages)) for form in result.forms),
            )
            readings: list[tuple[int | None, FieldReading]] = [(None, reading) for reading in result.lines]
            readings += [(form.number, reading) for form in result.forms for reading in form.fields]
            self._db.executemany(
                f"INSERT INTO fields VALUES ({', '.join('?' * 19)})",
                (
                    (key, position, form, r.page, r.field, r.kind, r.text, r.confidence, r.status, r.detail, *r.box)
                    + (_json([asdict(c) for c in r.characters]), _json([asdict(a) for a in r.alternatives]))
                    + ((r.cell.table, r.cell.row, r.cell.column) if r.cell else (None, None, None))
                    for position, (form, r) in enumerate(readings)
                ),
            )
            self._db.executemany(
                "INSERT INTO errors VALUES (?, ?, ?, ?, ?)",
                ((key, i, e.page, e.error, _utf8(e.detail)) for i, e in enumerate(result.errors)),
            )

    def results(self, documents: Iterable[str], *, characters: bool = True) -> Iterator[DocumentResult]:
        """The results of these documents, in their order, one in memory at a time.

        Args:
            documents: Their names.
            characters: Whether to fill in characters and alternatives, which takes most of the time.
        """
        with self._errors():
            for document in documents:
                yield self._result(document, characters)

    def drawn_tables(self) -> list[tuple[str, int, int]]:
        """Document, page and number of every drawn table, in no order that matters."""
        with self._errors():
            return self._db.execute(
                "SELECT DISTINCT document, page, table_number FROM fields JOIN documents ON id = document_id "
                "WHERE table_number IS NOT NULL"
            ).fetchall()

    def page_counts(self) -> dict[str, int]:
        """Pages of every document that could be read, in no order that matters."""
        with self._errors():
            return dict(self._db.execute("SELECT document, page_count FROM documents WHERE state != 'failed'"))

    def counts(self) -> dict[str, int]:
        """Totals for a summary: documents by state, pages, fields, fields to look at."""
        with self._errors():
            states = dict(self._db.execute("SELECT state, count(*) FROM documents GROUP BY state"))
            pages = self._db.execute("SELECT count(*) FROM pages").fetchone()[0]
            fields, review = self._db.execute(
                "SELECT count(*), count(*) FILTER (WHERE status IN ('review', 'illegible')) FROM fields"
            ).fetchone()
        return {
            "documents": sum(states.values()),
            "failed": states.get("failed", 0),
            "partial": states.get("partial", 0),
            "pages": pages,
            "fields": fields,
            "review": review,
        }

    def status_counts(self, field_names: Sequence[str] | None) -> dict[str, dict[str, int]]:
        """How often each field has each status, in the order of the names; all lines together in page mode."""
        name = "field" if field_names is not None else "'lines'"
        counts: dict[str, dict[str, int]] = {}
        with self._errors():
            query = f"SELECT {name}, status, count(*) FROM fields GROUP BY 1, 2 ORDER BY 1, 2"
            for field, status, count in self._db.execute(query):
                counts.setdefault(field, {})[status] = count
        return {field: counts[field] for field in field_names or counts if field in counts}

    def _result(self, document: str, characters: bool) -> DocumentResult:
        key, page_count, warnings, provenance_id = self._db.execute(
            "SELECT id, page_count, warnings, provenance_id FROM documents WHERE document = ?", (document,)
        ).fetchone()
        fields: dict[int | None, list[FieldReading]] = {}
        for row in self._rows("fields", key, "position"):
            form, reading = _reading(row, characters)
            fields.setdefault(form, []).append(reading)
        forms = tuple(
            FilledForm(number, name, tuple(json.loads(pages)), tuple(fields.get(number, ())))
            for _, number, name, pages in self._rows("forms", key, "form")
        )
        errors = tuple(PageError(*row[2:]) for row in self._rows("errors", key, "position"))
        version, checkpoint_hash, form_hash, options = self._db.execute(
            "SELECT version, checkpoint_hash, form_hash, options FROM provenance WHERE id = ?", (provenance_id,)
        ).fetchone()
        return DocumentResult(
            document=document,
            page_count=page_count,
            forms=forms,
            lines=tuple(fields.get(None, ())),
            errors=errors,
            provenance=Provenance(version, checkpoint_hash, form_hash, json.loads(options)),
            warnings=tuple(json.loads(warnings)),
        )

    def _rows(self, table: str, key: int, order: str) -> list[tuple[Any, ...]]:
        return self._db.execute(f"SELECT * FROM {table} WHERE document_id = ? ORDER BY {order}", (key,)).fetchall()

    def _provenance_id(self, provenance: Provenance) -> int:
        values = (provenance.version, provenance.checkpoint_hash, provenance.form_hash, _json(provenance.options))
        found = self._db.execute(
            "SELECT id FROM provenance WHERE (version, checkpoint_hash, options) = (?1, ?2, ?4) AND form_hash IS ?3",
            values,
        ).fetchone()
        if found:
            return found[0]
        insert = "INSERT INTO provenance (version, checkpoint_hash, form_hash, options) VALUES (?, ?, ?, ?)"
        return self._db.execute(insert, values).lastrowid  # type: ignore[return-value]

    def _set(self, key: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, _json(value)))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk has ended it already
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise OutputError(f"{self.path}: {error}; what was recorded before is kept") from error


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _utf8(text: str) -> str:
    """Text in which bytes of file names that are not UTF-8 are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _reading(row: tuple[Any, ...], detailed: bool) -> tuple[int | None, FieldReading]:
    _, _, form, page, field, kind, text, confidence, status, detail, *rest = row
    left, top, right, bottom, characters, alternatives, table, table_row, column = rest
    return form, FieldReading(
        page=page,
        field=field,
        kind=Kind(kind),
        text=text,
        confidence=confidence,
        status=Status(status),
        detail=detail,
        box=(left, top, right, bottom),
        characters=tuple(CharReading(**{**c, "box": tuple(c["box"])}) for c in json.loads(characters))
        if detailed
        else (),
        alternatives=tuple(Alternative(**a) for a in json.loads(alternatives)) if detailed else (),
        cell=None if table is None else Cell(table, table_row, column),
    )
