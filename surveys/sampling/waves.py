"""Waves: the measurements of a survey that is repeated, and to which of them an interview belongs."""

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from surveys import questionnaire
from surveys.fieldwork.interview_ledger import Interview
from surveys.sampling.sample_tables import Sample, SurveyWave


@dataclass(frozen=True)
class Given:
    """What is said of a wave. `break_reason`: what is no longer as in the wave before; '': they can be compared."""

    code: str
    label: str
    opens_on: date
    closes_on: date | None = None
    break_reason: str = ""


def listed(session: Session, survey_id: int) -> list[SurveyWave]:
    """The survey's waves in the order of their days."""
    of_survey = select(SurveyWave).where(SurveyWave.survey_id == survey_id)
    return list(session.scalars(of_survey.order_by(SurveyWave.opens_on, SurveyWave.id)))


def now(session: Session, survey_id: int) -> str | None:
    """The code of the wave in whose days today (campaign time) falls, the latest of several; None: of none."""
    today = campaign_now(session).astimezone(ZONE).date()
    under_way = (
        select(SurveyWave.code)
        .where(SurveyWave.survey_id == survey_id, SurveyWave.opens_on <= today)
        .where(or_(SurveyWave.closes_on.is_(None), SurveyWave.closes_on >= today))
        .order_by(SurveyWave.opens_on.desc(), SurveyWave.id.desc())
    )
    return session.scalar(under_way.limit(1))


def save(session: Session, survey_id: int, given: Given, user_id: int | None) -> SurveyWave:
    """A new wave, or that of the same code changed; audited. Interviews that began keep the wave they have.

    Raises InvalidInput with a sentence for each fault, NotFound for the survey."""
    questionnaire.find(session, survey_id)
    code = given.code.strip()
    faults = {}
    if not code or len(code) > 20 or not all(char.isalnum() or char in "-_." for char in code):
        faults["code"] = _("Write a short code of letters and digits, for example 2027-05.")
    if given.closes_on is not None and given.closes_on < given.opens_on:
        faults["closes_on"] = _("The wave ends before it begins.")
    if faults:
        raise InvalidInput(faults)
    wave = find(session, survey_id, code) or SurveyWave(survey_id=survey_id, code=code, created_by=user_id)
    wave.label = given.label.strip()[:200] or code
    wave.opens_on, wave.closes_on = given.opens_on, given.closes_on
    wave.break_reason = given.break_reason.strip()[:500] or None
    session.add(wave)
    session.flush()
    audit.record(session, user_id, "wave.save", f"survey/{survey_id}", code=code, opens_on=str(wave.opens_on),
                 closes_on=str(wave.closes_on or ""), breaks=wave.break_reason is not None)  # fmt: skip
    return wave


def find(session: Session, survey_id: int, code: str) -> SurveyWave | None:
    """The wave of this code."""
    return session.scalar(select(SurveyWave).where(SurveyWave.survey_id == survey_id, SurveyWave.code == code))


def remove(session: Session, survey_id: int, code: str, user_id: int | None) -> None:
    """Delete a wave that has neither interviews nor samples. Raises NotFound, Refused("wave_in_use")."""
    wave = find(session, survey_id, code)
    if wave is None:
        raise NotFound(_("There is no wave %(code)s.", code=code))
    used = interviews(session, survey_id).get(code, 0) + _samples(session, survey_id, code)
    if used:
        raise Refused("wave_in_use", _("Interviews or samples belong to this wave; it stays."))
    audit.record(session, user_id, "wave.remove", f"survey/{survey_id}", code=code)
    session.delete(wave)


def interviews(session: Session, survey_id: int) -> dict[str, int]:
    """Complete interviews of each wave, by its code."""
    query = (
        select(Interview.wave, func.count())
        .where(Interview.survey_id == survey_id, Interview.state == "complete", Interview.wave.is_not(None))
        .group_by(Interview.wave)
    )
    return {code: number for code, number in session.execute(query) if code is not None}


def _samples(session: Session, survey_id: int, code: str) -> int:
    of_wave = select(func.count()).where(Sample.survey_id == survey_id, Sample.wave == code)
    begun = select(func.count()).where(Interview.survey_id == survey_id, Interview.wave == code)
    return (session.scalar(of_wave) or 0) + (session.scalar(begun) or 0)
