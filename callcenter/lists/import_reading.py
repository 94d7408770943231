"""A file, block by block: while somebody takes one block, the next one is read."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

from callcenter.lists.import_batches import Progress
from callcenter.lists.import_frames import Frame, FrameReader
from callcenter.lists.import_inspection import Inspection
from callcenter.lists.import_rows import RowReader
from callcenter.tables.table_blocks import Block, read_blocks

Read: TypeAlias = tuple[Frame, int | None]  # and the byte at which the next block begins


@dataclass
class Tally:
    """What was read so far."""

    rows: int = 0
    extra_phones: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    letters: set[str] = field(default_factory=set)

    def add(self, frame: Frame, offset: int | None) -> Progress:
        """Count a block."""
        self.rows += frame.rows
        self.extra_phones += frame.phones.height
        self.rejected.update(row.reason for row in frame.refused)
        self.bad.update(frame.bad)
        self.letters |= frame.letters
        return Progress(self.rows, offset)


def read_ahead(inspection: Inspection, reader: RowReader) -> Iterator[Read]:
    """The people of the file, a block at a time; the next block is read meanwhile."""
    blocks = _read(inspection, reader)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="import-reader") as ahead:
        coming = ahead.submit(next, blocks, None)
        while (read := coming.result()) is not None:
            coming = ahead.submit(next, blocks, None)
            yield read


def _read(inspection: Inspection, reader: RowReader) -> Iterator[Read]:
    header, row = inspection.header, 1
    width = max(len(header.spelled), *(at + 1 for at in inspection.mapping))
    frames = FrameReader(reader, header.spelled)
    for block in read_blocks(inspection.table, width):
        yield frames.read(_below(block, header.row) if row <= header.row else block), block.offset
        row = block.next_row


def _below(block: Block, header_row: int) -> Block:
    return Block(block.cells.filter(pl.col("row") > header_row), block.may_total, block.offset, block.next_row)
