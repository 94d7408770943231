"""The carrier's diary: a JSON line for all it took on, kept across restarts. Benches count double dials here."""

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def our_id(*urls: str | None) -> str | None:
    """The caller's own id for a call or message: the UUID in its callback URLs."""
    for url in urls:
        found = _UUID.search(url or "")
        if found:
            return found.group().lower()
    return None


@dataclass
class Past:
    """What an earlier life of this carrier left: dials by phone, calls it never ended, who opted out, what Telegram's
    side knew."""

    dials: Counter[str] = field(default_factory=Counter)
    open_calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    unsubscribed: set[tuple[str, str]] = field(default_factory=set)  # phone and our sender
    telegram: list[dict[str, Any]] = field(default_factory=list)


class Journal:
    """Appends to `path` (None keeps nothing). Each line is flushed before the provider's answer leaves."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered and O_APPEND: a line is whole or missing, also after kill -9.
        self._file = path.open("ab", buffering=0) if path else None

    def write(self, kind: str, **entry: Any) -> None:
        """`kind`: call | answer | end | message | reply | telegram. `at` is the real time in seconds."""
        if self._file is not None:
            line = {"kind": kind, "at": round(time.time(), 4), **entry}
            self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def past(self) -> Past:
        past = Past()
        for entry in read(self.path) if self.path else ():
            kind, sid = entry["kind"], entry.get("sid", "")
            if kind == "call":
                past.dials[entry["to"]] += 1
                past.open_calls[sid] = entry
            elif kind == "answer" and sid in past.open_calls:
                past.open_calls[sid]["answered"] = entry["at"]
            elif kind == "end":
                past.open_calls.pop(sid, None)
            elif kind == "reply" and entry.get("opt_out"):
                past.unsubscribed.add((entry["from"], entry.get("to", "")))
            elif kind == "reply" and entry.get("opt_in"):
                past.unsubscribed.discard((entry["from"], entry.get("to", "")))
            elif kind == "telegram":
                past.telegram.append(entry)
        return past

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def read(path: Path) -> list[dict[str, Any]]:
    """Every whole line of a journal; a half line (a machine that lost power) is left out."""
    entries = []
    with path.open("rb") as lines:
        for line in lines:
            try:
                entries.append(json.loads(line))
            except ValueError:
                continue
    return entries
