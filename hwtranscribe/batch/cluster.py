"""Runs tasks on a Dask cluster; needs the extra `cluster`.

The same tasks as in `pool`, by the same interface. Workers may die and join: Dask gives what a dead worker had to
another, and a task that keeps killing workers fails with `WorkerDiedError`.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from typing import Any

from hwtranscribe.batch.pool import WORKER_ENVIRONMENT, WorkerDiedError, WorkerTimeoutError
from hwtranscribe.batch.work import describe
from hwtranscribe.errors import DependencyError, UsageError
from hwtranscribe.types import DocumentJob, Provenance

_CONNECT_S = 20.0
_WATCH_S = 1.0


class ClusterExecutor(Executor):
    """The workers of a Dask scheduler.

    Args:
        address: Of the scheduler, such as `tcp://host:8786`.
        timeout_s: Longest time for one task, or None. A worker that takes longer is restarted.

    Raises:
        DependencyError: The extra `cluster` is not installed.
        UsageError: No scheduler answers, it has no workers, or a worker has several threads.
    """

    def __init__(self, address: str, timeout_s: float | None = None) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise DependencyError("--scheduler needs distributed: pip install 'hwtranscribe[cluster]'") from None
        try:
            self._client = Client(address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UsageError(f"--scheduler {address}: no scheduler answers ({error})") from None
        self._timeout_s = timeout_s
        self._running: dict[Any, tuple[Future[Any], float]] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        try:
            self._check_workers(address)
        except BaseException:
            self._client.close()
            raise
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    @property
    def worker_count(self) -> int:
        """Workers at the moment."""
        return len(self._client.nthreads()) or 1

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand a task to the scheduler; the future raises as that of a `WorkerPool` does."""
        future: Future[Any] = Future()
        task = self._client.submit(run_in_worker, fn, args, kwargs, pure=False)
        with self._lock:
            self._running[task] = future, time.monotonic()
        task.add_done_callback(self._finish)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let go of the cluster; its workers go on."""
        if self._closed.is_set():
            return
        if wait and not cancel_futures:
            for future, _ in list(self._running.values()):
                future.exception()
        self._closed.set()
        self._client.cancel(list(self._running))
        self._watcher.join()
        self._client.close()

    def kill(self) -> None:
        """Forget all tasks."""
        self.shutdown(cancel_futures=True)

    def describe(self, template: DocumentJob) -> Provenance:
        """What the workers read with; also warms them up.

        Raises:
            UsageError: They do not all read with the same.
            TemplateError: The form is wrong, or not there for a worker.
            CheckpointError: The checkpoint is wrong, or not there for a worker.
        """
        found = self._client.run(run_in_worker, describe, (template,), {})
        provenances = list(found.values())
        if any(provenance != provenances[0] for provenance in provenances):
            differing = "; ".join(f"{worker}: {provenance}" for worker, provenance in found.items())
            raise UsageError(f"workers have different versions, checkpoints, forms or PDF renderers: {differing}")
        return provenances[0]

    def _check_workers(self, address: str) -> None:
        try:
            self._client.wait_for_workers(1, timeout=_CONNECT_S)
        except TimeoutError:
            raise UsageError(f"--scheduler {address}: it has no workers; start some with `dask worker`") from None
        several = [worker for worker, threads in self._client.nthreads().items() if threads > 1]
        if several:
            # PDFium can't be used by several threads, and one thread each is how N workers use N cores.
            raise UsageError(f"{', '.join(several)}: start workers with --nthreads 1, and one for each core")

    def _finish(self, task: Any) -> None:
        from distributed.scheduler import KilledWorker

        with self._lock:
            future, _ = self._running.pop(task, (None, 0.0))
        if future is None or not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(task.result())
        except KilledWorker as error:
            future.set_exception(WorkerDiedError(f"it ended every worker that tried it: {error}"))
        except CancelledError as error:
            future.set_exception(WorkerDiedError(f"the cluster gave it up: {error}"))
        except Exception as error:
            future.set_exception(error)

    def _watch(self) -> None:
        """Restart workers that take too long: nothing else ends a task that hangs in a library."""
        while not self._closed.wait(_WATCH_S):
            if self._timeout_s is None:
                continue
            now_s = time.monotonic()
            with self._lock:
                late = [task for task, (_, since_s) in self._running.items() if now_s - since_s > self._timeout_s]
                futures = [self._running.pop(task)[0] for task in late]
            if not late:
                continue
            keys = {task.key for task in late}
            workers = [worker for worker, tasks in self._client.processing().items() if keys & set(tasks)]
            self._client.cancel(late, force=True)
            for future in futures:
                future.set_exception(WorkerTimeoutError(f"took longer than {self._timeout_s:g} s"))
            if workers:
                self._client.restart_workers(workers, raise_for_error=False)


def run_in_worker(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a task in a Dask worker, with one thread for everything."""
    if "jax" not in sys.modules:
        for name, value in WORKER_ENVIRONMENT.items():
            os.environ.setdefault(name, value)
    return fn(*args, **kwargs)
