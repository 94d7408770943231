"""A file, block by block, into the staging tables: while PostgreSQL takes one block, the next one is read."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from sqlalchemy.orm import Session

from callcenter import import_staging
from callcenter.import_frames import Frame, FrameReader
from callcenter.import_inspection import Inspection
from callcenter.import_keys import Keys
from callcenter.import_rows import RowReader
from callcenter.table_blocks import Block, read_blocks


@dataclass
class Tally:
    """What was staged so far, and where the next worker would go on: byte `offset`, row `next_row` of the file; None
    where it cannot. `keys`: None when they are not all in this process."""

    rows: int = 0
    staged: int = 0
    extra_phones: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    letters: set[str] = field(default_factory=set)
    offset: int | None = 0
    next_row: int = 1
    keys: Keys | None = field(default_factory=Keys)

    def add(self, frame: Frame, block: Block) -> None:
        self.rows += frame.rows
        self.staged += frame.people.height
        self.extra_phones += frame.phones.height
        self.rejected.update(row.reason for row in frame.refused)
        self.bad.update(frame.bad)
        self.letters |= frame.letters
        self.offset, self.next_row = block.offset, block.next_row
        if self.keys is not None:
            self.keys.add(frame.people)

    def kept(self) -> dict[str, Any]:
        """As a batch keeps it."""
        return {
            "rows": self.rows, "staged": self.staged, "extra_phones": self.extra_phones, "offset": self.offset,
            "rejected": self.rejected, "bad": self.bad, "letters": sorted(self.letters), "next_row": self.next_row,
        }  # fmt: skip

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Tally":
        """What an earlier worker kept."""
        return cls(
            kept["rows"], kept["staged"], kept["extra_phones"], Counter(kept["rejected"]), Counter(kept["bad"]),
            set(kept["letters"]), kept["offset"], kept["next_row"], None,
        )  # fmt: skip


@dataclass(frozen=True)
class _Read:
    frame: Frame
    block: Block
    people: bytes
    phones: bytes


def stage_blocks(
    session: Session, import_id: int, inspection: Inspection, reader: RowReader, tally: Tally
) -> Iterator[Tally]:
    """Stage the rest of the file, from where `tally` stands; yields after each block, for the edge to commit."""
    blocks = _read(inspection, reader, tally.offset or 0, tally.next_row)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="import-reader") as ahead:
        coming = ahead.submit(next, blocks, None)
        while (read := coming.result()) is not None:
            coming = ahead.submit(next, blocks, None)
            import_staging.copy_block(session, import_id, read.people, read.phones)
            import_staging.copy_refused(session, import_id, read.frame.refused)
            tally.add(read.frame, read.block)
            yield tally


def _read(inspection: Inspection, reader: RowReader, offset: int, row: int) -> Iterator[_Read]:
    header = inspection.header
    width = max(len(header.spelled), *(at + 1 for at in inspection.mapping))
    frames = FrameReader(reader, header.spelled)
    for block in read_blocks(inspection.table, width, offset=offset, row=row):
        below = Block(
            block.cells.filter(pl.col("row") > header.row), block.may_total, block.offset, block.next_row
        ) if row <= header.row else block  # fmt: skip
        frame = frames.read(below)
        yield _Read(frame, block, import_staging.lines_of(frame.people), import_staging.lines_of(frame.phones))
