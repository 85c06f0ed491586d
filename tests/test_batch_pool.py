import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import batch_work
import pytest

from hwtranscribe.batch.pool import SerialExecutor, WorkerDiedError, WorkerPool, WorkerTimeoutError, _Worker


@pytest.fixture
def pool():
    with WorkerPool(1, timeout_s=None) as made:
        yield made


def test_serial_executor():
    executor = SerialExecutor()
    assert executor.submit(batch_work.echo, 1).result() == 1
    with pytest.raises(KeyError, match="x"):
        executor.submit(batch_work.fail, KeyError("x")).result()


def test_tasks_run_in_other_processes(pool):
    first, second = pool.submit(batch_work.pid), pool.submit(batch_work.pid)
    assert first.result() == second.result() != os.getpid()


def test_no_more_processes_than_tasks():
    with WorkerPool(4) as pool:
        assert len({pool.submit(batch_work.pid).result() for _ in range(5)}) == 1
        tasks = [pool.submit(batch_work.sleep, 0.5) for _ in range(4)]
        assert len({task.result() for task in tasks}) == 4


def test_exceptions_come_back(pool):
    with pytest.raises(KeyError, match="x"):
        pool.submit(batch_work.fail, KeyError("x")).result()
    assert pool.submit(batch_work.echo, 2).result() == 2


def test_what_cannot_be_sent_fails_alone(pool):
    with pytest.raises(Exception, match="lambda"):
        pool.submit(lambda: 1).result()
    assert pool.submit(batch_work.echo, 3).result() == 3


def test_a_dead_worker_costs_its_task_only(pool):
    before = pool.submit(batch_work.pid).result()
    with pytest.raises(WorkerDiedError, match="exit code 7"):
        pool.submit(batch_work.end, 7).result()
    assert pool.submit(batch_work.pid).result() != before


def test_a_worker_killed_by_the_system():
    with WorkerPool(2) as pool:
        victim = pool.submit(batch_work.pid).result()
        tasks = [pool.submit(batch_work.sleep, 1.0) for _ in range(2)]
        time.sleep(0.5)
        os.kill(victim, signal.SIGKILL)
        results = [task.exception() for task in tasks]
    assert sum(error is None for error in results) == 1
    assert "SIGKILL, perhaps for memory" in str(next(error for error in results if error))


def test_a_worker_that_hangs_is_ended():
    with WorkerPool(1, timeout_s=0.5, start_s=20) as pool:
        pid = pool.submit(batch_work.pid).result()
        with pytest.raises(WorkerTimeoutError, match=r"0\.5 s"):
            pool.submit(batch_work.sleep, 60).result()
        assert pool.submit(batch_work.pid).result() != pid
    assert not Path(f"/proc/{pid}").exists()


def test_one_thread_per_worker(pool, monkeypatch):
    assert pool.submit(batch_work.variable, "OMP_NUM_THREADS").result() == "1"
    assert "multi_thread_eigen=false" in pool.submit(batch_work.variable, "XLA_FLAGS").result()
    assert "OMP_NUM_THREADS" not in os.environ or os.environ["OMP_NUM_THREADS"] != "1"


def test_kill_ends_everything_at_once():
    pool = WorkerPool(2)
    pool.submit(batch_work.pid).result()
    tasks = [pool.submit(batch_work.sleep, 60) for _ in range(4)]
    time.sleep(0.5)
    began = time.monotonic()
    pool.kill()
    pool.shutdown()
    assert time.monotonic() - began < 10
    assert all(task.cancelled() or isinstance(task.exception(), WorkerDiedError) for task in tasks)


def test_kill_while_others_ask_how_a_process_ended(monkeypatch):
    waitpid, killpg = os.waitpid, os.killpg

    def wait_slowly(pid, options):
        answer = waitpid(pid, options)
        time.sleep(0.5 if answer[0] else 0)  # the system has told how it ended, and tells it once; nobody knows it yet
        return answer

    def kill_slowly(group, number):
        killpg(group, number)
        time.sleep(0.1)  # the process is gone when the caller goes on

    monkeypatch.setattr(os, "waitpid", wait_slowly)
    monkeypatch.setattr(os, "killpg", kill_slowly)
    pool = WorkerPool(2)
    tasks = [pool.submit(batch_work.sleep, 60) for _ in range(2)]
    time.sleep(0.5)
    pool.kill()
    errors = [str(task.exception()) for task in tasks]
    assert all("SIGKILL" in error for error in errors), errors


def test_kill_while_a_worker_is_starting(monkeypatch):
    start = _Worker.start

    def start_slowly(worker):
        time.sleep(0.5)
        start(worker)

    monkeypatch.setattr(_Worker, "start", start_slowly)
    pool = WorkerPool(1)
    task = pool.submit(batch_work.sleep, 60)
    time.sleep(0.2)  # its thread has taken the task, and there is no process yet
    began = time.monotonic()
    pool.kill()
    assert time.monotonic() - began < 10
    assert isinstance(task.exception(), WorkerDiedError)


def test_workers_die_with_a_killed_parent(tmp_path):
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "import batch_work\n"
        "from hwtranscribe.batch.pool import WorkerPool\n"
        "if __name__ == '__main__':\n"
        "    pool = WorkerPool(1)\n"
        "    print(pool.submit(batch_work.pid).result(), flush=True)\n"
        "    pool.submit(batch_work.sleep, 600).result()\n"
    )
    (tmp_path / "parent.py").write_text(script)
    command = [sys.executable, str(tmp_path / "parent.py"), str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    for _ in range(50):
        if not is_running(worker):
            return
        time.sleep(0.1)
    pytest.fail("the worker outlived its parent")


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie that nobody has asked for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
