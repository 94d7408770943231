"""The parts that a document is made of: paragraphs, tables, bars. Plain JSON; every value is text or a number."""

from collections.abc import Sequence
from typing import Any

Block = dict[str, Any]


def text(said: Any) -> list[Block]:
    """Paragraphs of what somebody wrote; nothing for nothing."""
    parts = [part.strip() for part in str(said or "").splitlines() if part.strip()]
    return [{"kind": "text", "text": part} for part in parts]


def heading(said: str) -> list[Block]:
    return [{"kind": "heading", "text": said}]


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], *, numeric: bool = True) -> list[Block]:
    """A table; `numeric`: all columns but the first stand to the right. Nothing without rows."""
    if not rows:
        return []
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    return [{"kind": "table", "header": list(header), "rows": cells, "numeric": numeric}]


def bars(rows: Sequence[tuple[str, str, float, float, float]], description: str) -> list[Block]:
    """Bars with their intervals: (label, words, share, low, high), all shares 0–1. `description`: in words."""
    if not rows:
        return []
    top = max(0.01, *(row[4] for row in rows))
    drawn = [
        {"label": label, "words": words, "share": share / top, "low": low / top, "high": high / top}
        for label, words, share, low, high in rows
    ]
    return [{"kind": "bars", "rows": drawn, "description": description}]
