"""`{survey_link}` in a wording: where each person's own link to the campaign's survey stands once it leaves."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaigns import wording
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.wording import PLACEHOLDER, SURVEY_LINK, Fault
from surveys.fieldwork import link_codes, survey_links
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.questionnaire import Survey


def is_named(texts: Iterable[str]) -> bool:
    """Does one of these wordings hold a link to a survey?"""
    return any(SURVEY_LINK in wording.fields(text) for text in texts)


def stand_in(text: str) -> str:
    """The wording with an address as long as everybody's, for whoever counts and shows."""
    if SURVEY_LINK not in text:
        return text
    address = link_codes.stand_in()
    return PLACEHOLDER.sub(lambda found: address if found[1].strip() == SURVEY_LINK else found[0], text)


def fault(text: str, survey_id: object) -> list[Fault]:
    """A link needs a survey to lead to."""
    return [] if survey_id or not is_named([text]) else [Fault("survey_link_without_survey")]


def links(session: Session, campaign: MessageCampaign, people: Mapping[UUID, int | None]) -> dict[UUID, str]:
    """The address of each message's person (message → contact). Nobody who is on no list of ours has one, and nobody
    at all once the survey is closed."""
    if campaign.survey_id is None or session.get_one(Survey, campaign.survey_id).state == "closed":
        return {}
    known = sorted({contact_id for contact_id in people.values() if contact_id is not None})
    given = survey_links.give(
        session, campaign.survey_id, known, source=source(campaign), on_behalf_of=campaign.on_behalf_of
    )
    return {message: given[contact_id] for message, contact_id in people.items() if contact_id is not None}


def source(campaign: MessageCampaign) -> str:
    """What links that went out with the campaign are marked with."""
    return f"message-campaign/{campaign.id}"


def began_at(session: Session, campaign: MessageCampaign, contact_id: int | None) -> datetime | None:
    """When this person began the survey by the link that went out with the campaign (real time)."""
    mine = (SurveyLink.contact_id == contact_id, SurveyLink.source == source(campaign))
    return session.scalar(select(func.min(SurveyLink.opened_at)).where(*mine))


def choices(session: Session) -> list[tuple[str, str]]:
    """Surveys that may still be answered, the newest first, as a form offers them."""
    rows = session.execute(select(Survey.id, Survey.name).where(Survey.state != "closed").order_by(Survey.id.desc()))
    return [(str(row.id), row.name) for row in rows]
