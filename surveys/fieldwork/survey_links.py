"""Survey links: who gets one, what its page may do now, and what becomes of interviews that nobody goes on with.

A link is one person's. It needs no log-in, shows nobody's name, and changes nothing by being opened: programs that
look at every link of a message begin no interview.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import bindparam, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.contacts import Contact
from surveys import engine, interviews
from surveys.fieldwork import farewells, interview_people, link_codes
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.fieldwork.interview_standing import Held, Standing, hold, read
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.questionnaire import Survey, find
from surveys.sampling import sample_marks, waves

GOOD_FOR = timedelta(days=14)
IDLE = timedelta(minutes=30)  # then whoever stopped answering is counted as broken off, until they come back
WRITTEN = ("web", "whatsapp", "sms", "telegram")
# What a link's page shows. `new` and `open` may be answered; the others say why not.
NEW, OPEN, USED, DECLINED, OPTED_OUT, CLOSED, EXPIRED = (
    "new", "open", "used", "declined", "opted_out", "closed", "expired",
)  # fmt: skip
ANSWERABLE = (NEW, OPEN)


@dataclass(frozen=True)
class Door:
    """What is behind a link at this moment. `state`: one of the words above; `standing`: of the interview, once there
    is one."""

    link: SurveyLink
    survey: Survey
    state: str
    standing: Standing | None = None


def give(
    session: Session, survey_id: int, contact_ids: Collection[int], *, source: str, on_behalf_of: str = ""
) -> dict[int, str]:
    """The address of each person's link; who has one keeps it, and it is good for another GOOD_FOR from now. Each wave
    of a panel has links of its own.

    `source`: what it goes out with. Raises NotFound, Refused("survey_closed")."""
    survey = find(session, survey_id)
    if survey.state == "closed":
        raise Refused("survey_closed", _("This survey is closed: nobody can answer it by a link."))
    if not contact_ids:
        return {}
    now, wave = real_now(), waves.now(session, survey_id)
    same = {"survey_id": survey_id, "wave": wave, "source": source[:100], "expires_at": now + GOOD_FOR,
            "on_behalf_of": (on_behalf_of or survey.sponsor or "")[:200], "created_at": now}  # fmt: skip
    rows = [same | {"contact_id": one} for one in sorted(set(contact_ids))]
    made = insert(SurveyLink).values(rows)
    later = func.greatest(SurveyLink.expires_at, made.excluded.expires_at)
    kept = made.on_conflict_do_update(index_elements=["survey_id", "contact_id", "wave"], set_={"expires_at": later})
    found = session.execute(kept.returning(SurveyLink.contact_id, SurveyLink.id))
    return {row.contact_id: link_codes.url(row.id) for row in found}


def door(session: Session, code: str, *, lock: bool = False) -> Door:
    """What the link of this code may do. `lock`: hold it, so that two who press at once begin one interview.

    Raises NotFound when we did not make the code, or the person is gone."""
    link, survey = _behind(session, code, lock=lock)
    interview = _interview(session, link)
    standing = read(session, interview) if interview is not None else None
    return Door(link, survey, _state_now(session, link, survey, standing), standing)


def door_to_answer(session: Session, code: str, key: str | None) -> tuple[Door, Held | None]:
    """The same, with the link's own interview held for the answer of this key; None before it has one."""
    link, survey = _behind(session, code)
    if link.interview_id is None:
        return door(session, code), None
    held = hold(session, link.interview_id, key)
    return Door(link, survey, _state_now(session, link, survey, held.standing), held.standing), held


def survey_of(session: Session, code: str) -> Survey:
    """What the link of this code leads to, whatever it may do now. Raises NotFound like `door`."""
    return _behind(session, code)[1]


def after(session: Session, found: Door, standing: Standing) -> Door:
    """The same door when its interview stands so."""
    return replace(found, state=_state_now(session, found.link, found.survey, standing), standing=standing)


def _behind(session: Session, code: str, *, lock: bool = False) -> tuple[SurveyLink, Survey]:
    number = link_codes.read(code)
    found = session.execute(_BEHIND_LOCKED if lock else _BEHIND, {"number": number}).one_or_none() if number else None
    if found is None or found[0].contact_id is None:
        raise NotFound(_("This link is not complete, or it is no longer in use."))
    return found[0], found[1]


# Built once, like those of interview_standing.
_BEHIND = (
    select(SurveyLink, Survey)
    .join(Survey, Survey.id == SurveyLink.survey_id)
    .where(SurveyLink.id == bindparam("number"))
)
_BEHIND_LOCKED = _BEHIND.with_for_update(of=SurveyLink).execution_options(populate_existing=True)


def _state_now(session: Session, link: SurveyLink, survey: Survey, standing: Standing | None) -> str:
    state = _state(link, survey, standing)
    if state == NEW and link.wave is not None and link.wave != _wave_of(session, link):
        return EXPIRED
    return state


def _interview(session: Session, link: SurveyLink) -> Interview | None:
    """The link's own; before it has one, what the person began, or ended, on another channel."""
    if link.interview_id is not None:
        return session.get(Interview, link.interview_id)
    found = interview_people.of_person(session, link.survey_id, link.contact_id or 0)
    if found is None or found.started_at < link.created_at - interview_people.GOOD_FOR:
        return None
    return found if found.wave == _wave_of(session, link) else None


def _wave_of(session: Session, link: SurveyLink) -> str | None:
    """The wave in which the person would be asked now."""
    return sample_marks.of_person(session, link.survey_id, link.contact_id).wave


def _state(link: SurveyLink, survey: Survey, standing: Standing | None) -> str:
    if standing is not None:
        if standing.interview.state in ("complete", "screened"):
            return USED
        if standing.interview.ended_at is not None and engine.refused_consent(standing.items, standing.answers):
            return DECLINED
    if link.opted_out_at is not None:
        return OPTED_OUT
    if survey.state == "closed":
        return CLOSED
    if link.expires_at <= real_now():
        return EXPIRED
    is_begun = standing is not None and link.interview_id is not None and standing.interview.ended_at is None
    return OPEN if is_begun and standing is not None and standing.interview.face in WRITTEN else NEW


def opt_out(session: Session, link: SurveyLink) -> None:
    """The person wants no more calls and messages, by any means. Harmless twice. What they answered stays."""
    link.opted_out_at = link.opted_out_at or real_now()
    if link.interview_id is not None:
        interviews.close(session, link.interview_id)
    phone = session.scalar(select(Contact.phone).where(Contact.id == link.contact_id))
    if phone is not None and phone.startswith("+"):  # an erased person's row holds another word
        consent.opt_out(session, phone, reason="public_page", proof=f"survey-link/{link.id}", source="survey link")
        audit.record(session, None, "contacts.opt_out_publicly", "suppressions")


def last_words(standing: Standing) -> list[str] | None:
    """None while something is left to ask; else the notes with which the questionnaire ends, as they are said now."""
    left = [name for name in standing.path() if name not in standing.answers]
    asked = [question for question in map(standing.question, left) if question is not None]
    return None if any(question.kind != "note" for question in asked) else [question.label for question in asked]


def farewell(session: Session, standing: Standing, otherwise: str = "es") -> list[str]:
    """What is said at the end: the questionnaire's last notes; to whom the quotas send away, why (farewells.of)."""
    if standing.interview.state == "screened":
        return [farewells.of(session, standing, otherwise)]
    return last_words(standing) or []


def finish(session: Session, link: SurveyLink) -> Interview | None:
    """There is nothing more to ask: the interview ends, and no queue calls the person for this survey."""
    if link.interview_id is None:
        return None
    return interviews.close_for_link(session, link.interview_id, link.contact_id)


def figures(session: Session, survey_id: int) -> Mapping[str, int]:
    """{"given", "opened", "complete", "screened", "under_way", "partial", "opted_out", "waiting"}: good, not opened."""
    opened = SurveyLink.opened_at.is_not(None)
    row = session.execute(
        select(
            func.count().label("given"),
            func.count().filter(opened).label("opened"),
            func.count().filter(Interview.state == "complete").label("complete"),
            func.count().filter(Interview.state == "screened").label("screened"),
            func.count().filter(Interview.state == "started").label("under_way"),
            func.count().filter(Interview.state == "partial").label("partial"),
            func.count().filter(SurveyLink.opted_out_at.is_not(None)).label("opted_out"),
            func.count().filter(~opened, SurveyLink.expires_at > real_now()).label("waiting"),
        )
        .select_from(SurveyLink).outerjoin(Interview, Interview.id == SurveyLink.interview_id)
        .where(SurveyLink.survey_id == survey_id)
    ).one()  # fmt: skip
    return {name: int(number) for name, number in row._mapping.items()}


def latest_expiry(session: Session, survey_id: int) -> datetime | None:
    """Until when the last of its links is good; None without links."""
    return session.scalar(select(func.max(SurveyLink.expires_at)).where(SurveyLink.survey_id == survey_id))


def set_expiry(session: Session, survey_id: int, until: datetime, user_id: int) -> int:
    """All links of the survey are good until then (real time, in at most a year); audited; returns how many there are.

    Raises InvalidInput({"until": sentence})."""
    now = real_now()
    if not now - timedelta(minutes=5) <= until <= now + timedelta(days=366):
        raise InvalidInput({"until": _("Choose a day from today on, within a year.")})
    changed = update(SurveyLink).where(SurveyLink.survey_id == survey_id).values(expires_at=until)
    number = len(session.scalars(changed.returning(SurveyLink.id)).all())
    audit.record(session, user_id, "survey_links.set_expiry", f"survey/{survey_id}", until=until.isoformat())
    return number


def sweep(session: Session) -> int:
    """Interviews by link or by messages in which nobody answered for IDLE: broken off, or void, until the person comes
    back. Returns how many."""
    now = real_now()
    answered = exists().where(Answer.interview_id == Interview.id, Answer.at > now - IDLE)
    idle = session.scalars(
        select(Interview.id)
        .where(Interview.ended_at.is_(None), Interview.face.in_(WRITTEN), Interview.started_at < now - IDLE, ~answered)
        .order_by(Interview.id).limit(500).with_for_update(skip_locked=True)
    ).all()  # fmt: skip
    for number in idle:
        interviews.close(session, number)
    return len(idle)
