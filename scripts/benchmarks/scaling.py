"""Where the driver saturates: documents a second through each executor and into the journal, with no reading at all."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._reading import ROOT
from hwtranscribe.batch.cluster import ClusterExecutor
from hwtranscribe.batch.outputs import write_outputs
from hwtranscribe.batch.pool import SerialExecutor, WorkerPool
from hwtranscribe.batch.progress import ProgressReporter
from hwtranscribe.batch.run import BatchReader, Stop
from hwtranscribe.batch.work import Outcome
from hwtranscribe.form import FormTemplate
from hwtranscribe.journal import Fingerprint, Journal
from hwtranscribe.types import (
    Alternative,
    CharReading,
    DocumentJob,
    DocumentPart,
    FieldReading,
    Kind,
    PageReadings,
    Provenance,
    Status,
)

PROVENANCE = Provenance("0", "none", None, {})
_FIELDS, _CHARACTERS = 14, 9


def main(arguments: list[str]) -> None:
    """Parses and measures."""
    parser = argparse.ArgumentParser(prog="bench scaling", description=__doc__)
    parser.add_argument("--documents", type=int, default=2000)
    options = parser.parse_args(arguments)
    print(f"{options.documents} documents of a page with {_FIELDS} fields of {_CHARACTERS} characters, nothing read:")
    through("in this process", SerialExecutor(), 1, options.documents)
    with WorkerPool(2) as pool:
        through("two processes of this machine", pool, 4, options.documents)
    with dask_cluster(2) as executor:
        through("two Dask workers", executor, 4, options.documents)


def work(job: DocumentJob, provenance: Provenance) -> Outcome:
    """Comes back at once with a result of the usual size."""
    character = CharReading("7", 0.987654, (100, 100, 120, 130))
    fields = tuple(
        FieldReading(
            page=1,
            field=f"field{number}",
            kind=Kind.DIGITS,
            text="7" * _CHARACTERS,
            confidence=0.9,
            status=Status.OK,
            detail="",
            box=(100, 100, 300, 130),
            characters=(character,) * _CHARACTERS,
            alternatives=(Alternative("1" * _CHARACTERS, 0.05),) * 2,
        )
        for number in range(_FIELDS)
    )
    page = PageReadings(1, None, True, fields)
    return Outcome(Fingerprint(1, 1, "0" * 64), DocumentPart(1, (page,), (), (), provenance))


def through(what: str, executor, capacity: int, documents: int, form: FormTemplate | None = None) -> None:
    """Sends documents through an executor into a journal, and prints the rates."""
    jobs = [DocumentJob(f"/none/{number}.png", f"{number}.png") for number in range(documents)]
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
        executor.submit(work, jobs[0], PROVENANCE).result()
        reporter, begun_s = ProgressReporter(documents, quiet=True), time.perf_counter()
        BatchReader(executor, lambda: capacity, journal, PROVENANCE, form, reporter, Stop(), work).read(jobs)
        read_s = time.perf_counter() - begun_s
        write_outputs(Path(folder), journal)
        export_s = time.perf_counter() - begun_s - read_s
        size = journal.path.stat().st_size + journal.path.with_name(journal.path.name + "-wal").stat().st_size
    print(
        f"  {what}: {documents / read_s:.0f} documents/s into the journal, files written at "
        f"{documents / export_s:.0f} documents/s, {size / documents / 1000:.1f} kB each"
    )


@contextmanager
def dask_cluster(workers: int) -> Iterator[ClusterExecutor]:
    """A scheduler and workers as processes of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scheduler.json"
        command = [sys.executable, "-m", "dask"]
        common = ["--scheduler-file", str(file), "--no-dashboard"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("", "scripts"))}

        def start(*arguments: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [*command, *arguments, *common], stderr=subprocess.DEVNULL, cwd=folder, env=environment
            )

        processes = [start("scheduler", "--port", "0")]
        try:
            while not file.exists():
                time.sleep(0.1)
            address = json.loads(file.read_text())["address"]
            processes += [start("worker", "--nthreads", "1", "--no-nanny") for _ in range(workers)]
            with ClusterExecutor(address) as executor:
                yield executor
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait()
