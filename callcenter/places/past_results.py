"""Results of past elections, station by station, as public files give them: options are data, never ours.

What a file does not say (an act that cannot be read) stays unknown, and is never counted as zero.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base


class PastElection(Base):
    """One contest that was held, as the person who imported it named it."""

    __tablename__ = "past_elections"
    __table_args__ = (UniqueConstraint("name", "held_on"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    held_on: Mapped[date]


class ElectionResult(Base):
    """One polling station's result. `votes`: option as the file spells it → votes, None where they cannot be read.

    `section_id`: the section that bore the number on the day of that election. `station`: B, C1, E1, E1C2, S1."""

    __tablename__ = "election_results"
    __table_args__ = (UniqueConstraint("election_id", "state", "section_number", "station"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    election_id: Mapped[int] = mapped_column(ForeignKey("past_elections.id", ondelete="CASCADE"))
    state: Mapped[int]
    section_number: Mapped[int]
    section_id: Mapped[int | None] = mapped_column(ForeignKey("sections.id", ondelete="SET NULL"), index=True)
    station: Mapped[str]
    nominal_list: Mapped[int | None]
    votes: Mapped[dict[str, Any]]
    nulls: Mapped[int | None]
    unregistered: Mapped[int | None]
    total: Mapped[int | None]
    remarks: Mapped[str | None]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("territory_batches.id", ondelete="CASCADE"), index=True)


@dataclass(frozen=True)
class SectionResult:
    """A section's result in one election: its stations added up. `shares` are of all votes that were read (0–1).

    `unread`: stations some number of which the file does not say; `turnout` is None with them."""

    election: PastElection
    stations: int
    votes: dict[str, int]
    nulls: int
    unregistered: int
    nominal_list: int | None
    unread: int

    @property
    def total(self) -> int:
        return sum(self.votes.values()) + self.nulls + self.unregistered

    @property
    def shares(self) -> dict[str, float]:
        return {option: votes / self.total for option, votes in self.votes.items()} if self.total else {}

    @property
    def turnout(self) -> float | None:
        return self.total / self.nominal_list if self.nominal_list and not self.unread else None


def of_section(session: Session, state: int, number: int) -> list[SectionResult]:
    """The results of the sections that bore this number, the newest election first."""
    rows = session.execute(
        select(PastElection, ElectionResult)
        .join(ElectionResult, ElectionResult.election_id == PastElection.id)
        .where(ElectionResult.state == state, ElectionResult.section_number == number)
        .order_by(PastElection.held_on.desc(), PastElection.id, ElectionResult.station)
    ).all()
    elections = {election.id: election for election, _result in rows}
    return [
        _added(election, [result for one, result in rows if one.id == election.id]) for election in elections.values()
    ]


def elections(session: Session) -> list[PastElection]:
    """The past elections we hold results of, the newest first."""
    return list(session.scalars(select(PastElection).order_by(PastElection.held_on.desc(), PastElection.name)))


def _added(election: PastElection, stations: list[ElectionResult]) -> SectionResult:
    votes: dict[str, int] = {}
    for station in stations:
        for option, count in station.votes.items():
            votes[option] = votes.get(option, 0) + (count or 0)
    lists = [station.nominal_list for station in stations]
    return SectionResult(
        election,
        stations=len(stations),
        votes=dict(sorted(votes.items(), key=lambda pair: -pair[1])),
        nulls=sum(station.nulls or 0 for station in stations),
        unregistered=sum(station.unregistered or 0 for station in stations),
        nominal_list=sum(filter(None, lists)) if any(lists) else None,
        unread=sum(_is_unread(station) for station in stations),
    )


def _is_unread(station: ElectionResult) -> bool:
    return any(count is None for count in (*station.votes.values(), station.nulls, station.unregistered))
