"""When a study may be called published, and delivered: never during the silence, never without the package that says
everything, and with a count of the days that are left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import LazyString, format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.languages import language
from callcenter.places import states
from surveys import studies
from surveys.publishing import silence, study_checklist, study_facts, study_packages
from surveys.publishing.study_checklist import Checklist, Fact
from surveys.publishing.study_packages import StudyPackage
from surveys.studies import Study

SOON = 2  # days left from which on the count is red
NATIONAL: LazyString = _l("INE: Executive Secretary, or the Local Board (Junta Local) of the state")


@dataclass(frozen=True)
class Countdown:
    """How long there is to deliver. `left`: days; negative: late."""

    due: date
    left: int

    @property
    def kind(self) -> str:
        return "danger" if self.left <= SOON else "warning"


def today(session: Session) -> date:
    return campaign_now(session).astimezone(ZONE).date()


def countdown(session: Session, study: Study) -> Countdown | None:
    """None for what is not published, or was delivered."""
    if study.state != "published" or study.published_on is None:
        return None
    days = study_checklist.checklist(study.published_on).days_to_deliver
    due = study.published_on + timedelta(days)
    return Countdown(due, (due - today(session)).days)


def due(session: Session) -> list[tuple[Study, Countdown]]:
    """Every published study that waits to be delivered, the most urgent first."""
    waiting = session.scalars(select(Study).where(Study.state == "published").order_by(Study.published_on, Study.id))
    return [(study, left) for study in waiting if (left := countdown(session, study)) is not None]


def recipients(study: Study) -> list[str]:
    """To which authorities the study goes."""
    named = [states.NAMES[state] for state in study.states if state in states.NAMES]
    local = [_("OPL of %(state)s: Executive Secretary", state=name) for name in named]
    local = local or [_("OPL of the state: Executive Secretary (choose the state)")]
    federal = [str(NATIONAL)]
    return {"federal": federal, "local": local, "both": federal + local}[study.scope]


def current_package(session: Session, study: Study) -> StudyPackage:
    """The package that says what the study says now. Raises Refused."""
    package = study_packages.newest_ready(session, study.id)
    if package is None:
        raise Refused("no_package", _("Make the package first: it is what the authority and the readers are given."))
    if package.fingerprint != study_facts.fingerprint(session, study):
        raise Refused("old_package", _("The record or its files changed after the package was made. Make it again."))
    return package


def missing(listed: Checklist, keys: Sequence[str], when: str | None = None) -> list[Fact]:
    """The facts among `keys` that items of this kind need."""
    found = {fact.key: fact for item in listed.items if when in (None, item.when) for fact in item.needs}
    return [found[key] for key in keys if key in found]


def publish(session: Session, study_id: int, day: date | None, place: str, user_id: int | None) -> Study:
    """Mark as published on `day` in `place`. Raises Refused, also during the silence; InvalidInput."""
    study = studies.find(session, study_id)
    session.refresh(study, with_for_update=True)
    if study.state != "draft":
        raise Refused("published", _("This study is marked as published already."))
    lock = silence.lock_at(session, campaign_now(session), [study.election_id] if study.election_id else ())
    if lock is not None:
        raise Refused("silence", lock.sentence)
    package = current_package(session, study)
    listed = study_checklist.checklist(today(session))
    if lacking := missing(listed, package.missing, "publication"):
        raise Refused("incomplete", _("A publication has to say more: %(what)s.", what=_names(lacking)))
    if faults := _publication_faults(session, day, place, package):
        raise InvalidInput(faults)
    study.state, study.published_on, study.published_in = "published", day, place.strip()[:300]
    study.published_by, study.published_package_id = user_id, package.id
    session.flush()
    audit.record(session, user_id, "studies.publish", f"survey/{study.survey_id}", study=study_id, day=str(day),
                 package=package.id, sha256=package.sha256)  # fmt: skip
    return study


def _publication_faults(session: Session, day: date | None, place: str, package: StudyPackage) -> dict[str, str]:
    faults = {}
    first = (package.figures or {}).get("figures", {}).get("field", {}).get("first_day")
    if day is None:
        faults["published_on"] = _("Write the day on which the results were published.")
    elif day > today(session):
        faults["published_on"] = _("That day has not come yet: mark the study once the results are out.")
    elif first and day < date.fromisoformat(first):
        begun = format_date(date.fromisoformat(first), "long")
        faults["published_on"] = _("The first interview was on %(day)s: results came later.", day=begun)
    if not place.strip():
        faults["published_in"] = _("Write where they were published: the medium, and its address on the web.")
    return faults


def deliver(session: Session, study_id: int, day: date | None, receipt: str, user_id: int | None) -> Study:
    """Mark as handed in. Raises Refused while the list lacks something; InvalidInput."""
    study = studies.find(session, study_id)
    session.refresh(study, with_for_update=True)
    if study.state != "published" or study.published_on is None:
        raise Refused("not_published", _("Only a published study is delivered."))
    package = current_package(session, study)
    listed = study_checklist.checklist(study.published_on)
    if lacking := missing(listed, package.missing):
        raise Refused("incomplete", _("The study still lacks: %(what)s.", what=_names(lacking)))
    if day is None or not study.published_on <= day <= today(session):
        raise InvalidInput({"delivered_on": _("Write the day on which it was handed in, from publication to today.")})
    study.state, study.delivered_on, study.delivered_by = "delivered", day, user_id
    study.receipt = receipt.strip()[:200] or None
    session.flush()
    audit.record(session, user_id, "studies.deliver", f"survey/{study.survey_id}", study=study_id, day=str(day),
                 package=package.id, sha256=package.sha256)  # fmt: skip
    return study


def _names(facts: Sequence[Fact]) -> str:
    return "; ".join(fact.label[language()] for fact in facts)
