"""What test batches run instead of reading: quick, and able to fail in every way; imported by worker processes."""

import os
import signal
import time
from pathlib import Path

from results import PROVENANCE, page_result

from hwtranscribe.batch.work import Outcome, take_fingerprint
from hwtranscribe.errors import TemplateError
from hwtranscribe.types import DocumentJob, Provenance


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
    return Outcome(take_fingerprint(job.path), page_result(job.document, (1, Path(job.path).read_text() or "A")))


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


assert PROVENANCE
