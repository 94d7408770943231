"""How our account at the carrier stands: the last answer to each question, with its time. The clock asks every five
minutes, an administrator's page at once; a campaign does not start against a fault that is known."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.base.settings import Settings
from callcenter.carriers.twilio import errors
from callcenter.telephony import account_words

SPEAKS = ("simulated", "twilio")  # the carriers that have such an account
EVERY, COUNTS_FOR = timedelta(minutes=5), timedelta(minutes=30)
# A fault in one of these keeps a campaign from starting.
GRAVE = ("address", "account", "balance", "numbers", "countries", "reach")
PATIENCE = timedelta(seconds=30)  # within which Twilio has called us, or cannot
PROOF_LASTS = timedelta(hours=1)


class AccountCheck(Base):
    """The last answer to one question (carriers.twilio.account.Finding, and `reach`: can Twilio call us?). `state`: ok
    | warning | fault | unknown | asked (of `reach`, whose answer is on its way)."""

    __tablename__ = "account_checks"
    carrier: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    code: Mapped[str]
    facts: Mapped[dict[str, Any]]
    checked_at: Mapped[datetime] = mapped_column(default=real_now)

    @property
    def standing(self) -> str:
        """Its state now: a question to which no answer came is a fault."""
        is_over = self.state == "asked" and self.checked_at < real_now() - PATIENCE
        return "fault" if is_over else self.state

    @property
    def reason(self) -> str:
        return "unreached" if self.state == "asked" and self.standing == "fault" else self.code

    @property
    def is_grave(self) -> bool:
        """Does it keep campaigns from starting?"""
        return self.standing == "fault" and self.name in GRAVE and self.is_fresh

    @property
    def is_fresh(self) -> bool:
        """An old answer says nothing of today."""
        return self.checked_at > real_now() - COUNTS_FOR


class Found(Protocol):
    """What was answered: carriers.twilio.account.Finding."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


_settings: Settings | None = None


def configure(settings: Settings) -> None:
    """Say whose account the jobs of this process ask about."""
    global _settings  # noqa: PLW0603 - one a process, like its carrier
    _settings = settings


def configured() -> Settings | None:
    """The settings, where they name a carrier that has an account; None where there is nothing to ask."""
    return _settings if _settings is not None and _settings.carrier in SPEAKS else None


def latest(session: Session, carrier: str) -> dict[str, AccountCheck]:
    """The last answers, by the name of the question."""
    own = select(AccountCheck).where(AccountCheck.carrier == carrier).execution_options(populate_existing=True)
    return {check.name: check for check in session.scalars(own)}


def keep(session: Session, carrier: str, found: Found) -> None:
    """Write an answer down. What was known stays beside a fault that tells nothing new."""
    row = insert(AccountCheck).values(
        carrier=carrier, name=found.name, state=found.state, code=found.code, facts=dict(found.facts),
        checked_at=real_now(),
    )  # fmt: skip
    taken = {name: row.excluded[name] for name in ("state", "code", "checked_at")}
    if found.facts:
        taken["facts"] = row.excluded.facts
    session.execute(row.on_conflict_do_update(index_elements=["carrier", "name"], set_=taken))
    _tell(session)


def begin_probe(session: Session, carrier: str) -> UUID:
    """A question that Twilio answers by calling us: its id travels in the address."""
    probe_id = uuid4()
    row = insert(AccountCheck).values(
        carrier=carrier, name="reach", state="asked", code="", facts={"probe": str(probe_id)}, checked_at=real_now()
    )
    taken = {name: row.excluded[name] for name in ("state", "code", "facts", "checked_at")}
    session.execute(row.on_conflict_do_update(index_elements=["carrier", "name"], set_=taken))
    _tell(session)
    return probe_id


def reached(session: Session, probe_id: UUID) -> None:
    """Twilio has called us. An older question, or one that was answered, changes nothing."""
    asked = select(AccountCheck).where(AccountCheck.name == "reach", AccountCheck.state == "asked").with_for_update()
    for check in session.scalars(asked.execution_options(populate_existing=True)):
        if check.facts.get("probe") == str(probe_id):
            check.state, check.checked_at = "ok", real_now()
            _tell(session)


def not_reached(session: Session, probe_id: UUID, code: str) -> None:
    """Twilio did not take the question: its own code says why."""
    for check in session.scalars(select(AccountCheck).where(AccountCheck.name == "reach").with_for_update()):
        if check.facts.get("probe") == str(probe_id) and check.state == "asked":
            is_said = errors.knows(code) and errors.meaning(code).halts
            check.state, check.code = "fault" if is_said else "unknown", code
            _tell(session)


def wants_proof(checks: Mapping[str, AccountCheck]) -> bool:
    """Is it time to let Twilio call us again?"""
    last = checks.get("reach")
    return last is None or last.standing != "ok" or last.checked_at < real_now() - PROOF_LASTS


def refusals(session: Session, carrier: str, caller_id: str) -> list[str]:
    """Why no campaign of this carrier that shows this number may start, in the reader's language; [] when nothing that
    was heard in the last half hour speaks against it."""
    checks = latest(session, carrier)
    found = [account_words.sentence(check.name, check.reason) for check in checks.values() if check.is_grave]
    numbers = checks.get("numbers")
    if numbers is not None and numbers.is_fresh and numbers.standing == "ok" and caller_id not in owned(numbers):
        found.append(account_words.sentence("numbers", "not_owned"))
    return found


def require(session: Session, carrier: str, caller_id: str) -> None:
    """Let a campaign start. Raises Refused with every reason."""
    if found := refusals(session, carrier, caller_id):
        raise Refused("carrier_account", " ".join(found))


def owned(numbers: AccountCheck) -> list[str]:
    """The numbers that may be shown (E.164): the account's own, then those verified there."""
    own = [str(each["number"]) for each in numbers.facts.get("numbers", ()) if each.get("speaks", True)]
    return [*own, *(number for number in numbers.facts.get("verified", ()) if number not in own)]


def ask_later(session: Session, user_id: int | None) -> None:
    """Ask everything again after the commit."""
    audit.record(session, user_id, "carrier.check", "carrier/account")
    enqueue_later(session, "callcenter.telephony.account_jobs.look", True, queue="urgent")


def point_later(session: Session, carrier: str, sid: str, user_id: int | None) -> None:
    """Let a number of the account ring here, after the commit. Raises NotFound."""
    numbers = latest(session, carrier).get("numbers")
    if numbers is None or sid not in {each["sid"] for each in numbers.facts.get("numbers", ())}:
        raise NotFound(_("There is no such number in the account."))
    audit.record(session, user_id, "carrier.point_number", f"carrier-number/{sid}")
    enqueue_later(session, "callcenter.telephony.account_jobs.point", sid, queue="urgent")


def tend(session: Session) -> None:
    """Ask again every while (for the clock)."""
    if (settings := configured()) is None:
        return
    checks = latest(session, settings.carrier)
    oldest = min((check.checked_at for check in checks.values() if check.name != "reach"), default=None)
    if oldest is None or oldest < real_now() - EVERY:
        enqueue_later(session, "callcenter.telephony.account_jobs.look", False)


def _tell(session: Session) -> None:
    tell_later(session, "trunks")
    tell_later(session, "floor")
