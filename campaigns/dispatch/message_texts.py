"""The text of each message of a batch, as it leaves: its wording, the person's values, its own short links."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from campaigns import channels, wording
from campaigns.correspondence import survey_invitations
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.texts import link_addresses, message_links, wordings


@dataclass(frozen=True)
class Asked:
    """A message that is to be written. `wording`: its letter; `values`: what the placeholders stand for; `contact_id`:
    whose own link to a survey it may hold."""

    id: UUID
    wording: str
    values: Mapping[str, str | None]
    contact_id: int | None = None


@dataclass(frozen=True)
class Written:
    """What leaves, in how many parts."""

    body: str
    parts: int


@dataclass(frozen=True)
class Texts:
    """`refused`: who gets no message, with the code of why: `missing_value` | `survey_closed` | `too_long`."""

    written: dict[UUID, Written] = field(default_factory=dict)
    refused: dict[UUID, str] = field(default_factory=dict)


def write(session: Session, campaign: MessageCampaign, asked: Iterable[Asked]) -> Texts:
    """The texts of a batch. Names the campaign's addresses and draws the messages' codes; the caller commits."""
    asked, found = list(asked), Texts()
    if not asked:
        return found
    texts = wordings.texts(session, campaign.id)
    named = _named(session, campaign.id, texts.values())
    codes = message_links.codes(session, [one.id for one in asked]) if named else {}
    templates = {letter: link_addresses.template(text, named) for letter, text in texts.items()}
    own = _survey_links(session, campaign, asked, texts.values())
    first, facts = next(iter(templates.values())), channels.facts(campaign.channel)
    for one in asked:
        links = link_addresses.values(codes[one.id], named) if named else {}
        values = {**one.values, **links, **own.get(one.id, {})}
        try:
            body = wording.render(templates.get(one.wording, first), values, is_plain=campaign.is_plain)
        except wording.MissingValue as lacking:
            found.refused[one.id] = "survey_closed" if lacking.field == wording.SURVEY_LINK else "missing_value"
            continue
        if len(body) > facts.most_characters:
            found.refused[one.id] = "too_long"
        else:
            found.written[one.id] = Written(body, wording.parts(body).count if facts.is_cut_into_parts else 1)
    return found


def shown(session: Session, campaign_id: int | None, text: str) -> str:
    """The wording as it is counted and shown before it leaves: with short links as long as the real ones."""
    known = message_links.of(session, campaign_id) if campaign_id else {}
    return survey_invitations.stand_in(link_addresses.stand_in(text, link_addresses.places([text], known)))


def _survey_links(
    session: Session, campaign: MessageCampaign, asked: list[Asked], texts: Iterable[str]
) -> dict[UUID, dict[str, str]]:
    if not survey_invitations.is_named(texts):
        return {}
    found = survey_invitations.links(session, campaign, {one.id: one.contact_id for one in asked})
    return {message_id: {wording.SURVEY_LINK: address} for message_id, address in found.items()}


def _named(session: Session, campaign_id: int, texts: Iterable[str]) -> dict[str, int]:
    """The places of the addresses in these wordings; empty where there are none."""
    texts = list(texts)
    wanted = {address for text in texts for address in link_addresses.addresses(text)}
    if not wanted:
        return {}
    every = message_links.name(session, campaign_id, texts)
    return {address: place for address, place in every.items() if address in wanted}
