"""The electoral silence over results: from three days before an election until its last polls close, no figure of a
vote leaves the house.

Which days those are follows from the calendar of elections; the end is the close of polls in the westernmost zone
where the election is held. Within the house results stay open, marked as internal use.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import LazyString, format_datetime
from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, Refused
from callcenter.gate import rulebook
from callcenter.gate.rulebook import Dates
from callcenter.places import zones

DAYS_BEFORE = 3  # full days before election day; an earlier silence in the calendar holds as well
POLLS_CLOSE = time(18, 0)  # local time
RELEASE = timedelta(hours=1)
SHORTEST_REASON, LONGEST_REASON = 10, 500


class SilenceRelease(Base):
    """A pollster's written reason to take files out although the silence lasts; real time."""

    __tablename__ = "silence_releases"
    __table_args__ = (Index("ix_silence_releases_survey_id_user_id", "survey_id", "user_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)
    until: Mapped[datetime]


@dataclass(frozen=True)
class Lock:
    """One election's silence. `since` and `until` are aware; `zone`: where polls close last."""

    election_id: int
    election: str
    since: datetime
    until: datetime
    zone: str

    @property
    def zone_label(self) -> LazyString:
        return zones.NAMES[self.zone]

    @property
    def sentence(self) -> str:
        """Why nothing leaves, and when it does again."""
        return str(
            _("Results are not published, exported or shared during the electoral silence of «%(election)s»: until"
              " %(until)s (centre time), when the last polls close (%(zone)s).",
              election=self.election, until=format_datetime(self.until, "medium"), zone=self.zone_label)
        )  # fmt: skip


def lock_of(election: Dates) -> Lock:
    """The silence that an election imposes. Pure."""
    day = max(one.ends for one in election.stretches if one.phase == "election_day")
    first = min([one.starts for one in election.stretches if one.phase == "silence"] + [day - timedelta(DAYS_BEFORE)])
    places = zones_of(election.states)
    since = min(datetime.combine(first, time(0), ZoneInfo(name)) for name in places)
    zone = max(places, key=lambda name: datetime.combine(day, POLLS_CLOSE, ZoneInfo(name)))
    return Lock(election.id, election.name, since, datetime.combine(day, POLLS_CLOSE, ZoneInfo(zone)), zone)


def zones_of(states: Iterable[int]) -> tuple[str, ...]:
    """Every zone in these states; without states, of the country."""
    wanted = frozenset(states)
    if not wanted:
        return tuple(zones.NAMES)
    found = {zones.STATES.get(state, zones.CENTRAL) for state in wanted}
    return tuple(found | {zone for (state, _name), zone in zones.MUNICIPALITIES.items() if state in wanted})


def locks(session: Session, election_ids: Iterable[int] = ()) -> list[Lock]:
    """The silences of these elections, or of all, in the order of their beginning."""
    wanted = frozenset(election_ids)
    elections = [one for one in rulebook.read(session).elections if not wanted or one.id in wanted]
    return sorted((lock_of(one) for one in elections), key=lambda lock: lock.since)


def lock_at(session: Session, now: datetime, election_ids: Iterable[int] = ()) -> Lock | None:
    """The silence that holds at `now` (campaign time); of several, the one that ends last."""
    holding = [lock for lock in locks(session, election_ids) if lock.since <= now < lock.until]
    return max(holding, key=lambda lock: lock.until, default=None)


def next_lock(session: Session, now: datetime, election_ids: Iterable[int] = ()) -> Lock | None:
    """The silence that begins next after `now`."""
    return next((lock for lock in locks(session, election_ids) if lock.since > now), None)


def check_leaving(session: Session, survey_id: int, user_id: int | None, *, election_id: int | None = None) -> None:
    """Raise Refused("silence") where a figure of this survey may not leave now, unless this user released it.

    Without an election, any that is in silence holds: nobody has said which one the survey is about."""
    lock = lock_at(session, campaign_now(session), [election_id] if election_id else ())
    if lock is not None and release_of(session, survey_id, user_id) is None:
        raise Refused("silence", lock.sentence)


def release_of(session: Session, survey_id: int, user_id: int | None) -> SilenceRelease | None:
    """This user's release that still holds."""
    wanted = select(SilenceRelease).where(
        SilenceRelease.survey_id == survey_id, SilenceRelease.user_id == user_id, SilenceRelease.until > real_now()
    )
    return session.scalars(wanted.order_by(SilenceRelease.until.desc()).limit(1)).first()


def release(session: Session, survey_id: int, user_id: int, reason: str) -> SilenceRelease:
    """Let this pollster take files of the survey out for an hour, with their reason; audited."""
    said = " ".join(reason.split())
    if not SHORTEST_REASON <= len(said) <= LONGEST_REASON:
        raise InvalidInput({"reason": _("Write in a sentence why files must leave during the silence, and to whom.")})
    made = SilenceRelease(survey_id=survey_id, user_id=user_id, reason=said, until=real_now() + RELEASE)
    session.add(made)
    session.flush()
    audit.record(session, user_id, "silence.release", f"survey/{survey_id}", release=made.id, reason=said)
    return made
