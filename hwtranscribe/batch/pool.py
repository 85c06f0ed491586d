"""Executors: in this process, and a pool of processes that survives the death of any of them.

`concurrent.futures.ProcessPoolExecutor` breaks as a whole when one worker dies and can't stop one that hangs. Here a
thread stands behind every worker process: it knows which task its process has, notices when that process ends or takes
too long, fails that one task and starts another process.
"""

import contextlib
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from hwtranscribe.batch.work import describe
from hwtranscribe.types import DocumentJob, Provenance

# One thread per worker: N workers use N cores, and no sum depends on how many cores there are.
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    # The C library of most Linux systems keeps a heap for each thread of a library otherwise; others ignore this.
    "MALLOC_ARENA_MAX": "2",
}
# Held to start a process and to ask how it ended. Only the first who asks the system is told, and `Process.start` asks
# for all processes: a thread that asked at the same moment would be told that its dead process still runs.
_children = threading.Lock()


class WorkerDiedError(Exception):
    """The process that had a task ended: killed by the system for memory, or crashed in a library."""


class WorkerTimeoutError(Exception):
    """A task took too long; its process was killed."""


class SerialExecutor(Executor):
    """Runs every task at once, in this process: the reference for all others."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the task and return its finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class WorkerPool(Executor):
    """A pool of spawned processes.

    Args:
        worker_count: Number of processes; one is started when there are more tasks than idle ones.
        timeout_s: Longest time for one task, or None. The first task of a process has `start_s` more.
        start_s: Time that a process may take to start and to load what it needs.
    """

    def __init__(self, worker_count: int, timeout_s: float | None = None, start_s: float = 120.0) -> None:
        self.worker_count = worker_count
        self._timeout_s = timeout_s
        self._start_s = start_s
        self._tasks: deque[_Task] = deque()
        self._idle = 0  # processes that are running and have nothing to do
        self._closed = False
        self._killed = False
        self._changed = threading.Condition()
        self._workers = [_Worker() for _ in range(worker_count)]
        self._threads = [
            threading.Thread(target=self._serve, args=(worker,), name=f"worker-{number}", daemon=True)
            for number, worker in enumerate(self._workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a task.

        The future raises what the task raised, `WorkerDiedError` or `WorkerTimeoutError`.
        """
        future: Future[Any] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the pool is shut down")
            self._tasks.append(_Task(future, fn, args, kwargs))
            self._changed.notify_all()
        return future

    def describe(self, template: DocumentJob) -> Provenance:
        """What the workers read with; also warms one up.

        Raises:
            TemplateError: The form is wrong.
            CheckpointError: The checkpoint is wrong.
        """
        return self.submit(describe, template).result()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop the workers after the queued tasks, or after the running ones with `cancel_futures`."""
        with self._changed:
            self._closed = True
            while cancel_futures and self._tasks:
                self._tasks.popleft().future.cancel()
            self._changed.notify_all()
        if wait:
            for thread in self._threads:
                thread.join()

    def kill(self) -> None:
        """Stop everything at once; tasks in hand fail with `WorkerDiedError`."""
        self._killed = True  # before looking at the workers: one that is just starting sees it and ends its process
        self.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.kill()
        self.shutdown()

    def _serve(self, worker: "_Worker") -> None:
        running = False
        while (task := self._next_task(running)) is not None:
            wanted = task.future.set_running_or_notify_cancel()
            ok, value = self._run(worker, task) if wanted else (False, None)
            running = worker.alive
            with self._changed:  # before the future is done: whoever waits for it may submit the next task at once
                self._idle += running
            if not wanted:
                continue
            if ok:
                task.future.set_result(value)
            else:
                task.future.set_exception(value)
        worker.stop()

    def _run(self, worker: "_Worker", task: "_Task") -> tuple[bool, Any]:
        """Return whether the task ended well, and its value or its exception."""
        timeout_s = self._timeout_s
        try:
            if not worker.alive:
                worker.start()
                if self._killed:
                    worker.kill()
                timeout_s = timeout_s and timeout_s + self._start_s
            return worker.run((task.fn, task.args, task.kwargs), timeout_s)
        except Exception as error:
            return False, error

    def _next_task(self, running: bool) -> "_Task | None":
        """Wait for a task; None at the end. A process is started only for a task that no idle one can take.

        Args:
            running: The thread's process is there, and counted as idle.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: len(self._tasks) > (0 if running else self._idle) or (self._closed and not self._tasks)
            )
            self._idle -= running
            return self._tasks.popleft() if self._tasks else None


class _Task:
    """A queued task."""

    def __init__(self, future: Future[Any], fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> None:
        self.future = future
        self.fn = fn
        self.args = args
        self.kwargs = kwargs


class _Worker:
    """A process and the pipe to it."""

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    @property
    def alive(self) -> bool:
        with _children:
            return self._process is not None and self._process.is_alive()

    def start(self) -> None:
        self.stop()
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        process = context.Process(target=_main, args=(theirs,), daemon=True)
        with _children, _environment(WORKER_ENVIRONMENT):
            process.start()
        theirs.close()
        self._process = process

    def run(self, task: Any, timeout_s: float | None) -> tuple[bool, Any]:
        assert self._process is not None and self._pipe is not None
        try:
            self._pipe.send(task)
            ready = wait([self._pipe, self._process.sentinel], timeout_s)
            if not ready:
                self._end(self._process)
                raise WorkerTimeoutError(f"took longer than {timeout_s:g} s")
            if self._pipe in ready:
                return self._pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            pass
        raise WorkerDiedError(_cause(self._end(self._process)))

    def kill(self) -> None:
        """Kill the process and what it started; any thread may."""
        with _children:
            if self._process is not None and self._process.pid is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                if self._process.is_alive():
                    self._process.kill()

    def stop(self) -> None:
        """Let the process end, and tidy up."""
        if self._pipe is not None:
            self._pipe.close()  # which the process takes as the end
        if self._process is not None:
            wait([self._process.sentinel], 5)
            self._end(self._process)
            with _children:
                self._process.close()
                self._process = None
        self._pipe = None

    def _end(self, process: BaseProcess) -> int | None:
        """Kill the process, wait until it is gone and return its exit code."""
        self.kill()
        wait([process.sentinel])  # without the lock: a process that the system can't end yet holds up nobody else
        with _children:
            process.join()
            return process.exitcode


def _cause(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = ", perhaps for memory" if name == "SIGKILL" else ""
        return f"the process that read it was ended by {name}{hint}"
    return f"the process that read it ended with exit code {exit_code}"


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Variables for a process about to start; those that the user has set are left alone."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _main(pipe: Connection) -> None:
    """A worker process: runs what comes through the pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # so that what a worker starts can be killed together with it
    _end_with_parent()
    _silence_libraries()
    while True:
        try:
            fn, args, kwargs = pipe.recv()
        except EOFError:
            return
        try:
            reply = True, fn(*args, **kwargs)
        except Exception as error:
            reply = False, error
        try:
            pipe.send(reply)
        except BrokenPipeError:
            return
        except Exception as error:
            pipe.send((False, RuntimeError(f"the reply can't be sent: {error!r}")))


def _end_with_parent() -> None:
    """Die when the parent does, even when it is killed: nobody else would end a worker in the middle of a task."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _silence_libraries() -> None:
    """Decoders written in C print their complaints about damaged files to stderr, which belongs to the progress."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)
