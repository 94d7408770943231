"""How a campaign stands against its quotas: each cell, the interviews beyond them, and the error of what there is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from callcenter.base.clock import campaign_now
from surveys import quotas
from surveys.fieldwork import quota_cells, quota_counts, quota_entries
from surveys.fieldwork.quota_cells import QuotaPlan, Values


@dataclass(frozen=True)
class CellStanding:
    """One cell. `done`: complete interviews, `extra` of them beyond the target; `screened`: people who were asked the
    strata alone; `margin_if_full`: the whole sample's error (0–1) if this cell alone were filled; None: not known."""

    values: Values
    target: int | None
    done: int
    screened: int
    margin_if_full: float | None

    @property
    def extra(self) -> int:
        return 0 if self.target is None else max(0, self.done - self.target)

    @property
    def missing(self) -> int:
        return 0 if self.target is None else max(0, self.target - self.done)

    @property
    def is_full(self) -> bool:
        return self.target is not None and self.done >= self.target


@dataclass(frozen=True)
class Standing:
    """`outside`: complete interviews of no cell; `left_out`: people of the list whom the quotas leave out now.

    `margin` (0–1, 95 %, at one half) and `design_effect` are those of the interviews there are, weighted to the
    targets; None while it cannot be said (quota_cells.design_effect). `as_of`: campaign time."""

    plan: QuotaPlan
    cells: tuple[CellStanding, ...]
    outside: int
    left_out: int
    margin: float | None
    design_effect: float | None
    as_of: datetime

    @property
    def complete(self) -> int:
        """Complete interviews, whatever their cell."""
        return sum(cell.done for cell in self.cells) + self.outside

    @property
    def counted(self) -> int:
        """Those that fill a target."""
        return sum(cell.done - cell.extra for cell in self.cells)

    @property
    def extra(self) -> int:
        return sum(cell.extra for cell in self.cells)

    @property
    def screened(self) -> int:
        return sum(cell.screened for cell in self.cells)

    @property
    def full_cells(self) -> int:
        return sum(cell.is_full for cell in self.cells)

    @property
    def empty_cells(self) -> int:
        """Cells that want people and have nobody yet."""
        return sum(cell.target != 0 and not cell.done for cell in self.cells)

    @property
    def all_full(self) -> bool:
        return self.full_cells == len(self.cells)

    @property
    def stop_margin(self) -> float | None:
        return self.plan.stop_margin

    @property
    def is_precise_enough(self) -> bool:
        """Is the error that was wanted reached?"""
        return self.margin is not None and self.stop_margin is not None and self.margin <= self.stop_margin


def read(session: Session, queue_id: int) -> Standing | None:
    """As of now; None when the campaign has no quotas."""
    plan = quotas.of(session, queue_id)
    if plan is None:
        return None
    counts = quota_counts.read(session, queue_id, plan)
    done = counts.done
    if_full = quota_cells.errors_if_full(plan, done)
    cells = tuple(
        CellStanding(
            values=cell.values,
            target=cell.target,
            done=done.get(cell.values, 0),
            screened=counts.screened.get(cell.values, 0),
            margin_if_full=if_full.get(cell.values),
        )
        for cell in plan.cells
    )
    effect = quota_cells.design_effect((cell.done, cell.target or 0) for cell in cells) if plan.total else None
    return Standing(
        plan=plan,
        cells=cells,
        outside=counts.outside,
        left_out=quota_entries.left_out(session, queue_id),
        margin=quota_cells.error(plan, done),
        design_effect=effect,
        as_of=campaign_now(session),
    )
