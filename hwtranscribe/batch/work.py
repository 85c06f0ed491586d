"""What an executor's workers run: read one document, and always come back with a result."""

import hashlib
import stat
import traceback
from dataclasses import dataclass
from pathlib import Path

from hwtranscribe.errors import CheckpointError, DependencyError, DocumentError, TemplateError
from hwtranscribe.journal import Fingerprint
from hwtranscribe.types import DocumentJob, DocumentResult, PageError, Provenance


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job.

    Attributes:
        fingerprint: Of the file, taken before it was read.
        result: What was read, or a result without pages that says what went wrong.
        trace: Where in the program it went wrong when that is a bug; for `--debug`.
    """

    fingerprint: Fingerprint
    result: DocumentResult
    trace: str = ""


def describe(job: DocumentJob) -> Provenance:
    """What would read this job: loads the network and the form, as every worker does once.

    Raises:
        TemplateError: The form is wrong.
        CheckpointError: The checkpoint is wrong.
    """
    from hwtranscribe.pipeline import describe_run

    return describe_run(job)


def read_document(job: DocumentJob, provenance: Provenance) -> Outcome:
    """Read one document; whatever goes wrong with it becomes part of the outcome.

    Args:
        job: What to read.
        provenance: What results without pages are given.

    Raises:
        TemplateError: The form is wrong; no document can be read.
        CheckpointError: The checkpoint is wrong.
        DependencyError: Something is not installed.
    """
    from hwtranscribe.pipeline import transcribe_document

    fingerprint = Fingerprint(None, None, None)
    trace = ""
    try:
        fingerprint = take_fingerprint(job.path)
        result = transcribe_document(job)
    except (TemplateError, CheckpointError, DependencyError):
        raise
    except DocumentError as error:
        result = failure(job.document, PageError(error.page, error.code, error.detail), provenance)
    except MemoryError:
        too_much = PageError(None, "out_of_memory", "reading it takes more memory than there is; see --max-pixels")
        result = failure(job.document, too_much, provenance)
    except Exception as error:  # a bug met in one document must not cost the others
        trace = traceback.format_exc()
        result = failure(job.document, bug(error), provenance)
    return Outcome(fingerprint, result, trace)


def failure(document: str, error: PageError, provenance: Provenance) -> DocumentResult:
    """The result of a document that could not be read."""
    detail = error.detail.encode("utf-8", "backslashreplace").decode()
    return DocumentResult(document, 0, (), (), (PageError(error.page, error.error, detail),), provenance)


def bug(error: BaseException) -> PageError:
    """The row of `errors.csv` for an exception that nobody foresaw."""
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
