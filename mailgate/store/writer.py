"""The one thread that writes. Jobs that arrive while a commit is under way share the next one.

A commit costs one fsync whatever it holds, so a hundred connections that wait at the same moment
pay for one, and none waits longer than the commit before its own.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from mailgate.errors import StoreUnavailable
from mailgate.store import Store
from mailgate.store.connection import Connection, naming_errors

Result = TypeVar("Result")
Job = Callable[[Connection], Any]

# More than the connections of a busy gateway, few enough that a batch takes well under a second.
_MOST_AT_ONCE = 100


class Writer:
    """Runs jobs in the order they come, each whole or not at all."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: queue.SimpleQueue[tuple[Job, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[Connection], Result]) -> Future[Result]:
        """Queue a job; the future is done when its commit is on disk, or tells why not.

        An exception of the job undoes that job alone. It must not wait for anything.
        """
        future: Future[Result] = Future()
        self._jobs.put((job, future))
        return future

    def close(self) -> None:
        """Finish what was submitted, then stop."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while self._commit_next():
            pass

    def _commit_next(self) -> bool:
        """Wait for a job and commit it with those behind it; whether there can be more.

        A call of its own, so that while it waits no variable holds on to the jobs before.
        """
        batch: list[tuple[Job, Future[Any]]] = []
        item = self._jobs.get()
        while item is not None:
            # From here on nobody can cancel it: what is committed gets its result.
            if item[1].set_running_or_notify_cancel():
                batch.append(item)
            if len(batch) >= _MOST_AT_ONCE or self._jobs.empty():
                break
            item = self._jobs.get()
        if batch:
            self._commit(batch)
        return item is not None

    def _commit(self, batch: list[tuple[Job, Future[Any]]]) -> None:
        outcomes: list[tuple[Future[Any], Any, Exception | None]] = []
        try:
            with self._store.write() as tx:
                for job, future in batch:
                    outcomes.append((future, *_attempt(tx, job)))
        except Exception as error:  # noqa: BLE001 - nothing of the batch is on disk: all must hear it
            for _, future in batch:
                future.set_exception(error)
            return
        for future, result, raised in outcomes:
            if raised is None:
                future.set_result(result)
            else:
                future.set_exception(raised)


def _attempt(tx: Connection, job: Job) -> tuple[Any, Exception | None]:
    """Run one job in a savepoint; what it raises is its own affair, unless the store itself fails."""
    try:
        with naming_errors(), tx.savepoint():
            return job(tx), None
    except StoreUnavailable:
        raise
    except Exception as error:
        if not tx.db.conn.in_transaction:
            raise  # the failure ended the whole transaction
        return None, error
