"""How long things are kept: days by kind, which an administrator edits, and confirms before anything is purged."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, Refused


@dataclass(frozen=True)
class Term:
    """How long one kind is kept, in days; `since` says from when on they count."""

    label: LazyString
    since: LazyString
    days: int
    least: int
    most: int


TERMS: dict[str, Term] = {
    "contacts": Term(_l("People and everything about them"), _l("after the results are final"), 60, 1, 365),
    "refused_rows": Term(_l("Refused rows of imports"), _l("after the import"), 30, 1, 365),
    "import_changes": Term(_l("What an undo of an import needs"), _l("after the import"), 30, 1, 365),
    "import_previews": Term(_l("Lists uploaded and never imported"), _l("after the upload"), 7, 1, 90),
    "person_exports": Term(_l("Exports of one person that nobody took"), _l("after they were made"), 7, 1, 30),
    "arco_requests": Term(_l("Who asked, in closed privacy requests"), _l("after they were closed"), 365, 30, 1825),
    "recordings": Term(_l("Recordings of calls"), _l("after the call"), 30, 1, 365),
    "voice_answers": Term(_l("Voices of recorded surveys (what was written down of them stays)"),
                          _l("after the call"), 30, 1, 365),
    "voice_messages": Term(_l("Messages left by who rings us"), _l("after the call"), 30, 1, 365),
    "audit": Term(_l("Audit (holds no names, phones or texts)"), _l("after the act"), 1826, 365, 3653),
    "blocked": Term(_l("Wait of blocked data before they may be deleted without a reason"), _l("after the block"),
                    15, 0, 365),
}  # fmt: skip


class RetentionPolicy(Base):
    """One row, once somebody has changed something. `days`: what differs from TERMS. Not confirmed: nothing is purged.

    `results_final_on`: the day on which the election's results became final; None: not yet."""

    __tablename__ = "retention_policy"
    id: Mapped[int] = mapped_column(primary_key=True)
    days: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    results_final_on: Mapped[date | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    @property
    def version(self) -> str:
        """Tells these terms from any others: what somebody saw is what they confirm."""
        said = json.dumps([{kind: self.days_of(kind) for kind in TERMS}, str(self.results_final_on)])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def days_of(self, kind: str) -> int:
        """How many days this kind is kept."""
        return int(self.days.get(kind, TERMS[kind].days))


def read(session: Session) -> RetentionPolicy:
    """The policy as it stands; the house's own words when nobody has changed any."""
    return session.get(RetentionPolicy, 1) or RetentionPolicy(id=1, days={})


def _locked(session: Session) -> RetentionPolicy:
    """The policy for whoever changes it: terms that are changed and confirmed at once must not be confirmed unseen."""
    return session.get(RetentionPolicy, 1, with_for_update=True, populate_existing=True) or read(session)


def change(
    session: Session, days: Mapping[str, int | None], results_final_on: date | None, user_id: int | None
) -> RetentionPolicy:
    """Other days, or another end of the election; what was confirmed before no longer is.

    Raises InvalidInput with a fault for each kind."""
    faults = {kind: fault for kind, count in days.items() if (fault := _fault(kind, count))}
    if faults:
        raise InvalidInput(faults)
    policy = _locked(session)
    wanted = {kind: count for kind, count in days.items() if count != TERMS[kind].days}
    if wanted == policy.days and results_final_on == policy.results_final_on:
        return policy
    policy.days, policy.results_final_on = wanted, results_final_on
    policy.confirmed_at = policy.confirmed_by = None
    session.add(policy)
    session.flush()
    said = {**wanted, "results_final_on": str(results_final_on or "")}
    audit.record(session, user_id, "retention.change", "retention", **said)
    return policy


def _fault(kind: str, count: int | None) -> str | None:
    term = TERMS[kind]
    if count is None or not term.least <= count <= term.most:
        return str(_("Between %(least)s and %(most)s days.", least=term.least, most=term.most))
    return None


def confirm(session: Session, user_id: int, *, seen: str | None = None) -> None:
    """From now on the clock purges by this policy. `seen`: the `version` that the person looked at.

    Raises Refused when it does so already, or somebody has changed the terms since they were seen."""
    policy = _locked(session)
    if seen is not None and seen != policy.version:
        raise Refused("terms_changed", _("Somebody has changed the terms since you saw them. Look at them again."))
    if policy.confirmed_at is not None:
        raise Refused("confirmed", _("This policy is confirmed already."))
    policy.confirmed_at, policy.confirmed_by = real_now(), user_id
    session.add(policy)
    session.flush()
    audit.record(session, user_id, "retention.confirm", "retention")


def stop(session: Session, user_id: int) -> None:
    """Purge nothing until somebody confirms the policy again."""
    policy = read(session)
    policy.confirmed_at = policy.confirmed_by = None
    session.add(policy)
    audit.record(session, user_id, "retention.stop", "retention")
