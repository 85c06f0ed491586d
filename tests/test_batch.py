import dataclasses
import os
import signal
import threading
import time
from pathlib import Path

import batch_work
import pytest
from results import PROVENANCE, failed_result, page_result

from hwtranscribe.batch.discover import discover
from hwtranscribe.batch.folder import LOCK_NAME, claim_folder, open_folder, open_journal
from hwtranscribe.batch.outputs import write_outputs
from hwtranscribe.batch.plan import check_identity, forget_what_never_was, plan
from hwtranscribe.batch.pool import SerialExecutor, WorkerPool
from hwtranscribe.batch.progress import ProgressReporter, duration
from hwtranscribe.batch.run import BatchReader, Stop
from hwtranscribe.batch.session import RunSettings
from hwtranscribe.batch.transcribe import transcribe
from hwtranscribe.batch.work import failure
from hwtranscribe.errors import CheckpointError, OutputError, TemplateError
from hwtranscribe.export import overlay_path
from hwtranscribe.journal import JOURNAL_NAME, Fingerprint, Journal
from hwtranscribe.types import DocumentJob, DocumentResult, PageError, Provenance


@pytest.fixture
def scans(tmp_path):
    """A function that makes documents, which `batch_work.work` reads as their content."""
    folder = tmp_path / "scans"
    folder.mkdir()

    def make(*names: str) -> Path:
        for name in names:
            (folder / f"{name}.png").write_text(name.upper())
        return folder

    return make


def run(folder: Path, out: Path, executor, capacity: int = 1, *, retry_failed: bool = False, stop: Stop | None = None):
    """Read a folder into an output folder; returns counts and the names of the documents that were read."""
    with open_folder(out) as journal:
        check_identity(journal, PROVENANCE, None)
        work = plan(discover([str(folder)]).documents, journal, retry_failed=retry_failed)
        jobs = [DocumentJob(item.path, item.document) for item in work.to_read]
        reporter = ProgressReporter(len(jobs), quiet=True)
        stop = stop or Stop()
        BatchReader(executor, lambda: capacity, journal, PROVENANCE, None, reporter, stop, batch_work.work).read(jobs)
        write_outputs(out, journal)
        return journal.counts(), [job.document for job in jobs]


def outputs(out: Path) -> dict[str, bytes]:
    skipped = (JOURNAL_NAME, LOCK_NAME)
    files = (path for path in out.rglob("*") if path.is_file() and not path.name.startswith(skipped))
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def errors(out: Path) -> list[list[str]]:
    return [line.split(",")[:3] for line in (out / "errors.csv").read_text().splitlines()[1:]]


def test_outputs_do_not_depend_on_the_executor(scans, tmp_path):
    folder = scans("a", "slow_b", "c10", "c9", "bug_x")
    counts, _ = run(folder, tmp_path / "one", SerialExecutor())
    assert counts["documents"] == 5 and counts["failed"] == 1
    with WorkerPool(3) as pool:
        run(folder, tmp_path / "two", pool, 6)
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")
    assert set(outputs(tmp_path / "one")) == {
        *("errors.csv", "fields.csv", "results.jsonl"),
        *(f"text/{name}.png.txt" for name in ("a", "slow_b", "c10", "c9")),
    }
    rows = (tmp_path / "one/fields.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["a.png", "c9.png", "c10.png", "slow_b.png"]
    assert errors(tmp_path / "one") == [["bug_x.png", "", "bug"]]


def test_a_crash_costs_one_document_after_a_second_try(scans, tmp_path):
    folder = scans("a", "b", "c", "crash_x", "crashonce_y", "d", "e")
    with WorkerPool(2) as pool:
        counts, _ = run(folder, tmp_path / "out", pool, 4)
    assert errors(tmp_path / "out") == [["crash_x.png", "", "crashed"]]
    assert counts["documents"] == 7 and counts["failed"] == 1


def test_a_hang_costs_one_document_after_a_second_try(scans, tmp_path):
    folder = scans("a", "hang_x", "hangonce_y", "b")
    with WorkerPool(2, timeout_s=2, start_s=8) as pool:
        for _ in range(2):
            pool.submit(batch_work.sleep, 0.4)
        pool.submit(batch_work.pid).result()
        counts, _ = run(folder, tmp_path / "out", pool, 4)
    assert errors(tmp_path / "out") == [["hang_x.png", "", "timeout"]]
    assert counts["documents"] == 4 and counts["failed"] == 1


def test_a_long_document_is_read_in_parts(scans, tmp_path):
    folder = scans("a", "pages40_x", "pages17_y", "pages16_z")
    run(folder, tmp_path / "one", SerialExecutor())
    with WorkerPool(3) as pool:
        counts, _ = run(folder, tmp_path / "two", pool, 6)
    assert counts["pages"] == 1 + 40 + 17 + 16
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")
    rows = [row.split(",") for row in (tmp_path / "two/fields.csv").read_text().splitlines()[1:]]
    assert [int(row[1]) for row in rows if row[0] == "pages40_x.png"] == list(range(1, 41))


def test_a_crash_in_a_long_document_costs_the_pages_of_its_part(scans, tmp_path):
    folder = scans("pages40crash20_x")
    with WorkerPool(2) as pool:
        counts, _ = run(folder, tmp_path / "out", pool, 4)
    assert (counts["documents"], counts["partial"], counts["pages"], counts["fields"]) == (1, 1, 40, 24)
    assert errors(tmp_path / "out") == [["pages40crash20_x.png", str(page), "crashed"] for page in range(17, 33)]


def test_a_bug_in_a_long_document_costs_the_pages_of_its_part(scans, tmp_path):
    counts, _ = run(scans("pages40bug20_x"), tmp_path / "out", SerialExecutor(), 3)
    assert (counts["documents"], counts["partial"], counts["pages"], counts["fields"]) == (1, 1, 40, 24)
    assert errors(tmp_path / "out") == [["pages40bug20_x.png", str(page), "bug"] for page in range(17, 33)]


def test_a_worker_that_reads_with_something_else_ends_the_run(scans, tmp_path):
    def other(job: DocumentJob, provenance: Provenance):
        return batch_work.work(job, dataclasses.replace(provenance, checkpoint_hash="another"))

    with Journal(tmp_path) as journal:
        reporter = ProgressReporter(1, quiet=True)
        reader = BatchReader(SerialExecutor(), lambda: 1, journal, PROVENANCE, None, reporter, Stop(), other)
        with pytest.raises(OutputError, match="another.*give all workers the same"):
            reader.read([DocumentJob(str(scans("a") / "a.png"), "a.png")])


def test_a_wrong_form_ends_the_run(scans, tmp_path):
    with pytest.raises(TemplateError):
        run(scans("template_x", "a"), tmp_path / "out", SerialExecutor())


def test_only_what_is_new_changed_or_failed_is_read_again(scans, tmp_path):
    folder, out = scans("a", "b", "c", "bug_x"), tmp_path / "out"
    assert run(folder, out, SerialExecutor())[1] == ["a.png", "b.png", "bug_x.png", "c.png"]
    assert run(folder, out, SerialExecutor())[1] == []
    (folder / "b.png").write_text("OTHER")
    scans("d")
    os.utime(folder / "c.png", (1, 1))
    assert run(folder, out, SerialExecutor())[1] == ["b.png", "d.png"]
    assert (out / "text/b.png.txt").read_text() == "OTHER\n"
    assert run(folder, out, SerialExecutor(), retry_failed=True)[1] == ["bug_x.png"]
    (folder / "bug_x.png").rename(folder / "x.png")
    assert run(folder, out, SerialExecutor())[1] == ["x.png"]


def test_what_was_read_stays_when_its_file_is_gone(scans, tmp_path):
    folder, out = scans("a", "b"), tmp_path / "out"
    run(folder, out, SerialExecutor())
    before = outputs(out)
    (folder / "a.png").unlink()
    run(folder, out, SerialExecutor())
    assert outputs(out) == before


def test_a_moved_folder_is_recognised_by_content(scans, tmp_path):
    folder, out = scans("a", "b"), tmp_path / "out"
    run(folder, out, SerialExecutor())
    folder.rename(tmp_path / "moved")
    assert run(tmp_path / "moved", out, SerialExecutor())[1] == []


def test_another_document_of_the_same_name_is_refused(scans, tmp_path):
    folder, out = scans("a"), tmp_path / "out"
    run(folder, out, SerialExecutor())
    (tmp_path / "april").mkdir()
    (tmp_path / "april/a.png").write_text("ANOTHER")
    with pytest.raises(OutputError, match=r"would replace it.*--fresh"):
        run(tmp_path / "april", out, SerialExecutor())


def test_files_of_what_is_no_longer_there_go(tmp_path):
    def record(result: DocumentResult) -> None:
        journal.record("/scan", Fingerprint(1, 1, ""), result)
        for page in range(1, result.page_count + 1):
            picture = tmp_path / "overlay" / overlay_path(result.document, page)
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.touch()

    with Journal(tmp_path) as journal:
        record(page_result("sub/a.png", (1, "A")))
        record(page_result("b.pdf", (1, "B"), (2, "B")))
        record(page_result("c.png.txt/x.png", (1, "C")))
        write_outputs(tmp_path, journal)
        record(failed_result("sub/a.png"))
        record(page_result("b.pdf", (1, "B")))
        journal.forget(["c.png.txt/x.png"])
        record(page_result("c.png", (1, "C")))
        write_outputs(tmp_path, journal)
    assert {name for name in outputs(tmp_path) if "/" in name} == {
        *("text/b.pdf.txt", "text/c.png.txt"),
        *("overlay/b.pdf.page0001.jpg", "overlay/c.png.page0001.jpg"),
    }


def test_another_run_is_refused_with_what_differs(tmp_path):
    with open_folder(tmp_path) as journal:
        check_identity(journal, PROVENANCE, None)
        check_identity(journal, PROVENANCE, None)
        options = {**PROVENANCE.options, "max_pages": 7}
        check_identity(journal, Provenance(PROVENANCE.version, "c0ffee", "f00d", options), None)
        changed = Provenance(PROVENANCE.version, "c0ffee", None, {**options, "dpi": 200})
        with pytest.raises(OutputError, match="form was f00d, now none; dpi was 300, now 200.*reads its 0 documents"):
            check_identity(journal, changed, None)


def test_a_document_whose_name_changes_is_no_second_one(scans, tmp_path):
    folder, out = scans(), tmp_path / "out"
    for name in ("mon", "tue"):
        (folder / name).mkdir()

    def read():
        with open_folder(out) as journal:
            documents = discover([str(folder / "mon"), str(folder / "tue")]).documents
            work = plan(documents, journal)
            jobs = [DocumentJob(item.path, item.document) for item in work.to_read]
            reporter = ProgressReporter(len(jobs), quiet=True)
            reader = BatchReader(
                SerialExecutor(), lambda: 1, journal, PROVENANCE, None, reporter, Stop(), batch_work.work
            )
            reader.read(jobs)
            return sorted(entry.document for entry in journal.entries())

    (folder / "mon/001.png").write_text("MONDAY")
    assert read() == ["001.png"]
    (folder / "tue/001.png").write_text("TUESDAY")
    assert read() == ["mon/001.png", "tue/001.png"]


def test_what_never_was_is_forgotten_and_stands_in_nobodys_way(scans, tmp_path):
    folder = scans("a")
    locked = folder / "locked"
    with open_folder(tmp_path / "out") as journal:
        for path, document in ((folder / "typo.png", "typo.png"), (locked, "locked"), (folder / "b.png", "b.png")):
            failed = failure(document, PageError(None, "not_found", "no such file"), PROVENANCE)
            journal.record(str(path), Fingerprint(None, None, None), failed)
        locked.mkdir()
        (folder / "b.png").write_text("B, WHICH COULD NOT BE OPENED")
        forget_what_never_was(discover([str(folder / "a.png")]).documents, journal)
        assert [entry.document for entry in journal.entries()] == ["b.png"]
        journal.record(
            str(tmp_path / "scan/a.png"), Fingerprint(None, None, None), dataclasses.replace(failed, document="a.png")
        )
        work = plan(discover([str(folder / "a.png")]).documents, journal)
        assert [item.document for item in work.to_read] == ["a.png"]


def test_a_run_that_cannot_begin_leaves_what_is_there(scans, tmp_path):
    out = tmp_path / "out"
    run(scans("a"), out, SerialExecutor())
    before = outputs(out)
    settings = RunSettings(
        [str(tmp_path / "scans")], out, checkpoint=tmp_path / "missing", fresh=True, jobs=1, quiet=True
    )
    with pytest.raises(CheckpointError):
        transcribe(settings)
    assert outputs(out) == before
    with Journal(out) as journal:
        assert journal.counts()["documents"] == 1


def test_two_runs_in_one_folder_are_refused(tmp_path):
    with open_folder(tmp_path), pytest.raises(OutputError, match="another run"), open_folder(tmp_path):
        pass


def test_files_of_others_are_not_overwritten(tmp_path):
    (tmp_path / "fields.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"holds fields\.csv"), claim_folder(tmp_path):
        pass
    assert (tmp_path / "fields.csv").read_text() == "mine"


def test_other_files_in_the_folder_are_left_alone(scans, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    run(scans("a"), out, SerialExecutor())
    with claim_folder(out), open_journal(out, fresh=True) as journal:
        assert journal.counts()["documents"] == 0
    assert [path.name for path in out.iterdir() if not path.name.startswith((JOURNAL_NAME, "."))] == ["notes.txt"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="can't be written"), open_folder(tmp_path / "file/out"):
        pass


def test_only_a_run_can_be_exported(tmp_path):
    with pytest.raises(OutputError, match="no journal"), open_folder(tmp_path, create=False):
        pass
    assert not (tmp_path / JOURNAL_NAME).exists()


def test_a_stopped_run_keeps_what_was_in_hand_and_goes_on(scans, tmp_path):
    names = [f"slow_{i}" for i in range(5)]
    folder, out, stop = scans(*names), tmp_path / "out", Stop()
    with WorkerPool(1) as pool:
        pool.submit(batch_work.pid).result()
        threading.Timer(0.7, stop.request).start()
        began = time.monotonic()
        counts, _ = run(folder, out, pool, 2, stop=stop)
        assert time.monotonic() - began < 3
    assert 1 <= counts["documents"] <= 3
    assert len((out / "fields.csv").read_text().splitlines()) == counts["documents"] + 1
    counts, read = run(folder, out, SerialExecutor())
    assert counts["documents"] == 5 and len(read) < 5
    run(folder, tmp_path / "undisturbed", SerialExecutor())
    assert outputs(out) == outputs(tmp_path / "undisturbed")


def test_the_second_request_stops_at_once(scans, tmp_path):
    stop = Stop()
    with WorkerPool(1) as pool:
        pool.submit(batch_work.pid).result()
        for delay_s in (0.3, 0.6):
            threading.Timer(delay_s, stop.request).start()
        began = time.monotonic()
        counts, _ = run(scans("hang_x", "hang_y"), tmp_path / "out", pool, 2, stop=stop)
        assert time.monotonic() - began < 5
        pool.kill()
    assert counts["documents"] == 0


def test_progress_without_a_terminal(capsys, monkeypatch):
    import io

    from results import failed_result, page_result

    from hwtranscribe.batch import progress

    monkeypatch.setattr(progress, "_PLAIN_INTERVAL_S", 0.0)
    stream = io.StringIO()
    with ProgressReporter(2, stream=stream) as reporter:
        for result in (page_result("a\x1b[2J.png", (1, "A")), failed_result("b.png")):
            reporter.begin(result.document)
            reporter.pages_read(result.page_count)
            reporter.done(result, "")
    first, second = stream.getvalue().splitlines()
    assert first.startswith("1 of 2 documents, 1 pages, ") and "0 failed" in first and "\x1b" not in first
    assert second.startswith("2 of 2 documents, 1 pages, ") and "1 failed" in second and second.endswith("last b.png")


def test_progress_as_json_lines():
    import io
    import json

    from results import failed_result

    stream = io.StringIO()
    for quiet in (True, False):
        with ProgressReporter(1, quiet=quiet, stream=stream, log_json=True) as reporter:
            reporter.done(failed_result("b.png"), "")
    record = json.loads(stream.getvalue())
    assert record["document"] == "b.png" and record["errors"] == ["corrupt"] and record["done"] == record["total"] == 1


def test_durations():
    assert [duration(s) for s in (5, 75, 3700)] == ["5 s", "1 min 15 s", "1 h 1 min"]


def test_a_run_is_as_good_after_kills_as_without(scans, tmp_path):
    """`kill -9` of the whole run at random moments; scripts/kill_test does it 50 times with real reading."""
    import subprocess
    import sys

    folder, out = scans(*(f"slow_{i}" for i in range(6))), tmp_path / "out"
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from test_batch import run\n"
        "from hwtranscribe.batch.pool import WorkerPool\n"
        "if __name__ == '__main__':\n"
        "    with WorkerPool(2) as pool:\n"
        "        run(Path(sys.argv[2]), Path(sys.argv[3]), pool, 4)\n"
    )
    command = [sys.executable, str(script), str(Path(__file__).parent), str(folder), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    for delay_s in (0.6, 1.4, 1.9, None):
        process = subprocess.Popen(command, env=environment)
        try:
            assert process.wait(delay_s or 60) == 0
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    run(folder, tmp_path / "undisturbed", SerialExecutor())
    assert outputs(out) == outputs(tmp_path / "undisturbed")
    with Journal(out) as journal:
        assert journal.counts()["documents"] == 6
