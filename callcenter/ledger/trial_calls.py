"""A test call to who prepares a campaign: their own telephone rings with the campaign's number, and they hear it.

Like every call of ours a trial is a committed row before the carrier hears of it. Its number is forgotten at its end;
it belongs to no queue, and counts for nobody."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import carriers, phones, suppressions
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, ProviderError, Refused
from callcenter.base.outbox import enqueue_later
from callcenter.calls import Event
from callcenter.carriers import Dial
from callcenter.carriers.twilio import errors
from callcenter.ledger import own_rings
from callcenter.ledger.own_rings import LIFE, RING_SECONDS, WINDOW, OwnRing
from callcenter.privacy import person_register

MOST = 6  # trials of one person within WINDOW
STATES: dict[str, LazyString] = {
    "planned": _l("Your telephone is about to ring."),
    "placing": _l("Calling your telephone…"),
    "ringing": _l("It rings."),
    "answered": _l("Answered: you hear who calls and what is said first."),
}
RESULTS: dict[str, LazyString] = {
    "played": _l("It rang, it was answered, and the words were said."),
    "busy": _l("The line was busy."),
    "no_answer": _l("It rang and nobody answered."),
    "invalid_number": _l("The carrier says that this number does not exist."),
    "failed": _l("The line failed. Look at the trunk or the carrier's settings."),
    "not_placed": _l("The carrier did not take the call. Look at the trunk or the carrier's settings."),
    "canceled": _l("It was given up before an answer."),
    "lost": _l("The carrier does not know what became of it."),
    "unheard": _l("Nothing was heard of it. Look at the trunk or the carrier's settings."),
    "no_route": _l("No trunk may call this number with the number chosen to be shown."),
}


class TrialCall(OwnRing, Base):
    """`result`: a code of RESULTS. `words`: what is said where the carrier can say it. `told`: the carrier's own code
    of its end, a number of Twilio's or `sip 486`."""

    __tablename__ = "trial_calls"
    __table_args__ = (Index("ix_trial_calls_asked_by_asked_at", "asked_by", "asked_at"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str]
    carrier: Mapped[str]
    caller_id: Mapped[str]
    words: Mapped[str]
    told: Mapped[str | None]

    @property
    def sentence(self) -> str:
        """What has become of it so far."""
        if self.is_open:
            return str(STATES[self.state])
        return f"{RESULTS.get(self.result or '', self.result)} {_in_words(self.told)}".strip()


@dataclass(frozen=True)
class Wanted:
    """What a trial shows and says. `subject` names the draft or campaign."""

    subject: str
    carrier: str
    caller_id: str
    words: str


def compose() -> None:
    """Say why a person's file does not hold these."""
    person_register.spare(
        "trial_calls", "who of the house rang their own telephone; the number is forgotten at its end"
    )


def begin(session: Session, number: str, wanted: Wanted, user_id: int) -> TrialCall:
    """Ring `number` after the commit. Raises InvalidInput for what is no number, Refused for a phone on the
    suppression list, while another trial of theirs runs, and after too many."""
    found = phones.normalise(number[:100]).numbers
    if len(found) != 1:
        raise InvalidInput({"number": _("Write your own number with its ten digits.")})
    if suppressions.find(session, found[0].e164) is not None:
        raise Refused("suppressed", _("This phone is on the suppression list: it is not called, not even for a test."))
    last = newest(session, user_id)
    if last is not None and last.is_open and last.deadline_at > real_now():
        raise Refused("test_running", _("A test call of yours is under way; wait for its end."))
    lately = select(func.count()).where(TrialCall.asked_by == user_id, TrialCall.asked_at > real_now() - WINDOW)
    if (session.scalar(lately) or 0) >= MOST:
        raise Refused("too_many_tests", _("You made %(n)s test calls in ten minutes. Wait a little.", n=MOST))
    trial = TrialCall(
        id=uuid4(), subject=wanted.subject, number=found[0].e164, shown=found[0].e164[-4:], carrier=wanted.carrier,
        caller_id=wanted.caller_id, words=wanted.words[:1000], asked_by=user_id, deadline_at=real_now() + LIFE,
    )  # fmt: skip
    session.add(trial)
    session.flush()
    audit.record(session, user_id, "campaigns.test_call", wanted.subject, trial=str(trial.id))
    enqueue_later(session, "callcenter.ledger.trial_jobs.ring", str(trial.id), queue="urgent")
    return trial


def claim(session: Session, trial_id: UUID) -> Dial | None:
    """Take a planned trial for placing, with its way; None when it was taken, is too late, or there is no way."""
    trial = session.get(TrialCall, trial_id, with_for_update=True, populate_existing=True)
    if trial is None or not trial.is_due or trial.number is None:
        return None
    try:
        route = carriers.carrier(trial.carrier).route(session, trial.number, trial.caller_id, 0)
    except (ProviderError, carriers.NoCarrier):
        trial.end("no_route")
        return None
    trial.state = "placing"
    return Dial(trial.id, trial.number, route.caller_id, RING_SECONDS, route=route)


def failed(session: Session, trial_id: UUID, error: ProviderError) -> None:
    """The carrier did not take the call, or may not have: then the sweep closes it."""
    trial = session.get(TrialCall, trial_id, with_for_update=True, populate_existing=True)
    if trial is not None and trial.is_open and not error.unknown:
        trial.told = error.code or None
        trial.end("invalid_number" if isinstance(error, carriers.BadNumber) else "not_placed")


def heard(session: Session, trial_id: UUID, event: Event) -> TrialCall | None:
    """The carrier says what became of a trial; None when it is no trial of ours. Harmless when repeated."""
    trial = session.get(TrialCall, trial_id, with_for_update=True, populate_existing=True)
    if trial is None or not trial.is_open:
        return trial
    if trial.hear(event):
        trial.told = _told(event)
        trial.end("played" if trial.answered_at else event.kind)
    return trial


def newest(session: Session, user_id: int) -> TrialCall | None:
    """The last trial of this person."""
    own = select(TrialCall).where(TrialCall.asked_by == user_id).order_by(TrialCall.asked_at.desc()).limit(1)
    return session.scalar(own.execution_options(populate_existing=True))


def find(session: Session, trial_id: UUID) -> TrialCall:
    """Raises NotFound."""
    trial = session.get(TrialCall, trial_id, populate_existing=True)
    if trial is None:
        raise NotFound(_("There is no such test."))
    return trial


def sweep(session: Session) -> None:
    """Close trials of which nothing was heard any more."""
    own_rings.sweep(session, TrialCall)


def _told(event: Event) -> str | None:
    """What the carrier's own codes say of an end that tells little by itself."""
    code, sip = event.payload.get("ErrorCode"), event.payload.get("SipResponseCode")
    if event.kind not in ("failed", "invalid_number", "not_placed"):
        return None
    return str(code) if code else f"sip {sip}" if sip else None


def _in_words(told: str | None) -> str:
    if told is None:
        return ""
    if told.startswith("sip "):
        return errors.sip_sentence(told.removeprefix("sip "))
    return errors.sentence(told) if errors.knows(told) else ""
