"""Privacy requests (access, rectification, cancellation, opposition): cases with deadlines and a history.

received → identity_checked → answered → carried_out; until it is answered a request may be rejected with its reason.
20 working days to answer and 15 more to carry out what was answered; one extension of the same length, with a reason.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, false, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.gate.working_days import working_days

KINDS: dict[str, LazyString] = {
    "access": _l("Access: which data you hold"),
    "rectification": _l("Rectification: something is wrong"),
    "cancellation": _l("Cancellation: delete my data"),
    "opposition": _l("Opposition: do not use my data"),
}
STATES: dict[str, LazyString] = {
    "received": _l("received"),
    "identity_checked": _l("identity checked"),
    "answered": _l("answered, to be carried out"),
    "carried_out": _l("carried out"),
    "rejected": _l("rejected"),
}
NEXT = {
    "received": ("identity_checked", "rejected"),
    "identity_checked": ("answered", "rejected"),
    "answered": ("carried_out",),
    "carried_out": (),
    "rejected": (),
}
OPEN = tuple(state for state, following in NEXT.items() if following)
DAYS = {"received": 20, "identity_checked": 20, "answered": 15}  # working days, by the state whose end they limit
WAYS: dict[str, LazyString] = {
    "public_page": _l("public page"),
    "phone": _l("phone"),
    "in_person": _l("in person"),
    "letter": _l("letter or e-mail"),
}
# What was seen: the kind of document and nothing else. Never a number, never a copy.
DOCUMENTS: dict[str, LazyString] = {
    "voter_card": _l("Voter card, shown"),
    "passport": _l("Passport, shown"),
    "licence": _l("Driving licence or professional card, shown"),
    "called_back": _l("Called back at the phone we hold, and answered what only they know"),
    "power_of_attorney": _l("Power of attorney of who acts for the person"),
}
SHOWS_WHO = frozenset(DOCUMENTS) - {"power_of_attorney"}
LONGEST_TEXT, LONGEST_NAME = 2000, 200


class ArcoRequest(Base):
    """One request. `reference` is what we tell the person. `due_on`: the deadline that runs; None once it is closed.

    `asker`, `answer_to`, `phone` and `text` are as they gave them, and are emptied when the person is erased.
    `documents`: codes of DOCUMENTS. Times are campaign time."""

    __tablename__ = "arco_requests"
    __table_args__ = (
        CheckConstraint("kind IN ('access', 'rectification', 'cancellation', 'opposition')", name="kind"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="received")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"), index=True)
    asker: Mapped[str | None]
    is_representative: Mapped[bool] = mapped_column(default=False, server_default=false())
    answer_to: Mapped[str | None]
    phone: Mapped[str | None]
    text: Mapped[str | None]
    way: Mapped[str]
    documents: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    received_at: Mapped[datetime]
    due_on: Mapped[date | None]
    extended_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class ArcoStep(Base):
    """What was done in a case, by whom and why. `step`: a state, or extended | linked | exported | blocked | …"""

    __tablename__ = "arco_steps"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("arco_requests.id", ondelete="CASCADE"), index=True)
    step: Mapped[str]
    note: Mapped[str | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]


@dataclass(frozen=True)
class Asked:
    """What somebody asks for, as it came in. `phone` is E.164 or empty."""

    kind: str
    asker: str
    answer_to: str
    phone: str = ""
    text: str = ""
    way: str = "public_page"
    is_representative: bool = False
    received_on: date | None = None  # None: now


def check(asked: Asked) -> None:
    """Raises InvalidInput with a fault for each field that cannot be used; asks no database."""
    faults = {}
    if asked.kind not in KINDS:
        faults["kind"] = _("Choose what you ask for.")
    if not asked.asker.strip():
        faults["asker"] = _("Write the name of the person whose data these are.")
    elif len(asked.asker) > LONGEST_NAME:
        faults["asker"] = _("At most %(limit)s characters.", limit=LONGEST_NAME)
    if not asked.answer_to.strip():
        faults["answer_to"] = _("Write where to answer: a phone or an e-mail address.")
    elif len(asked.answer_to) > LONGEST_NAME:
        faults["answer_to"] = _("At most %(limit)s characters.", limit=LONGEST_NAME)
    if len(asked.text) > LONGEST_TEXT:
        faults["text"] = _("At most %(limit)s characters.", limit=LONGEST_TEXT)
    if asked.way not in WAYS:
        faults["way"] = _("Choose how the request came in.")
    if faults:
        raise InvalidInput(faults)


def open_case(
    session: Session, asked: Asked, user_id: int | None, *, contact_id: int | None = None, at: datetime | None = None
) -> ArcoRequest:
    """A new case. `at`: when it was received (campaign time; None: now). Raises InvalidInput."""
    check(asked)
    now = campaign_now(session)
    received_at = at or now
    if asked.received_on is not None:
        received_at = datetime.combine(asked.received_on, now.astimezone(ZONE).timetz())
    if received_at > now:
        raise InvalidInput({"received_on": _("A request cannot be received in the future.")})
    case = ArcoRequest(
        reference="P-" + secrets.token_hex(4).upper(), kind=asked.kind, contact_id=contact_id, way=asked.way,
        asker=asked.asker.strip(), is_representative=asked.is_representative, answer_to=asked.answer_to.strip(),
        phone=asked.phone or None, text=asked.text.strip() or None, received_at=received_at,
        due_on=working_days(session).after(_day(received_at), DAYS["received"]),
    )  # fmt: skip
    session.add(case)
    session.flush()
    note(session, case, "received", user_id)
    return case


def get(session: Session, case_id: int) -> ArcoRequest:
    """Raises NotFound."""
    case = session.get(ArcoRequest, case_id)
    if case is None:
        raise NotFound(_("There is no such privacy request."))
    return case


def check_identity(session: Session, case_id: int, documents: Collection[str], user_id: int | None) -> None:
    """Somebody saw who asks. `documents`: codes of DOCUMENTS. Raises InvalidInput, Refused."""
    case = _locked(session, case_id)
    seen = sorted(set(documents) & set(DOCUMENTS))
    if not SHOWS_WHO.intersection(seen):
        raise InvalidInput({"documents": _("Say how you know that it is the person: which kind of document you saw.")})
    if case.is_representative and "power_of_attorney" not in seen:
        raise InvalidInput({"documents": _("Somebody acts for the person: ask for the power of attorney, too.")})
    _enter(case, "identity_checked")
    case.documents = seen
    note(session, case, "identity_checked", user_id)


def answer(session: Session, case_id: int, said: str, user_id: int | None) -> None:
    """The person was answered: the request is granted, and is to be carried out. Raises InvalidInput, Refused."""
    case = _locked(session, case_id)
    _enter(case, "answered")
    case.due_on = working_days(session).after(_day(campaign_now(session)), DAYS["answered"])
    note(session, case, "answered", user_id, _reason(said))


def carry_out(session: Session, case_id: int, done: str, user_id: int | None) -> None:
    """What was answered is done. Raises InvalidInput, Refused."""
    case = _locked(session, case_id)
    _enter(case, "carried_out")
    _close(session, case)
    note(session, case, "carried_out", user_id, _reason(done))


def reject(session: Session, case_id: int, reason: str, user_id: int | None) -> None:
    """The request is not granted, for a reason that the person is told. Raises InvalidInput, Refused."""
    case = _locked(session, case_id)
    _enter(case, "rejected")
    _close(session, case)
    note(session, case, "rejected", user_id, _reason(reason))


def extend(session: Session, case_id: int, reason: str, user_id: int | None) -> None:
    """The deadline that runs once more, once a case. Raises InvalidInput, Refused."""
    case = _locked(session, case_id)
    if case.due_on is None:
        raise Refused("closed", _("This request is closed."))
    if case.extended_at is not None:
        raise Refused("extended", _("The deadline of this request was extended already: the law allows it once."))
    reason = _reason(reason)
    case.due_on = working_days(session).after(case.due_on, DAYS[case.state])
    case.extended_at = campaign_now(session)
    note(session, case, "extended", user_id, reason)


def link(session: Session, case_id: int, contact_id: int | None, user_id: int | None) -> None:
    """Whose data the case is about; None: nobody of ours. Raises Refused once it is closed: nobody has asked since."""
    case = _locked(session, case_id)
    if case.state not in OPEN:
        raise Refused("closed", _("This request is closed."))
    case.contact_id = contact_id
    note(session, case, "linked" if contact_id else "unlinked", user_id)


def note(session: Session, case: ArcoRequest, step: str, user_id: int | None, said: str | None = None) -> None:
    """Add a step to the case's history and to the audit, which gets no words."""
    now = campaign_now(session)
    session.add(ArcoStep(request_id=case.id, step=step, note=said, user_id=user_id, at=now))
    about = {"contact": case.contact_id} if case.contact_id else {}
    audit.record(session, user_id, f"privacy.{step}", f"privacy-request/{case.id}", kind=case.kind, **about)
    session.flush()


def _locked(session: Session, case_id: int) -> ArcoRequest:
    case = session.get(ArcoRequest, case_id, with_for_update=True, populate_existing=True)
    if case is None:
        raise NotFound(_("There is no such privacy request."))
    return case


def _enter(case: ArcoRequest, state: str) -> None:
    if state not in NEXT[case.state]:
        sentence = _(
            "A request that is %(now)s cannot become %(wanted)s.", now=STATES[case.state], wanted=STATES[state]
        )
        raise Refused("arco_state", sentence)
    case.state = state


def _close(session: Session, case: ArcoRequest) -> None:
    case.due_on, case.closed_at = None, campaign_now(session)


def _reason(said: str) -> str:
    if not said.strip():
        raise InvalidInput({"note": _("Write it in one or two sentences: it stays in the history.")})
    return said.strip()[:LONGEST_TEXT]


def _day(at: datetime) -> date:
    return at.astimezone(ZONE).date()


def history(session: Session, case_id: int) -> list[ArcoStep]:
    """The steps of a case, oldest first."""
    return list(session.scalars(select(ArcoStep).where(ArcoStep.request_id == case_id).order_by(ArcoStep.id)))
