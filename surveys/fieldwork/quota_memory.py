"""What a process remembers of quotas for two seconds, so that an interview that asks for them pays no statement.

Accepted inexactness: with several processes a cell may take the interviews that are judged in the two seconds after it
filled up elsewhere. They are kept and marked, as all that were under way. What this process changes it sees at once.
"""

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from surveys.fieldwork.quota_cells import QuotaPlan, Values

SECONDS = 2.0
T = TypeVar("T")


class Memory(Generic[T]):
    """Values by the number of a queue; each is read anew when it is older than SECONDS, or was forgotten."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[int, tuple[float, T]] = {}

    def of(self, queue_id: int, read: Callable[[], T]) -> T:
        """What is remembered, else what `read` finds now."""
        with self._lock:
            kept = self._kept.get(queue_id)
        now = time.monotonic()
        if kept is not None and now < kept[0]:
            return kept[1]
        found = read()
        with self._lock:
            for old in [each for each, (until, _found) in self._kept.items() if until <= now]:
                del self._kept[old]
            self._kept[queue_id] = (now + SECONDS, found)
        return found

    def forget(self, queue_id: int) -> None:
        with self._lock:
            self._kept.pop(queue_id, None)

    def clear(self) -> None:
        """Forget every queue: the database is another one."""
        with self._lock:
            self._kept.clear()


plans: Memory[QuotaPlan | None] = Memory()  # of a queue; None: it has no quotas
full: Memory[frozenset[Values]] = Memory()  # the cells of a queue that have enough
