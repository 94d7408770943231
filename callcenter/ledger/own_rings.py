"""A telephone of the house's own that rings, so that somebody hears how it goes: what a trial of a campaign and a test
of a trunk have in common. It is a committed row before the carrier hears of it; its number is forgotten at its end."""

from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.calls import Event

RING_SECONDS = 25
LIFE = timedelta(seconds=75)  # ringing, what is said, and some patience
WINDOW = timedelta(minutes=10)  # in which only so many begin: this is no way to call others
ENDS = frozenset({"hung_up", "busy", "no_answer", "failed", "invalid_number", "canceled", "not_placed", "lost"})
OPEN = ("planned", "placing", "ringing", "answered")


class OwnRing:
    """`state`: planned | placing | ringing | answered | ended. `result`: the code of how it ended. `number`: E.164,
    until it has ended; `shown`: its last digits. `ref`: the carrier's id."""

    number: Mapped[str | None]
    shown: Mapped[str]
    state: Mapped[str] = mapped_column(default="planned")
    result: Mapped[str | None]
    ref: Mapped[str | None]
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime] = mapped_column(default=real_now)
    deadline_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_due(self) -> bool:
        """Does it wait to be placed, and is it not too late?"""
        return self.state == "planned" and self.number is not None and self.deadline_at >= real_now()

    def hear(self, event: Event) -> bool:
        """Go on with what the carrier says of an open one; True when that ends it: then `end` says how."""
        self.ref = self.ref or event.ref
        if event.kind == "ringing" and self.state in ("planned", "placing"):
            self.state = "ringing"
        elif event.kind == "answered":
            self.state, self.answered_at = "answered", self.answered_at or real_now()
        return event.kind in ENDS

    def end(self, result: str) -> None:
        self.state, self.result, self.ended_at, self.number = "ended", result, real_now(), None


R = TypeVar("R", bound=OwnRing)


def sweep(session: Session, kind: type[R]) -> list[R]:
    """End those of which nothing was heard any more; returns them."""
    late = select(kind).where(kind.state.in_(OPEN), kind.deadline_at < real_now())
    found = list(session.scalars(late.with_for_update(skip_locked=True)))
    for each in found:
        each.end("played" if each.answered_at else "unheard")
    return found
