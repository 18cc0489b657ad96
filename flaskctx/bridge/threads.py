"""Worker threads for the `def` functions of requests that an event loop serves.

A `Seat` is one request's place on one thread: all its `def` functions run there, so what one of them opened
for this thread alone (a sqlite connection) another can close. The thread is free for other requests between
the calls. A pool has at most `limit` threads; who finds all of them busy waits in line.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from _queue import SimpleQueue  # gevent replaces that of `queue`, and these threads are none of its greenlets
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from .native import native, start_native_thread

if TYPE_CHECKING:
    from .mailbox import Mailbox

logger = logging.getLogger("flaskctx.threads")

WARNING_PAUSE = 10.0
"""Seconds without another line in the log while all threads of a pool are busy."""

Job = Callable[[], Callable[[], object] | None]
"""A piece of work. What it returns is called when it is over: it tells who waits for it."""


class Worker:
    """One thread and the jobs that wait for it; the counts are kept by its pool, under the pool's lock."""

    __slots__ = ("_jobs", "_pool", "_wakeup", "pending", "seats", "thread")

    def __init__(self, pool: WorkerPool, number: int) -> None:
        self.pending = 0
        """Jobs that run, wait, or have been promised."""
        self.seats = 0
        """Requests that have their place here."""
        self._pool = pool
        self._jobs: deque[Job | None] = deque()
        self._wakeup: SimpleQueue[None] = SimpleQueue()
        """As many items as jobs; a semaphore of the standard library takes ten times as long."""
        self.thread = start_native_thread(self._work, f"flaskctx-worker-{number}")

    def submit(self, job: Job | None, first: bool = False) -> None:
        """Queue a job; None ends the thread. A job that is `first` goes before those that wait already."""
        if first:
            self._jobs.appendleft(job)
        else:
            self._jobs.append(job)
        self._wakeup.put(None)

    def _work(self) -> None:
        while True:
            self._wakeup.get()
            job = self._jobs.popleft()
            if job is None:
                return
            tell = job()
            # a finished job would keep its whole request alive until the next one comes
            del job
            self._pool.finished(self)
            if tell is not None:
                # last of all, as the loop then wants the interpreter lock that this thread has
                tell()
            del tell


class WaitsForWorker(Protocol):
    """Who stands in line for a thread."""

    def post(self, message: Worker) -> None: ...


class WorkerPool:
    """The worker threads of one application in one process.

    :param limit: how many threads there may be; they are started as they are needed.
    :param key: what the limit is called in the configuration.
    :param patient: whether a request that has begun waits for a thread as long as it takes: where all of them are
        soon free again.
    """

    def __init__(self, limit: int, key: str = "MAX_WORKER_THREADS", patient: bool = True) -> None:
        if not isinstance(limit, (int, float)):
            raise TypeError(f"{key} has to be a number of threads, not {limit!r}.")
        if limit < 1:
            raise ValueError(f"{key} must be at least 1, not {limit!r}.")
        self.limit = limit
        self.key = key
        self.patient = patient
        self.pid = os.getpid()
        self.workers: list[Worker] = []
        self._free: list[Worker] = []
        self._line: deque[WaitsForWorker] = deque()
        self._lock = native("allocate_lock")()
        self._closed = False
        self._silent_until = 0.0

    def take(self, waiter: WaitsForWorker) -> Worker | None:
        """Give a seat on a thread, or put `waiter` in line and return None: a worker is posted to it later.

        A thread to which no request is tied is preferred, then a new one, then the least tied of the idle.
        The seat comes with a promise: the thread is kept for the first job.
        """
        with self._lock:
            worker = self._free.pop() if self._free else self._new_or_tied()
            if worker is None:
                self._line.append(waiter)
            else:
                self._promise(worker)
            return worker

    def is_time_to_warn(self) -> bool:
        """Tell whether a full house is to be logged: not for each request of a crowd, once in `WARNING_PAUSE`."""
        now = time.monotonic()
        if now < self._silent_until:
            return False
        self._silent_until = now + WARNING_PAUSE
        return True

    def leave_line(self, waiter: WaitsForWorker) -> bool:
        """Give up waiting; False if a worker has been posted already."""
        with self._lock:
            if waiter in self._line:
                self._line.remove(waiter)
                return True
            return False

    def submit(self, worker: Worker, job: Job, first: bool, promised: bool) -> None:
        """Queue a job of a request that has its seat on `worker`."""
        with self._lock:
            if not promised:
                worker.pending += 1
            worker.submit(job, first)

    def finished(self, worker: Worker) -> None:
        """Note that `worker` has run a job (it says so itself)."""
        with self._lock:
            worker.pending -= 1
            self._settle(worker)

    def give_back(self, worker: Worker, promised: bool) -> None:
        """End a request's seat, and the promise that came with it if no job has used it."""
        with self._lock:
            worker.seats -= 1
            worker.pending -= promised
            self._settle(worker)

    def close(self) -> None:
        """End each thread as soon as no request has its seat there."""
        with self._lock:
            self._closed = True
            while self._free:
                self._end(self._free.pop())

    def _end(self, worker: Worker) -> None:
        self.workers.remove(worker)
        worker.submit(None)

    def _new_or_tied(self) -> Worker | None:
        if len(self.workers) < self.limit:
            worker = Worker(self, len(self.workers) + 1)
            self.workers.append(worker)
            return worker
        return min((w for w in self.workers if not w.pending), key=lambda w: w.seats, default=None)

    def _promise(self, worker: Worker) -> None:
        worker.pending += 1
        worker.seats += 1

    def _settle(self, worker: Worker) -> None:
        if worker.pending:
            return
        if self._line:
            self._promise(worker)
            self._line.popleft().post(worker)
        elif not worker.seats:
            if self._closed:
                self._end(worker)
            else:
                self._free.append(worker)


class Seat:
    """A place on one thread, where all `def` functions of one request run."""

    __slots__ = ()

    def submit(self, job: Job, first: bool = False) -> None:
        """Run `job` on this seat's thread, from any thread."""
        raise NotImplementedError

    def will_wait(self, mailbox: Mailbox) -> None:
        """Say on this seat's thread that it is about to `wait`; from now on jobs go to `mailbox`.

        Say it before anyone is asked for the outcome: a job that came in between would wait for this thread,
        and this thread for the outcome.
        """
        raise NotImplementedError

    def wait(self, mailbox: Mailbox) -> Any:
        """Wait on this seat's thread for an outcome in `mailbox`, running this request's jobs meanwhile."""
        raise NotImplementedError

    def share(self) -> Seat:
        """Return the seat for one more user; it is given back when all of them have released it."""
        return self

    def release(self) -> None:
        """Give the seat back at the end of the request."""


def run_job(job: Callable[..., Any]) -> None:
    """Do a piece of work on this thread and tell who waits for it."""
    tell = job()
    if tell is not None:
        tell()


def attend(mailbox: Mailbox) -> Any:
    """Run the jobs that arrive in `mailbox` on this thread until an outcome arrives; return that."""
    while True:
        message = mailbox.get()
        if not callable(message):
            return message
        run_job(message)


class WorkerSeat(Seat):
    """A seat on a thread of a pool, chosen when the request's first `def` function comes up."""

    __slots__ = ("_lock", "_mailboxes", "_promised", "_users", "pool", "worker")

    def __init__(self, pool: WorkerPool) -> None:
        self.pool = pool
        self.worker: Worker | None = None
        self._promised = False
        self._users = 1
        self._mailboxes: list[Mailbox] = []
        self._lock = native("allocate_lock")()

    def submit(self, job: Job, first: bool = False) -> None:
        with self._lock:
            if self._mailboxes:
                # the thread waits for the loop on this request's behalf: it runs the job meanwhile
                self._mailboxes[-1].put(job)
                return
        assert self.worker is not None
        promised, self._promised = self._promised, False
        self.pool.submit(self.worker, job, first, promised)

    def settle(self, worker: Worker) -> None:
        """Make `worker` this request's thread; if another task of the request was quicker, keep that one's."""
        if self.worker is None:
            self.worker = worker
            self._promised = True
        else:
            self.pool.give_back(worker, promised=True)

    def will_wait(self, mailbox: Mailbox) -> None:
        with self._lock:
            self._mailboxes.append(mailbox)

    def wait(self, mailbox: Mailbox) -> Any:
        outcome = attend(mailbox)
        with self._lock:
            self._mailboxes.remove(mailbox)
        while not mailbox.empty():
            # a job that came in the moment between the outcome and the lock
            self.submit(mailbox.get())
        return outcome

    def share(self) -> WorkerSeat:
        self._users += 1
        return self

    def release(self) -> None:
        self._users -= 1
        if self._users:
            return
        worker, self.worker = self.worker, None
        if worker is not None:
            self.pool.give_back(worker, self._promised)
            self._promised = False


class PoolOnDemand:
    """A pool that is started by the first seat that is wanted; anew in a forked process, and after `close`.

    To be called for a seat.

    :param config: has the limit under `key`, in threads; read when the pool starts.
    :param patient: as for `WorkerPool`.
    """

    __slots__ = ("_config", "_key", "_lock", "_patient", "_pool")

    def __init__(self, config: Mapping[str, Any], key: str, patient: bool = True) -> None:
        self._config = config
        self._key = key
        self._patient = patient
        self._pool: WorkerPool | None = None
        self._lock = threading.Lock()

    @property
    def pool(self) -> WorkerPool:
        """The running pool."""
        pool = self._pool
        if pool is None or pool.pid != os.getpid():
            with self._lock:
                pool = self._pool
                if pool is None or pool.pid != os.getpid():
                    pool = self._pool = WorkerPool(self._config[self._key], self._key, self._patient)
        return pool

    def __call__(self) -> Seat:
        """Return a place for the `def` functions of one request."""
        return WorkerSeat(self.pool)

    def close(self) -> None:
        """End the threads when their work is done."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()


def seat_of_its_own() -> WorkerSeat:
    """Return a seat on a thread that nobody shares and that ends with the seat."""
    pool = WorkerPool(1)
    pool.close()
    return WorkerSeat(pool)


class WaitingSeat(Seat):
    """The seat on a thread that waits for a coroutine on the background loop, for as long as it waits."""

    __slots__ = ("_mailbox",)

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def submit(self, job: Job, first: bool = False) -> None:
        self._mailbox.put(job)
