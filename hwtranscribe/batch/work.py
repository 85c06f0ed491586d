"""What an executor's workers run: read one document, and always come back with a result."""

import hashlib
import stat
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hwtranscribe.batch.remote import downloads, fingerprint, is_url
from hwtranscribe.errors import CheckpointError, DependencyError, DocumentError, OutputError, TemplateError
from hwtranscribe.journal import Fingerprint
from hwtranscribe.types import Box, DocumentJob, DocumentPart, DocumentResult, PageError, Provenance

_PICTURE_HEIGHT_PX = 120
_PICTURE_WIDTH_PX = 900
_NOT_OF_THE_DOCUMENT = CheckpointError, DependencyError, OutputError, TemplateError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job.

    Attributes:
        fingerprint: Of the file, taken before it was read.
        made: What was read, or a result without pages that says why the document can't be.
        trace: Where in the program it went wrong when that is a bug; for `--debug`.
    """

    fingerprint: Fingerprint
    made: DocumentPart | DocumentResult
    trace: str = ""


def describe(job: DocumentJob) -> Provenance:
    """What would read this job: loads the network and the form, as every worker does once.

    Raises:
        TemplateError: The form is wrong.
        CheckpointError: The checkpoint is wrong.
    """
    from hwtranscribe.pipeline import describe_run

    return describe_run(job)


def read_part(job: DocumentJob, provenance: Provenance) -> Outcome:
    """Read some pages of a document; whatever goes wrong with it becomes part of the outcome.

    Args:
        job: What to read.
        provenance: What results without pages are given.

    Raises:
        TemplateError: The form is wrong; no document can be read.
        CheckpointError: The checkpoint is wrong.
        DependencyError: Something is not installed.
        OutputError: An overlay picture can't be written.
    """
    from hwtranscribe.pipeline import transcribe_part

    taken = Fingerprint(None, None, None)
    try:
        # The hash is wanted once, with the first part.
        taken = take_fingerprint(job.path, content=job.pages is None or job.pages[0] == 1)
        if is_url(job.path):
            job = replace(job, path=str(downloads.fetch(job.path)))
        return Outcome(taken, transcribe_part(job))
    except _NOT_OF_THE_DOCUMENT:
        raise
    except DocumentError as error:
        problem = PageError(error.page, error.code, error.detail)
        return Outcome(taken, failure(job.document, problem, provenance))
    except Exception as error:  # a bug met on one page must not cost the others
        trace = traceback.format_exc()
        made = _page_by_page(job) or failure(job.document, bug(error), provenance)
        return Outcome(taken, made, trace)


def _page_by_page(job: DocumentJob) -> DocumentPart | None:
    """The pages of a job without those that can't be read, or None when that is all of them."""
    from hwtranscribe.pipeline import transcribe_part
    from hwtranscribe.render import page_count

    try:
        total = page_count(Path(job.path), job.options)
    except DocumentError:
        return None
    first, last = job.pages or (1, total)
    numbers = range(first, min(last, total) + 1)
    if total == 1:
        return None
    parts: list[DocumentPart] = []
    errors: list[PageError] = []
    for number in numbers:
        try:
            parts.append(transcribe_part(replace(job, pages=(number, number))))
        except DocumentError as refused:
            errors.append(PageError(number, refused.code, refused.detail))
        except _NOT_OF_THE_DOCUMENT:
            raise
        except Exception as again:
            errors.append(replace(bug(again), page=number))
    if not parts:
        return None
    return DocumentPart(
        page_total=total,
        pages=tuple(page for part in parts for page in part.pages),
        errors=tuple(sorted([*errors, *(e for part in parts for e in part.errors)], key=lambda e: e.page or 0)),
        warnings=tuple(warning for part in parts for warning in part.warnings),
        provenance=parts[0].provenance,
    )


def cut_out(job: DocumentJob, boxes: Sequence[Box]) -> list[bytes | None]:
    """JPEGs of places on the page that a job names; None for a box of nothing.

    Raises:
        DocumentError: The page can't be read any more.
    """
    import cv2

    from hwtranscribe.render import render_pages

    assert job.pages is not None
    first, last = job.pages
    path = downloads.fetch(job.path) if is_url(job.path) else Path(job.path)
    page = next(render_pages(path, job.document, job.options, range(first, last + 1)))
    if isinstance(page, PageError):
        raise DocumentError(page.error, page.detail, page.page)
    height_px, width_px = page.pixels.shape
    pictures: list[bytes | None] = []
    for left, top, right, bottom in boxes:
        margin_px = (bottom - top) // 4
        rows = slice(max(0, top - margin_px), min(height_px, bottom + margin_px))
        crop = page.pixels[rows, max(0, left - margin_px) : min(width_px, right + margin_px)]
        if not crop.size or right <= left or bottom <= top:
            pictures.append(None)
            continue
        scale = min(1.0, _PICTURE_HEIGHT_PX / crop.shape[0], _PICTURE_WIDTH_PX / crop.shape[1])
        size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
        small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
        pictures.append(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
    return pictures


def failure(document: str, error: PageError, provenance: Provenance) -> DocumentResult:
    """The result of a document that could not be read."""
    detail = error.detail.encode("utf-8", "backslashreplace").decode()
    return DocumentResult(document, 0, (), (), (PageError(error.page, error.error, detail),), provenance)


def bug(error: BaseException) -> PageError:
    """The row of `errors.csv` for an exception that nobody foresaw."""
    if isinstance(error, MemoryError):
        return PageError(None, "out_of_memory", "reading it takes more memory than there is; see --max-pixels")
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    detail = f"{type(error).__name__}: {error}{where}; this is a bug, please report it with the file if you can"
    return PageError(None, "bug", detail)


def take_fingerprint(path: str, *, content: bool = True) -> Fingerprint:
    """Size, time and hash of a file; empty where it can't be read, which the renderer explains better.

    Args:
        path: Of the file.
        content: Whether to read it for its hash.
    """
    if is_url(path):
        return _remote_fingerprint(path, content=content)
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe waits for somebody to write into it
            return Fingerprint(None, None, None)
        digest = None
        if content:
            with Path(path).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return Fingerprint(None, None, None)
    return Fingerprint(status.st_size, status.st_mtime_ns, digest)


def _remote_fingerprint(url: str, *, content: bool) -> Fingerprint:
    found = fingerprint(url)
    if content and found.size is not None:
        try:
            with downloads.fetch(url).open("rb") as file:
                return replace(found, sha256=hashlib.file_digest(file, "sha256").hexdigest())
        except DocumentError:
            return Fingerprint(None, None, None)
    return found
