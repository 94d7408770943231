"""The panel's links: those of earlier waves, which nobody can open any more, and May's, some of them used."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE
from scripts.demo import rows
from scripts.demo.past import real
from surveys.fieldwork import survey_links
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.questionnaire import Survey
from surveys.sampling.waves import Given

OPT_OUTS = 2


@dataclass(frozen=True)
class Opened:
    """What became of a link: its interview, and when it was opened (real time)."""

    interview_id: uuid.UUID
    at: datetime


def write_old(
    session: Session, survey: Survey, wave: Given, contact_ids: Sequence[int], opened: Mapping[int, Opened]
) -> None:
    """The links of a wave that is over: each of these people had one. `opened`: by contact."""
    begun = real(datetime.combine(wave.opens_on, time(12), ZONE))
    ended = real(datetime.combine(wave.closes_on or wave.opens_on, time(23), ZONE))
    rows.copy(session, SurveyLink, [
        {
            "survey_id": survey.id, "contact_id": contact_id, "wave": wave.code, "source": f"wave/{wave.code}",
            "interview_id": one.interview_id if one else None, "opened_at": one.at if one else None,
            "on_behalf_of": survey.sponsor or "", "created_at": begun, "expires_at": ended,
        }
        for contact_id in contact_ids
        for one in [opened.get(contact_id)]
    ])  # fmt: skip


def open_given(session: Session, survey_id: int, wave: str, opened: Mapping[int, Opened], given_at: datetime) -> None:
    """Of the links that this wave's invitation gave: these were opened, and two people want no more messages.

    `given_at`: real time."""
    of_wave = (SurveyLink.survey_id == survey_id, SurveyLink.wave == wave)
    session.execute(update(SurveyLink).where(*of_wave).values(created_at=given_at))
    links = session.scalars(select(SurveyLink).where(*of_wave).order_by(SurveyLink.contact_id)).all()
    for link in links:
        if one := opened.get(link.contact_id or 0):
            link.interview_id, link.opened_at = one.interview_id, one.at
    for link in [one for one in links if one.interview_id is None][:OPT_OUTS]:
        survey_links.opt_out(session, link)
