"""Why an operator is in a pause: the reasons one chooses, with their limits, and those the system gives.

The house's own list stands here; what an administrator changed or added stands in the table and comes first."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound

LENGTH = 40
MOST_MINUTES = 480
MOST_REASONS = 9  # each has a number key in the console

CHOSEN: dict[str, LazyString] = {
    "break": _l("Short break"),
    "bathroom": _l("Bathroom"),
    "meal": _l("Meal"),
    "training": _l("Training or meeting"),
    "technical": _l("Technical problem"),
    "paperwork": _l("Writing up"),
}
GIVEN: dict[str, LazyString] = {
    "starting": _l("Connected, not yet available"),
    "difficult_call": _l("After a difficult call"),
    "supervisor": _l("By the supervisor"),
    "gone": _l("The page was closed or lost its connection"),
    "room_lost": _l("The telephone line was lost"),
    "consulted": _l("Consulted by another operator"),
    "looked_long": _l("Looked at a person for long without calling"),
}
# Minutes for one pause and for all of a day, until an administrator says otherwise.
LIMITS: dict[str, tuple[int | None, int | None]] = {
    "break": (15, 30), "bathroom": (10, None), "meal": (60, 60), "paperwork": (15, None)}  # fmt: skip
AT_WORK = frozenset({"training", "technical", "paperwork"})  # pauses that are work


class PauseReason(Base):
    """One reason as an administrator wants it. `word`: None keeps the house's own, which is translated."""

    __tablename__ = "pause_reasons"
    code: Mapped[str] = mapped_column(primary_key=True)
    word: Mapped[str | None]
    minutes: Mapped[int | None]
    minutes_a_day: Mapped[int | None]
    is_work: Mapped[bool]
    is_enabled: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


@dataclass(frozen=True)
class Reason:
    """A reason that operators choose. `minutes`: limit of one pause, `minutes_a_day`: of a day's; None: no limit."""

    code: str
    label: str
    minutes: int | None = None
    minutes_a_day: int | None = None
    is_work: bool = False
    is_enabled: bool = True


@dataclass(frozen=True)
class Wanted:
    """What an administrator says of a reason. `word`: '' keeps the house's own."""

    word: str
    minutes: int | None
    minutes_a_day: int | None
    is_work: bool
    is_enabled: bool = True


def listed(session: Session, *, enabled_only: bool = True) -> list[Reason]:
    """The house's reasons in their order, then those that were added."""
    kept = {row.code: row for row in session.scalars(select(PauseReason).order_by(PauseReason.word))}
    codes = [*CHOSEN, *(code for code in kept if code not in CHOSEN)]
    reasons = [_reason(code, kept.get(code)) for code in codes]
    return [reason for reason in reasons if reason.is_enabled or not enabled_only]


def labels(session: Session) -> dict[str, str]:
    """Every reason there is or was, by its code, in the reader's language."""
    own = {reason.code: reason.label for reason in listed(session, enabled_only=False)}
    return own | {code: str(word) for code, word in GIVEN.items()}


def label(code: str | None) -> str:
    """A reason of the house's own in the reader's language; '' for none, any other as it is."""
    if code is None:
        return ""
    return str(CHOSEN.get(code) or GIVEN.get(code) or code)


def chosen(session: Session, code: object) -> str:
    """The code when it is one that an operator may choose. Raises InvalidInput."""
    if not isinstance(code, str) or code not in {reason.code for reason in listed(session)}:
        raise InvalidInput({"reason": _("Choose the reason of the pause.")})
    return code


def ends_at(reason: Reason, since: datetime, earlier_seconds: float) -> datetime | None:
    """When a pause that began at `since` reaches its limit; None without one. `earlier_seconds`: of this reason today,
    before this pause."""
    ends = [since + timedelta(minutes=reason.minutes)] if reason.minutes is not None else []
    if reason.minutes_a_day is not None:
        ends.append(since + max(timedelta(), timedelta(minutes=reason.minutes_a_day, seconds=-earlier_seconds)))
    return min(ends, default=None)


def save(session: Session, code: str | None, wanted: Wanted, user_id: int) -> str:
    """Change a reason, or add one (`code` None); returns its code. Raises InvalidInput, NotFound."""
    known = {reason.code: reason for reason in listed(session, enabled_only=False)}
    if code is not None and code not in known:
        raise NotFound(_("There is no such reason."))
    faults = _faults(list(known.values()), code, wanted)
    if faults:
        raise InvalidInput(faults)
    code = code or f"own_{secrets.token_hex(4)}"
    session.merge(
        PauseReason(code=code, word=wanted.word or None, minutes=wanted.minutes, minutes_a_day=wanted.minutes_a_day,
                    is_work=wanted.is_work, is_enabled=wanted.is_enabled)
    )  # fmt: skip
    session.flush()
    audit.record(session, user_id, "pause_reasons.save", f"pause-reason/{code}", minutes=wanted.minutes,
                 minutes_a_day=wanted.minutes_a_day, is_work=wanted.is_work, is_enabled=wanted.is_enabled)  # fmt: skip
    return code


def _faults(known: list[Reason], code: str | None, wanted: Wanted) -> dict[str, str]:
    faults = {}
    if (not wanted.word and code not in CHOSEN) or len(wanted.word) > LENGTH:
        faults["word"] = _("Write a word of at most %(n)s characters.", n=LENGTH)
    others = [reason for reason in known if reason.code != code and reason.is_enabled]
    if wanted.word.casefold() in {reason.label.casefold() for reason in others}:
        faults["word"] = _("There is a reason of this name already.")
    for name in ("minutes", "minutes_a_day"):
        value = getattr(wanted, name)
        if value is not None and not 1 <= value <= MOST_MINUTES:
            faults[name] = _("Write whole minutes from 1 to %(most)s, or nothing for no limit.", most=MOST_MINUTES)
    if not faults and wanted.minutes and wanted.minutes_a_day and wanted.minutes > wanted.minutes_a_day:
        faults["minutes"] = _("One pause cannot be longer than all of the day.")
    if wanted.is_enabled and len(others) >= MOST_REASONS:
        faults[""] = _("Operators choose among %(n)s reasons at most: take one away first.", n=MOST_REASONS)
    if not wanted.is_enabled and not others:
        faults[""] = _("One reason must stay: operators have to choose one.")
    return faults


def _reason(code: str, row: PauseReason | None) -> Reason:
    if row is None:
        minutes, a_day = LIMITS.get(code, (None, None))
        return Reason(code, label(code), minutes, a_day, code in AT_WORK)
    return Reason(code, row.word or label(code), row.minutes, row.minutes_a_day, row.is_work, row.is_enabled)
