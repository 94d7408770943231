"""What a person's page may know of surveys: that an interview took place. Never an answer, and no way to one."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.people.contact_history import Deed, earlier
from surveys.fieldwork import interview_people
from surveys.interviews import Interview
from surveys.questionnaire import Survey


def deeds(session: Session, contact_id: int, limit: int, before: datetime | None) -> list[Deed]:
    """The person's interviews, newest first; whole, short and broken off are not told apart."""
    taken = (
        select(Interview.at, Survey.name)
        .join(Survey, Survey.id == Interview.survey_id)
        .where(Interview.id.in_(interview_people.of_people(contact_id)))
        .where(Interview.state.in_(("complete", "partial", "screened")))
    )
    rows = session.execute(earlier(taken, Interview.at, limit, before))
    return [Deed(row.at, _("Survey"), row.name, _("An interview took place")) for row in rows]
