"""The study that an authority is given about a published poll: its record, its parties, its money, its files.

Rows only; what the study must hold is `study_checklist`, what it says in figures `study_figures`, the files that leave
`study_packages`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, Integer, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from surveys import questionnaire

STATES = ("draft", "published", "delivered")
SCOPES: dict[str, LazyString] = {
    "federal": _l("Federal election"),
    "local": _l("Local election"),
    "both": _l("Federal and local election"),
}
PARTIES: dict[str, LazyString] = {
    "sponsor": _l("Who sponsored and paid"),
    "conductor": _l("Who conducted it"),
    "publisher": _l("Who ordered and paid the publication"),
}
PARTY_FIELDS = ("name", "legal_name", "contact")
RECORD_FIELDS = (
    "objectives", "population", "frame", "sampling", "collection", "estimation", "nonresponse", "processing", "limits",
)  # fmt: skip
LONGEST, LONGEST_NAME, MOST_PAYERS = 5_000, 200, 20


class Study(Base):
    """One study of one survey. `record`: texts by RECORD_FIELDS and `is_first`; `parties`: PARTIES -> PARTY_FIELDS;
    `resources`: [{"payer", "amount" (MXN, text), "document"}]. Days are campaign time, times real time."""

    __tablename__ = "studies"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'published', 'delivered')", name="state"),
        CheckConstraint("scope IN ('federal', 'local', 'both')", name="scope"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"), index=True)
    title: Mapped[str]
    election_id: Mapped[int | None] = mapped_column(ForeignKey("elections.id", ondelete="SET NULL"))
    scope: Mapped[str] = mapped_column(default="federal")
    states: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list)
    record: Mapped[dict[str, Any]] = mapped_column(default=dict)
    parties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    resources: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(default="draft")
    published_on: Mapped[date | None]
    published_in: Mapped[str | None]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    published_package_id: Mapped[int | None]
    delivered_on: Mapped[date | None]
    delivered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    receipt: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    changed_at: Mapped[datetime] = mapped_column(default=real_now)


class FirmProfile(Base):
    """Who we are: `profile`: FIRM_FIELDS -> text. Every saving is a row; the newest holds."""

    __tablename__ = "firm_profiles"
    id: Mapped[int] = mapped_column(primary_key=True)
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    saved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    saved_at: Mapped[datetime] = mapped_column(default=real_now)


FIRM_FIELDS = ("name", "legal_name", "contact", "experience", "memberships")


@dataclass(frozen=True)
class Payer:
    """Who paid how much, in MXN, by which invoice or contract."""

    payer: str
    amount: str
    document: str


@dataclass(frozen=True)
class Written:
    """A study's record as somebody wrote it into the form."""

    title: str
    election_id: int | None
    scope: str
    states: tuple[int, ...]
    record: Mapping[str, Any]
    parties: Mapping[str, Mapping[str, str]]
    resources: Sequence[Payer]


def of_survey(session: Session, survey_id: int) -> list[Study]:
    """The survey's studies, newest first."""
    wanted = select(Study).where(Study.survey_id == survey_id).order_by(Study.id.desc())
    return list(session.scalars(wanted))


def find(session: Session, study_id: int) -> Study:
    """Raises NotFound."""
    study = session.get(Study, study_id)
    if study is None:
        raise NotFound(_("There is no such study."))
    return study


def begin(session: Session, survey_id: int, user_id: int | None) -> Study:
    """A new draft. What the survey and our own profile say already stands in it."""
    survey, firm = questionnaire.find(session, survey_id), firm_profile(session)
    ours = {field: firm.get(field, "") for field in PARTY_FIELDS}
    parties = {"sponsor": {"name": survey.sponsor or ""}, "conductor": ours, "publisher": {}}
    study = Study(
        survey_id=survey_id, title=survey.name, record={"population": survey.population or ""}, parties=parties,
        created_by=user_id,
    )  # fmt: skip
    session.add(study)
    session.flush()
    audit.record(session, user_id, "studies.begin", f"survey/{survey_id}", study=study.id)
    return study


def save(session: Session, study_id: int, written: Written, user_id: int | None) -> Study:
    """Write the record. Raises InvalidInput with every fault; Refused when the study was delivered."""
    study = find(session, study_id)
    if study.state == "delivered":
        raise Refused("delivered", _("This study was delivered and stays as it is. Begin another one."))
    if faults := faults_of(written):
        raise InvalidInput(faults)
    study.title, study.election_id, study.scope = written.title.strip(), written.election_id, written.scope
    study.states = sorted(set(written.states))
    study.record = dict(written.record)
    study.parties = {party: dict(fields) for party, fields in written.parties.items()}
    study.resources = [asdict(payer) for payer in written.resources]
    study.changed_at = real_now()
    session.flush()
    audit.record(session, user_id, "studies.save", f"survey/{study.survey_id}", study=study.id)
    return study


def faults_of(written: Written) -> dict[str, str]:
    """What cannot be: field -> sentence. Fields as in the form: `title`, `scope`, `record.<field>`,
    `parties.<party>.<field>`, `amount-<n>`."""
    faults: dict[str, str] = {}
    if not 1 <= len(written.title.strip()) <= LONGEST_NAME:
        faults["title"] = _("Give the study a title of at most %(limit)s letters.", limit=LONGEST_NAME)
    if written.scope not in SCOPES:
        faults["scope"] = _("Choose whether the election is federal, local, or both.")
    if any(state not in range(1, 33) for state in written.states):
        faults["states"] = _("States go from 1 to 32.")
    faults |= _long_texts(written)
    for number, payer in enumerate(written.resources):
        if sentence := _payer_fault(payer):
            faults[f"amount-{number}"] = sentence
    return faults


def _long_texts(written: Written) -> dict[str, str]:
    record = {f"record.{field}": (text, LONGEST) for field, text in written.record.items() if isinstance(text, str)}
    parties = {
        f"parties.{party}.{field}": (text, LONGEST_NAME)
        for party, fields in written.parties.items()
        for field, text in fields.items()
    }
    return {
        field: _("That is longer than %(limit)s letters: shorten it.", limit=limit)
        for field, (text, limit) in (record | parties).items()
        if len(text) > limit
    }


def _payer_fault(payer: Payer) -> str | None:
    if not payer.payer.strip():
        return str(_("Say who paid this amount."))
    if amount_of(payer.amount) is None:
        return str(_("“%(amount)s” is not an amount in pesos: write a number such as 125000.00.", amount=payer.amount))
    return None


def amount_of(written: str) -> Decimal | None:
    """`$ 125,000.50` -> 125000.50; None for what is no amount."""
    try:
        amount = Decimal(written.replace("$", "").replace(",", "").replace("\u00a0", "").strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**12 else None


def shares_of(resources: Sequence[Mapping[str, str]]) -> list[tuple[str, Decimal, float, str]]:
    """(payer, amount, share of all 0–1, document) for each payer."""
    amounts = [amount_of(row["amount"]) or Decimal(0) for row in resources]
    total = sum(amounts, Decimal(0))
    return [
        (row["payer"], amount, float(amount / total) if total else 0.0, row["document"])
        for row, amount in zip(resources, amounts, strict=True)
    ]


def firm_profile(session: Session) -> dict[str, str]:
    """What we say of ourselves: FIRM_FIELDS -> text."""
    newest = session.scalars(select(FirmProfile).order_by(FirmProfile.id.desc()).limit(1)).first()
    kept = newest.profile if newest else {}
    return {field: str(kept.get(field, "")) for field in FIRM_FIELDS}


def save_firm(session: Session, profile: Mapping[str, str], user_id: int | None) -> FirmProfile:
    """Raises InvalidInput for what is too long or unknown."""
    faults = {field: _("That is longer than %(limit)s letters: shorten it.", limit=LONGEST)
              for field in FIRM_FIELDS if len(profile.get(field, "")) > LONGEST}  # fmt: skip
    if faults:
        raise InvalidInput(faults)
    made = FirmProfile(profile={field: profile.get(field, "").strip() for field in FIRM_FIELDS}, saved_by=user_id)
    session.add(made)
    session.flush()
    audit.record(session, user_id, "studies.save_firm", "firm", profile=made.id)
    return made
