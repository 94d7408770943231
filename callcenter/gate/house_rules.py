"""What an administrator may set around the law: stricter cells, calling hours, holidays, caps, the register's purposes.

Each change is audited with what was and what is."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.calendar import PHASES, PURPOSES, RULES, STRICTER, WIDEST_HOURS, Span
from callcenter.gate import rulebook
from callcenter.gate.elections import STATES
from callcenter.gate.rulebook import DAY_KINDS, MAX_IN_ALL, MAX_PER_WEEK

SHORTEST_HOURS = 4  # of a day: people with two zones, up to three hours apart, must stay reachable
ALWAYS_ANSWERED = ("privacy_request",)  # no register keeps us from answering who asked for their rights

RULE_LABELS: dict[str, LazyString] = {
    "yes": _l("Allowed"),
    "notice": _l("Allowed, asks to confirm"),
    "members": _l("Only members"),
    "sign_off": _l("Only with a legal approval"),
    "drill": _l("Only as a drill"),
    "no": _l("Not allowed"),
}
PURPOSE_LABELS: dict[str, LazyString] = {
    "survey": _l("Survey"),
    "data_verification": _l("Verification of data"),
    "structure": _l("Structure"),
    "persuasion": _l("Promotion of the vote"),
    "neutral_reminder": _l("Neutral reminder"),
    "mobilization": _l("Mobilisation"),
    "citizen_care": _l("Citizen care"),
    "privacy_request": _l("Privacy request"),
}
DAY_KIND_LABELS: dict[str, LazyString] = {
    "weekday": _l("Monday to Saturday"),
    "sunday": _l("Sunday"),
    "holiday": _l("Holiday"),
}


class HouseCell(Base):
    """A version of one cell of purpose × phase: the newest row holds. `rule` NULL: the law's again."""

    __tablename__ = "house_cells"
    __table_args__ = (Index("ix_house_cells_purpose_phase", "purpose", "phase", "id"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    purpose: Mapped[str]
    phase: Mapped[str]
    rule: Mapped[str | None]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))


class HouseSetting(Base):
    """`key`: hours ({day kind: [opens, closes]}) | caps ({per_week, in_all}) | do_not_call ([purposes left out])
    | approval_needed (bool: a second person approves a message campaign);
    of the next start (callcenter.telephony.carrier_choice): carrier | public_address."""

    __tablename__ = "house_settings"
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    changed_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))


class OwnHoliday(Base):
    """A rest day beside the federal ones: everywhere, in one state, or in one time zone."""

    __tablename__ = "holidays"
    __table_args__ = (UniqueConstraint("day", "state", "zone", postgresql_nulls_not_distinct=True),)
    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    name: Mapped[str]
    state: Mapped[int | None]
    zone: Mapped[str | None]
    added_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    added_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))


def set_cell(session: Session, purpose: str, phase: str, rule: str | None, user_id: int | None) -> None:
    """Make a cell stricter than the law, or (None) leave it to the law again. Raises InvalidInput, Refused."""
    if purpose not in PURPOSES or phase not in PHASES:
        raise InvalidInput(_("There is no such cell: %(purpose)s, %(phase)s.", purpose=purpose, phase=phase))
    law = RULES[purpose, phase]
    if rule == law:
        rule = None
    if rule is not None and rule not in RULE_LABELS:
        raise InvalidInput({"rule": _("Choose a rule.")})
    if rule is not None and rule not in STRICTER[law]:
        raise Refused("below_the_law", _("The law's rule is «%(law)s»: a house may only be stricter.",
                                         law=RULE_LABELS[law]))  # fmt: skip
    was = rulebook.read(session).house_cells.get((purpose, phase))
    if rule == was:
        return
    session.add(HouseCell(purpose=purpose, phase=phase, rule=rule, made_by=user_id))
    session.flush()
    audit.record(session, user_id, "calendar.set_cell", f"cell/{purpose}/{phase}", law=law, was=was, now=rule)


def version(session: Session) -> HouseCell | None:
    """The last change of the matrix: its number is the matrix's version. None: it is the law's own."""
    return session.scalar(select(HouseCell).order_by(HouseCell.id.desc()).limit(1))


def set_hours(session: Session, hours: Mapping[str, Span], user_id: int | None, *, may_widen: bool) -> None:
    """Other calling hours for the three kinds of day. Who may not widen may only narrow what holds now.

    Raises InvalidInput with a fault for each kind of day (weekday, sunday, holiday), Refused."""
    faults = {kind: fault for kind in DAY_KINDS if (fault := _hours_fault(hours[kind]))}
    if faults:
        raise InvalidInput(faults)
    was = rulebook.read(session).hours
    wider = [kind for kind in DAY_KINDS if hours[kind][0] < was[kind][0] or hours[kind][1] > was[kind][1]]
    if wider and not may_widen:
        raise Refused("only_narrower", _("Only an administrator may make calling hours longer than they are."))
    _set(session, "hours", _words(hours), _words(was), user_id)


def _hours_fault(span: Span) -> str | None:
    opens, closes = span
    if opens >= closes:
        return str(_("The hours end before they begin."))
    if opens < WIDEST_HOURS[0] or closes > WIDEST_HOURS[1]:
        return str(_("Nobody is called before 8:00 or after 21:00."))
    if _minutes(closes) - _minutes(opens) < SHORTEST_HOURS * 60:
        sentence = _("Leave at least %(hours)s hours: people between two time zones must stay reachable.",
                     hours=SHORTEST_HOURS)  # fmt: skip
        return str(sentence)
    return None


def set_caps(session: Session, per_week: int, in_all: int, user_id: int | None) -> None:
    """How often a phone or a person is tried, over every channel. Never more than the law's. Raises InvalidInput."""
    faults = {}
    if not 1 <= per_week <= MAX_PER_WEEK:
        faults["per_week"] = _("Between 1 and %(most)s in seven days.", most=MAX_PER_WEEK)
    if not 1 <= in_all <= MAX_IN_ALL:
        faults["in_all"] = _("Between 1 and %(most)s in all.", most=MAX_IN_ALL)
    if not faults and per_week > in_all:
        faults["in_all"] = _("The limit in all cannot be below that of seven days.")
    if faults:
        raise InvalidInput(faults)
    book = rulebook.read(session)
    was = {"per_week": book.per_week, "in_all": book.in_all}
    _set(session, "caps", {"per_week": per_week, "in_all": in_all}, was, user_id)


def set_do_not_call(session: Session, purposes: list[str], user_id: int | None) -> None:
    """The purposes that a phone of the register is left out of; for the others it is a warning. Raises InvalidInput."""
    chosen = sorted(set(purposes))
    if strange := [purpose for purpose in chosen if purpose not in PURPOSES or purpose in ALWAYS_ANSWERED]:
        raise InvalidInput({"do_not_call": _("There is no purpose %(purpose)s.", purpose=", ".join(strange))})
    _set(session, "do_not_call", chosen, sorted(rulebook.read(session).do_not_call), user_id)


def is_approval_needed(session: Session) -> bool:
    """Has a second person to approve a message campaign before it leaves? Yes, unless an administrator said no."""
    setting = session.get(HouseSetting, "approval_needed", populate_existing=True)
    return setting is None or bool(setting.value)


def set_approval_needed(session: Session, user_id: int | None, *, needed: bool) -> None:
    """Ask for a second person from now on, or not any more."""
    _set(session, "approval_needed", needed, is_approval_needed(session), user_id)


def add_holiday(
    session: Session, day: date, name: str, user_id: int | None, *, state: int | None = None, zone: str | None = None
) -> OwnHoliday:
    """A rest day of one's own. Raises InvalidInput."""
    if not name.strip():
        raise InvalidInput({"name": _("Give the holiday a name.")})
    if state is not None and state not in STATES:
        raise InvalidInput({"state": _("There is no state %(number)s: states go from 1 to 32.", number=state)})
    same = select(OwnHoliday.id).where(OwnHoliday.day == day, OwnHoliday.state.is_not_distinct_from(state),
                                       OwnHoliday.zone.is_not_distinct_from(zone))  # fmt: skip
    if session.scalar(same) is not None:
        raise InvalidInput({"day": _("This day is a holiday there already.")})
    row = OwnHoliday(day=day, name=name.strip()[:100], state=state, zone=zone, added_by=user_id)
    session.add(row)
    session.flush()
    audit.record(session, user_id, "holidays.add", f"holiday/{row.id}", day=str(day), state=state, zone=zone)
    return row


def remove_holiday(session: Session, holiday_id: int, user_id: int | None) -> None:
    """Raises NotFound."""
    row = session.get(OwnHoliday, holiday_id)
    if row is None:
        raise NotFound(_("There is no such holiday."))
    audit.record(session, user_id, "holidays.remove", f"holiday/{holiday_id}", day=str(row.day), state=row.state)
    session.delete(row)
    session.flush()


def own_holidays(session: Session) -> list[OwnHoliday]:
    """By day."""
    return list(session.scalars(select(OwnHoliday).order_by(OwnHoliday.day, OwnHoliday.id)))


def _set(session: Session, key: str, value: Any, was: Any, user_id: int | None) -> None:
    if value == was:
        return
    row = {"value": value, "changed_by": user_id, "changed_at": real_now()}
    statement = insert(HouseSetting).values(key=key, **row).on_conflict_do_update(index_elements=["key"], set_=row)
    session.execute(statement)
    audit.record(session, user_id, f"house_rules.{key}", f"house-rule/{key}", was=was, now=value)


def _words(hours: Mapping[str, Span]) -> dict[str, list[str]]:
    return {kind: [f"{at:%H:%M}" for at in hours[kind]] for kind in DAY_KINDS}


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
