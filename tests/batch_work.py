"""What test batches run instead of reading: quick, and able to fail in every way; imported by worker processes."""

import os
import re
import signal
import time
from pathlib import Path

from results import reading

from hwtranscribe.batch.work import Outcome, take_fingerprint
from hwtranscribe.errors import TemplateError
from hwtranscribe.types import DocumentJob, DocumentPart, PageReadings, Provenance


def work(job: DocumentJob, provenance: Provenance) -> Outcome:
    """Read a document, or do what its name says."""
    what = Path(job.path).stem.split("_")[0]
    marker = Path(job.path).with_suffix(".tried")
    if what == "crash" or (what == "crashonce" and not marker.exists()):
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "hang" or (what == "hangonce" and not marker.exists()):
        marker.touch()
        time.sleep(600)
    if what == "bug":
        raise ZeroDivisionError("a bug")
    if what == "template":
        raise TemplateError("form.toml: nonsense")
    if what == "slow":
        time.sleep(0.5)
    total, crash = 1, None
    if match := re.fullmatch(r"pages(\d+)(?:(crash|bug)(\d+))?", what):
        total, crash = int(match[1]), match[3] and int(match[3])
    first, last = job.pages or (1, total)
    numbers = range(first, min(last, total) + 1)
    if crash in numbers:
        if "bug" in what:
            raise ZeroDivisionError("a bug")
        os.kill(os.getpid(), signal.SIGKILL)
    text = Path(job.path).read_text() or "A"
    pages = tuple(PageReadings(page, None, True, (reading("line001", text, page),)) for page in numbers)
    return Outcome(take_fingerprint(job.path), DocumentPart(total, pages, (), (), provenance))


def echo(value: object) -> object:
    return value


def pid() -> int:
    return os.getpid()


def variable(name: str) -> str | None:
    return os.environ.get(name)


def fail(error: Exception) -> None:
    raise error


def end(code: int) -> None:
    os._exit(code)


def sleep(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()
