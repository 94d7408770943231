"""A panel: the people of ten sections are asked the same questions once a month, by a link of their own.

Three waves: what March and April found lies behind, May's is in the field. Everybody keeps the candidate whom the
simulated citizen behind their phone would vote for; fewer have not decided from month to month.
"""

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.clock import DRILL_START, ZONE, real_now
from callcenter.contacts import Contact
from callcenter.territory import Section
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message
from scripts.demo import panel_links, past_interviews, rows
from scripts.demo.panel_links import Opened
from scripts.demo.past import Asked, real
from scripts.demo.places import DATA
from scripts.simulated_carrier.citizens import Citizen, citizen
from surveys import questionnaire
from surveys.interviews import Answer, Interview, seed_of
from surveys.questionnaire import Questionnaire, Survey
from surveys.sampling import waves
from surveys.sampling.waves import Given

FORM = "encuesta_panel.xlsx"
FIRST_SECTIONS = range(2301, 2306)  # of March; since April all ten are asked
SAY_NO = 0.1  # of those who do not take part: they open the link to say so
WHOLE = 99  # questions: more than there are
AT_IT = timedelta(minutes=6)  # so long ago the last ones have begun


@dataclass(frozen=True)
class Month:
    """One wave. `answered`: share (0–1) of those who take part at all; `undecided`: share of these who had not decided
    then, whatever they say today; `days`: over which answers came in."""

    given: Given
    answered: float
    undecided: float
    days: int


MONTHS = (
    Month(Given("2027-03", "Marzo, cinco secciones", date(2027, 3, 15), date(2027, 3, 21)), 0.80, 0.22, 7),
    Month(Given("2027-04", "Abril", date(2027, 4, 12), date(2027, 4, 18),
                break_reason="En marzo se preguntó en cinco secciones; desde abril, en diez."), 0.72, 0.12, 7),
    Month(Given("2027-05", "Mayo, en campo", date(2027, 5, 7)), 0.42, 0.0, 3),
)  # fmt: skip
NOW = MONTHS[-1]


def begin(session: Session, sponsor: str, user_id: int) -> Survey:
    """The survey and its waves; nobody has been asked yet."""
    survey = questionnaire.create_survey(session, "", FORM, (DATA / FORM).read_bytes())
    survey.sponsor, survey.population = sponsor, "Personas de 18 años o más de diez secciones de Minatitlán"
    for month in MONTHS:
        waves.save(session, survey.id, month.given, user_id)
    return survey


def load(session: Session, survey: Survey, invitation: MessageCampaign, *, seed: int) -> int:
    """What came back of each wave's links; returns how many interviews are complete. `invitation`: the message that
    gave everybody May's link."""
    form, people = questionnaire.current(session, survey.id), _people(session, invitation.id)
    found = {month: _wave(_asked(people, month), month, form, seed) for month in MONTHS}
    held = [one for wave in found.values() for one in wave]
    rows.copy(session, Interview, [_interview(one, form, survey.sponsor or "") for one in held])
    rows.copy(session, Answer, [row for one in held for row in _answers(one)])
    for month, wave in found.items():
        opened = {one.entry.contact_id: Opened(one.id, real(one.at)) for one in wave}
        if month is NOW:
            panel_links.open_given(session, survey.id, month.given.code, opened, invitation.launched_at or real_now())
        else:
            ids = [one.contact_id for one in _asked(people, month)]
            panel_links.write_old(session, survey, month.given, ids, opened)
    survey.state, form.frozen_at = "open", real_now()
    return sum(one.state == "complete" for one in held)


def _asked(people: Sequence[Any], month: Month) -> list[Any]:
    return [one for one in people if month is not MONTHS[0] or one.section in FIRST_SECTIONS]


@dataclass(frozen=True)
class _Held:
    """An interview by link. `at`: campaign time; `said`: what they answer if asked; `asked`: how far they came."""

    id: uuid.UUID
    entry: Any
    person: Citizen
    month: Month
    at: datetime
    said: Mapping[str, str]
    asked: tuple[Asked, ...]
    state: str

    @property
    def seconds(self) -> float:
        return 6.0 + round(10 * self.person.chance("panel/tempo"), 1)


def _people(session: Session, campaign_id: int) -> Sequence[Any]:
    """rows: contact_id, phone, section, section_kind, municipality of who got the invitation"""
    return session.execute(
        select(
            Message.contact_id, Message.phone, Contact.section_number.label("section"),
            Section.kind.label("section_kind"), Contact.municipality,
        )
        .join(Contact, Contact.id == Message.contact_id).join(Section, Section.id == Contact.section_id)
        .where(Message.campaign_id == campaign_id, Message.state == "delivered")
        .order_by(Message.contact_id)
    ).all()  # fmt: skip


def _wave(people: Sequence[Any], month: Month, form: Questionnaire, seed: int) -> list[_Held]:
    """Who opened their link in this wave, and how far they came."""
    dice = random.Random(f"{seed}/panel/{month.given.code}")
    found = []
    for entry in people:
        person, number = citizen(entry.phone, seed), uuid.UUID(int=dice.getrandbits(128), version=4)
        # Who answers at all mostly answers again: that is what makes a panel of them.
        if person.chance("panel") < (month.answered if person.takes_part else SAY_NO):
            found.append(_held(number, entry, person, month, form, dice))
    return found


def _held(
    number: uuid.UUID, entry: Any, person: Citizen, month: Month, form: Questionnaire, dice: random.Random
) -> _Held:
    said = dict(person.answers)
    if "vote" in said and dice.random() < month.undecided:
        said["vote"] = "undecided"
    state, most = "complete" if person.takes_part else "void", WHOLE
    began = _moment(month, dice)
    if person.takes_part and person.hangs_up_early:
        state, most = "partial", dice.randint(4, 5)
    elif person.takes_part and month is NOW and dice.random() < 0.03:
        state, most, began = "started", dice.randint(3, 5), DRILL_START - AT_IT
    asked = past_interviews.way(said, form, number, most, face="web")
    return _Held(number, entry, person, month, began, said, asked, state)


def _moment(month: Month, dice: random.Random) -> datetime:
    day = month.given.opens_on + timedelta(days=dice.randrange(month.days))
    return datetime.combine(day, time(13), ZONE) + timedelta(hours=dice.uniform(0, 8))


def _interview(one: _Held, form: Questionnaire, sponsor: str) -> dict[str, Any]:
    begun = real(one.at)
    return {
        "id": one.id,
        "survey_id": form.survey_id,
        "questionnaire_id": form.id,
        "face": "web",
        "language": "es",
        "state": one.state,
        "wave": one.month.given.code,
        "seed": seed_of(one.id),
        "hidden": past_interviews.facts(one.person, one.entry, one.at) | {"sponsor": sponsor, "operator_name": ""},
        "at": one.at,
        "started_at": begun,
        "ended_at": None if one.state == "started" else begun + timedelta(seconds=one.seconds * (len(one.asked) + 1)),
    }


def _answers(one: _Held) -> list[dict[str, Any]]:
    return past_interviews.answers(one.id, one.asked, one.said, real(one.at), one.seconds, face="web")
