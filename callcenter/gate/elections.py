"""Elections and their phases: what an administrator enters, checks and corrects. What they allow: `rulebook`."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, Integer, UniqueConstraint, delete, exists, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from callcenter import calendar
from callcenter.base import audit
from callcenter.base.clock import ZONE, real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.calendar import PHASES, Stretch

PHASE_LABELS: dict[str, LazyString] = {
    "ordinary": _l("Ordinary time"),
    "precampaign": _l("Pre-campaign"),
    "intercampaign": _l("Inter-campaign"),
    "campaign": _l("Campaign"),
    "silence": _l("Electoral silence (veda)"),
    "election_day": _l("Election day"),
    "post": _l("After election day"),
}
STATES = range(1, 33)  # INE's numbers of the states
MAX_STRETCHES = 30
_BEFORE = ("precampaign", "intercampaign", "campaign", "silence")  # phases that lead up to election day


class Election(Base):
    """An election and where it is held. `states`: INE's numbers; empty: the whole country. `day`: election day."""

    __tablename__ = "elections"
    __table_args__ = (UniqueConstraint("name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    states: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list, server_default=text("'{}'"))
    day: Mapped[date]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
    phases: Mapped[list["Phase"]] = relationship(order_by="Phase.starts", lazy="selectin", passive_deletes=True)


class Phase(Base):
    """One stretch of one election's calendar, both days included, as the contact's own zone counts days."""

    __tablename__ = "phases"
    __table_args__ = (
        CheckConstraint(f"phase IN {PHASES}", name="phase"),
        CheckConstraint("starts <= ends", name="starts_before_it_ends"),
        # Ranges on both sides, because a plain number would need an extension of PostgreSQL.
        ExcludeConstraint(
            (text("int4range(election_id, election_id, '[]')"), "&&"),
            (text("daterange(starts, ends, '[]')"), "&&"),
            name="ex_phases_election_id_days",
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    election_id: Mapped[int] = mapped_column(ForeignKey("elections.id", ondelete="CASCADE"))
    name: Mapped[str]
    phase: Mapped[str]
    starts: Mapped[date]
    ends: Mapped[date]

    @property
    def stretch(self) -> Stretch:
        return Stretch(self.name, self.phase, self.starts, self.ends)


@dataclass(frozen=True)
class Plan:
    """An election as somebody enters it. `states` empty: the whole country."""

    name: str
    day: date
    states: tuple[int, ...]
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class Gap:
    """Days between two stretches that stand in none: they count as ordinary time."""

    after: str
    before: str
    starts: date
    ends: date


def every(session: Session) -> list[Election]:
    """All elections, the latest first."""
    return list(session.scalars(select(Election).order_by(Election.day.desc(), Election.id)))


def find(session: Session, election_id: int) -> Election:
    """Raises NotFound."""
    election = session.get(Election, election_id)
    if election is None:
        raise NotFound(_("There is no such election."))
    return election


def save(session: Session, plan: Plan, user_id: int | None, *, election_id: int | None = None) -> Election:
    """Write a new election, or another calendar for an old one; audited. Raises InvalidInput with every fault found.

    Gaps are no fault: see `gaps`, which the page shows as a warning."""
    faults = faults_of(plan) | _name_fault(session, plan.name.strip(), election_id)
    if faults:
        raise InvalidInput(faults)
    election = find(session, election_id) if election_id is not None else Election(created_by=user_id)
    election.name, election.day, election.states = plan.name.strip(), plan.day, sorted(set(plan.states))
    session.add(election)
    session.flush()
    session.execute(delete(Phase).where(Phase.election_id == election.id))
    session.expire(election, ["phases"])
    ordered = sorted(plan.stretches, key=lambda stretch: stretch.starts)
    session.add_all(Phase(election_id=election.id, **stretch._asdict()) for stretch in ordered)
    session.flush()
    said = [f"{one.phase} {one.starts} {one.ends}" for one in ordered]
    audit.record(session, user_id, "elections.save", f"election/{election.id}", day=str(plan.day),
                 states=election.states, phases=said)  # fmt: skip
    return election


def remove(session: Session, election_id: int, user_id: int | None) -> None:
    """Take an election out of the calendar, with its phases and sign-offs; audited. Raises NotFound."""
    election = find(session, election_id)
    was = {"name": election.name, "day": str(election.day), "states": election.states,
           "phases": [f"{one.phase} {one.starts} {one.ends}" for one in election.phases]}  # fmt: skip
    session.execute(delete(Election).where(Election.id == election_id))
    audit.record(session, user_id, "elections.remove", f"election/{election_id}", **was)


def faults_of(plan: Plan) -> dict[str, str]:
    """What cannot be: field -> sentence. Fields: name, states, day, stretches, `stretch-<n>` (in the order given)."""
    faults: dict[str, str] = {}
    if not plan.name.strip():
        faults["name"] = _("Give the election a name.")
    if strange := [str(state) for state in plan.states if state not in STATES]:
        faults["states"] = _("There is no state %(number)s: states go from 1 to 32.", number=", ".join(strange))
    if not plan.stretches:
        faults["stretches"] = _("An election needs at least one phase.")
    if len(plan.stretches) > MAX_STRETCHES:
        faults["stretches"] = _("That is more than %(limit)s phases.", limit=MAX_STRETCHES)
    for number, stretch in enumerate(plan.stretches):
        if sentence := _stretch_fault(stretch, plan.day):
            faults[f"stretch-{number}"] = sentence
    if not faults:
        faults |= _overlaps(plan.stretches)
    return faults


def _stretch_fault(stretch: Stretch, day: date) -> str | None:
    if stretch.phase not in PHASES:
        names = ", ".join(PHASES)
        return str(_("%(phase)s is no phase; the phases are %(phases)s.", phase=repr(stretch.phase), phases=names))
    if stretch.starts > stretch.ends:
        days = {"starts": stretch.starts, "ends": stretch.ends}
        return str(_("%(name)s: it begins on %(starts)s and ends before, on %(ends)s.", name=stretch.name, **days))
    if stretch.phase == "election_day" and not stretch.starts <= day <= stretch.ends:
        return str(_("%(name)s: election day is %(day)s, and this phase does not hold it.", name=stretch.name, day=day))
    if stretch.phase == "post" and stretch.starts <= day:
        return str(_("%(name)s: it begins after election day, %(day)s, not before.", name=stretch.name, day=day))
    holds_day = stretch.starts <= day <= stretch.ends
    if (stretch.phase in _BEFORE and stretch.ends >= day) or (stretch.phase == "ordinary" and holds_day):
        return str(_("%(name)s: it must be over before election day, %(day)s.", name=stretch.name, day=day))
    return None


def _overlaps(stretches: tuple[Stretch, ...]) -> dict[str, str]:
    numbered = sorted(enumerate(stretches), key=lambda pair: (pair[1].starts, pair[1].ends))
    faults = {}
    for (_number, first), (number, second) in pairwise(numbered):
        if second.starts <= first.ends:
            faults[f"stretch-{number}"] = _(
                "«%(first)s» ends on %(ends)s, but «%(second)s» begins on %(starts)s: two phases share days.",
                first=first.name, ends=first.ends, second=second.name, starts=second.starts,
            )  # fmt: skip
    return faults


def _name_fault(session: Session, name: str, election_id: int | None) -> dict[str, str]:
    same = select(Election.id).where(func.lower(Election.name) == name.lower(), Election.id != (election_id or 0))
    if session.scalar(same) is None:
        return {}
    return {"name": _("There is an election of this name already.")}


def gaps(stretches: list[Stretch]) -> list[Gap]:
    """Days between the first and the last stretch that stand in none, in order."""
    ordered = sorted(stretches, key=lambda stretch: stretch.starts)
    day = timedelta(days=1)
    return [
        Gap(first.name, second.name, first.ends + day, second.starts - day)
        for first, second in pairwise(ordered)
        if second.starts > first.ends + day
    ]


def set_phases(session: Session, stretches: list[Stretch], *, name: str = "Elección") -> Election:
    """Make this calendar, for the whole country, the only one. Raises InvalidInput naming the stretch that cannot be.

    For demonstrations and tests; a person edits elections one by one (`save`)."""
    days = [stretch.starts for stretch in stretches if stretch.phase == "election_day"]
    day = days[0] if days else max(stretch.ends for stretch in stretches) + timedelta(days=1)
    plan = Plan(name, day, (), tuple(stretches))
    if faults := faults_of(plan):
        raise InvalidInput(faults)
    session.execute(delete(Election))
    session.expire_all()
    return save(session, plan, None)


def phase_at(session: Session, now: datetime, state: int | None = None) -> str:
    """The phase on the day of `now` (aware) in `state` (None: anywhere), in the campaign's own zone, for screens.

    Where several elections run, the strictest: the one furthest along towards its day."""
    day = now.astimezone(ZONE).date()
    here = (func.cardinality(Election.states) == 0) | Election.states.contains([state]) if state else text("true")
    holds_day = (Phase.starts <= day, Phase.ends >= day)
    phases = list(session.scalars(select(Phase.phase).join(Election).where(*holds_day, here)))
    unsaid = select(Election.id).where(
        Election.day == day, here, ~exists().where(Phase.election_id == Election.id, *holds_day)
    )
    if session.scalar(unsaid.limit(1)) is not None:  # held on its day, also where no phase was entered for it
        phases.append("election_day")
    return min(phases, key=_WEIGHT.index, default="ordinary")


_WEIGHT = ("silence", "election_day", "post", "ordinary", "intercampaign", "precampaign", "campaign")
proposal = calendar.election_of
