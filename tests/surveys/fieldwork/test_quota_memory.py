"""What a process remembers of quotas: for two seconds, or until it changes it itself."""

import time

import pytest

from surveys.fieldwork import quota_memory
from surveys.fieldwork.quota_memory import Memory


class Shelf:
    """Counts how often it is looked at."""

    def __init__(self) -> None:
        self.looks = 0

    def look(self) -> int:
        self.looks += 1
        return self.looks


def test_what_was_read_a_moment_ago_is_not_read_again() -> None:
    memory, shelf = Memory[int](), Shelf()
    assert [memory.of(1, shelf.look) for _ in range(3)] == [1, 1, 1]
    assert memory.of(2, shelf.look) == 2, "each queue has its own"


def test_that_there_is_nothing_is_remembered_too() -> None:
    memory, looks = Memory[None](), list[int]()
    for _ in range(3):
        memory.of(1, lambda: looks.append(1))
    assert len(looks) == 1


def test_what_is_forgotten_or_old_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, shelf, now = Memory[int](), Shelf(), [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    assert memory.of(1, shelf.look) == 1
    memory.forget(1)
    memory.forget(7)
    assert memory.of(1, shelf.look) == 2
    now[0] += quota_memory.SECONDS
    assert memory.of(1, shelf.look) == 3
