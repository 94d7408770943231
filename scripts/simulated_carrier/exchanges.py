"""Requests to the REST interface with their answers, kept to be held against the published documents."""

import json
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

KEPT = 5_000
KEPT_BYTES = 32 << 20  # of answers: a list of fifty calls is long


@dataclass(frozen=True)
class Exchanged:
    """Raw, because most of them nobody reads."""

    number: int
    method: str
    path: str
    query: str
    form: str
    status: int
    body: bytes

    def show(self) -> dict[str, Any]:
        """`body` is None for an answer without one."""
        return {
            "n": self.number, "method": self.method, "path": self.path,
            "query": parse_qs(self.query, keep_blank_values=True), "form": parse_qs(self.form, keep_blank_values=True),
            "status": self.status, "body": json.loads(self.body) if self.body else None,
        }  # fmt: skip


class Exchanges:
    def __init__(self) -> None:
        self._kept: deque[Exchanged] = deque()
        self._count = self._bytes = 0

    def keep(self, method: str, target: tuple[str, str], form: str, status: int, body: bytes) -> None:
        """`target`: path and query."""
        self._count += 1
        self._kept.append(Exchanged(self._count, method, *target, form, status, body))
        self._bytes += len(body)
        while len(self._kept) > KEPT or self._bytes > KEPT_BYTES:
            self._bytes -= len(self._kept.popleft().body)

    def after(self, number: int) -> list[Exchanged]:
        """Oldest first."""
        return [kept for kept in self._kept if kept.number > number]
