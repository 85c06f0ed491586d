"""A real scheduler and real workers on this machine; and documents that lie elsewhere."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from test_batch import errors, outputs, run
from test_batch_pool import is_running

from hwtranscribe import __version__
from hwtranscribe.batch import remote
from hwtranscribe.batch.discover import discover
from hwtranscribe.batch.pool import SerialExecutor
from hwtranscribe.batch.work import take_fingerprint
from hwtranscribe.errors import DocumentError, UsageError
from hwtranscribe.types import DocumentJob

distributed = pytest.importorskip("distributed")
fsspec = pytest.importorskip("fsspec")

from hwtranscribe.batch.cluster import ClusterExecutor  # noqa: E402

TESTS = Path(__file__).parent


class Cluster:
    """A scheduler and its workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self._processes: list[subprocess.Popen] = []
        self._start("scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1")
        deadline_s = time.monotonic() + 60
        while not self.file.exists() and time.monotonic() < deadline_s:
            time.sleep(0.1)

    @property
    def address(self) -> str:
        return json.loads(self.file.read_text())["address"]

    def add_worker(self, *options: str, package: Path = TESTS.parent) -> subprocess.Popen:
        return self._start("worker", "--nthreads", "1", "--no-dashboard", *options, package=package)

    def _start(self, what: str, *options: str, package: Path = TESTS.parent) -> subprocess.Popen:
        command = [sys.executable, "-m", "dask", what, "--scheduler-file", str(self.file), *options]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(package), str(TESTS))),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2",
        }
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, cwd=self.file.parent)
        self._processes.append(process)
        return process

    def close(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.close()


@pytest.fixture
def scans(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()

    def make(*names: str) -> Path:
        for name in names:
            (folder / f"{name}.png").write_text(name.upper())
        return folder

    return make


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_reads_what_a_process_reads_though_a_worker_is_killed(cluster, scans, tmp_path):
    folder = scans(*(f"slow_{i}" for i in range(12)), "bug_x", "pages40_y")
    run(folder, tmp_path / "alone", SerialExecutor())
    victim = cluster.add_worker("--no-nanny")
    cluster.add_worker("--no-nanny")
    with ClusterExecutor(cluster.address) as executor:
        deadline_s = time.monotonic() + 60
        while executor.worker_count < 2 and time.monotonic() < deadline_s:
            time.sleep(0.1)
        threading.Timer(1.5, lambda: (victim.send_signal(signal.SIGKILL), cluster.add_worker("--no-nanny"))).start()
        counts, _ = run(folder, tmp_path / "cluster", executor, 2)
    assert not is_running(victim.pid)
    assert counts["documents"] == 14 and counts["failed"] == 1
    assert outputs(tmp_path / "cluster") == outputs(tmp_path / "alone")


@pytest.mark.filterwarnings("ignore")
def test_what_kills_or_hangs_workers_costs_one_document(cluster, scans, tmp_path):
    cluster.add_worker()
    cluster.add_worker()
    with ClusterExecutor(cluster.address, timeout_s=8) as executor:
        counts, _ = run(scans("a", "crash_x", "hang_y", "b"), tmp_path / "out", executor, 2)
    assert sorted(errors(tmp_path / "out")) == [["crash_x.png", "", "crashed"], ["hang_y.png", "", "timeout"]]
    assert counts["documents"] == 4


@pytest.mark.filterwarnings("ignore")
def test_workers_of_several_threads_are_refused(cluster):
    cluster.add_worker("--nthreads", "2", "--no-nanny")
    with pytest.raises(UsageError, match="--nthreads 1"):
        ClusterExecutor(cluster.address)


@pytest.mark.filterwarnings("ignore")
def test_workers_of_another_version_are_refused(cluster, tmp_path):
    package = tmp_path / "other"
    for name in ("hwtranscribe", "checkpoints"):
        shutil.copytree(TESTS.parent / name, package / name)
    init = package / "hwtranscribe/__init__.py"
    init.write_text(init.read_text().replace(f'__version__ = "{__version__}"', '__version__ = "0.0.9"'))
    cluster.add_worker("--no-nanny")
    cluster.add_worker("--no-nanny", package=package)
    with ClusterExecutor(cluster.address) as executor:
        deadline_s = time.monotonic() + 60
        while executor.worker_count < 2 and time.monotonic() < deadline_s:
            time.sleep(0.1)
        with pytest.raises(UsageError, match=r"different versions.*0\.0\.9"):
            executor.describe(DocumentJob("", ""))


def test_no_scheduler_is_said(monkeypatch):
    monkeypatch.setattr("hwtranscribe.batch.cluster._CONNECT_S", 1.0)
    with pytest.raises(UsageError, match=r"tcp://127\.0\.0\.1:9: no scheduler answers"):
        ClusterExecutor("tcp://127.0.0.1:9")


@pytest.fixture
def memory():
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]
    yield filesystem
    filesystem.store.clear()


def test_documents_elsewhere_are_found_and_read(memory, tmp_path):
    for name in ("scans/b/page10.png", "scans/page2.png", "scans/notes.txt", "scans/.hidden.png"):
        memory.pipe(f"/{name}", name.encode())
    found = discover(["memory://scans"])
    assert [item.document for item in found.documents] == ["b/page10.png", "page2.png"] and found.skipped == 2
    assert [item.document for item in discover(["memory://scans/b/page10.png"]).documents] == ["page10.png"]
    assert [item.document for item in discover(["memory://scans/*.png"]).documents] == [".hidden.png", "page2.png"][1:]
    path = remote.downloads.fetch(found.documents[0].path)
    assert path.read_bytes() == b"scans/b/page10.png"
    assert remote.downloads.fetch(found.documents[0].path) == path
    remote.downloads.forget()
    assert not path.exists()


def test_a_change_elsewhere_is_noticed(memory):
    memory.pipe("/scans/a.png", b"one")
    before = take_fingerprint("memory://scans/a.png")
    assert before == take_fingerprint("memory://scans/a.png") and before.size == 3 and before.sha256
    time.sleep(0.01)
    memory.pipe("/scans/a.png", b"two")
    after = take_fingerprint("memory://scans/a.png")
    assert after.mtime_ns != before.mtime_ns and after.sha256 != before.sha256


def test_what_is_gone_elsewhere_is_said(memory):
    with pytest.raises(DocumentError, match="not_found"):
        remote.downloads.fetch("memory://scans/none.png")
    assert take_fingerprint("memory://scans/none.png").size is None
    with pytest.raises(UsageError, match="nonsense"):
        discover(["nonsense://x/y"])


def test_files_are_copied_elsewhere(memory, tmp_path):
    from hwtranscribe.batch.outputs import copy_outputs

    (tmp_path / "text").mkdir()
    (tmp_path / "text/a.txt").write_text("A")
    (tmp_path / "fields.csv").write_text("document")
    (tmp_path / "journal.sqlite").write_text("no export")
    copy_outputs(tmp_path, "memory://out")
    assert sorted(memory.store) == ["/out/fields.csv", "/out/text/a.txt"]
