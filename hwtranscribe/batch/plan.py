"""Decides what a run has to do: whether it may go on in its folder, and which documents are to be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwtranscribe.batch.discover import Found
from hwtranscribe.batch.work import take_fingerprint
from hwtranscribe.errors import OutputError
from hwtranscribe.journal import Entry, Journal
from hwtranscribe.types import Provenance

LIMITS = ("max_pixels", "max_pages")
"""Options that decide whether a document is read, not what is read: they may change between runs."""

OF_PAGES = ("kind", "case")
"""Options that mean nothing where a form says what its fields hold."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run has to do.

    Attributes:
        to_read: Documents that are new, changed or to be tried again.
        kept: Number of documents that the journal has and that are as they were.
        kept_failed: How many of these could not be read.
    """

    to_read: tuple[Found, ...]
    kept: int
    kept_failed: int


def check_identity(journal: Journal, provenance: Provenance, form: dict[str, Any] | None) -> None:
    """Compare a run with what the journal holds, and note it in a new journal.

    Raises:
        OutputError: The folder holds another run; says what differs and what it would cost to start over.
    """
    left_out = LIMITS if form is None else (*LIMITS, *OF_PAGES)
    now = {
        "version": provenance.version,
        "checkpoint": provenance.checkpoint_hash,
        "form": provenance.form_hash,
        **{name: value for name, value in provenance.options.items() if name not in left_out},
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
    content differs. One that has another name than before, since another of its old name has come, is read again.

    Raises:
        OutputError: The journal has a document of the same name and another place and content.
    """
    names = {item.path: item.document for item in documents}
    known, renamed = {}, []
    for entry in journal.entries():
        if names.get(entry.path, entry.document) == entry.document:
            known[entry.document] = entry
        else:
            renamed.append(entry.document)
    to_read, kept_failed = [], 0
    for item in documents:
        before = known.get(item.document)
        if _must_be_read(item, before, journal, retry_failed):
            to_read.append(item)
        else:
            kept_failed += before is not None and before.state == "failed"
    if renamed:
        journal.forget(renamed)
    return Plan(tuple(to_read), len(documents) - len(to_read), kept_failed)


def forget_what_never_was(documents: Sequence[Found], journal: Journal) -> None:
    """Take out of the journal what an earlier run looked for in vain, and this one does not look for.

    Args:
        documents: All that this run looks for.
        journal: Of the output folder.
    """
    wanted = {item.document for item in documents}
    entries = (entry for entry in journal.entries() if entry.was_never_there and entry.document not in wanted)
    journal.forget([entry.document for entry in entries if not Path(entry.path).is_file()])


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
    if item.path != entry.path and not entry.was_never_there:
        raise OutputError(
            f"{journal.path.parent} holds what was read of {entry.path!r} under the name {item.document!r}; "
            f"{item.path!r} would replace it. Choose another --out, or start over with --fresh"
        )
    return True


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text[:12] if len(text) == 64 else text
