"""How a channel reaches each person of a batch, at the claim: their address there, and what goes with the message; or
why not. The gate has spoken already: this is what the channel itself demands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.consent import Refusal
from campaigns import channels, wording
from campaigns.channels import BY_ADDRESS, BY_PHONE, Enclosure, Facts, FilledTemplate, channel_addresses
from campaigns.correspondence import conversation_windows, survey_invitations
from campaigns.dispatch import daily_people
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.texts import enclosures, message_media, message_templates, opt_out_links
from campaigns.texts.enclosures import NOTHING, Enclosed
from campaigns.texts.message_media import MessageMedia
from campaigns.texts.message_templates import MessageTemplate

PEOPLE_A_DAY = "people_a_day"  # waits: the provider lets us begin with so many people in 24 hours


@dataclass(frozen=True)
class Person:
    """Who is to be written to. `id`: the message's; `address`: the ledger's, when it has one; `values`: what
    placeholders stand for; `is_reply`: a text that somebody of ours wrote in a conversation."""

    id: UUID
    contact_id: int | None
    phone: str | None
    address: str | None
    wording: str = "A"
    values: Mapping[str, str | None] = field(default_factory=dict)
    is_reply: bool = False


@dataclass(frozen=True)
class Reached:
    """`address`: None where the phone is all that the channel needs."""

    address: str | None
    enclosed: Enclosure


@dataclass(frozen=True)
class _Piece:
    """What one wording carries, looked up once a batch."""

    said: Enclosed
    template: MessageTemplate | None
    media: MessageMedia | None


def reach(
    session: Session, campaign: MessageCampaign, people: Sequence[Person], *, now: datetime
) -> dict[UUID, Reached | Refusal]:
    """What to do with each; nobody is in the answer where a phone is all (SMS). `now`: campaign time, of `until`.

    Four SELECTs at most. Counts whom we begin with where the provider counts them; the caller commits."""
    facts = channels.facts(campaign.channel)
    if facts.reached_by == BY_PHONE:
        return {}
    addresses = _addresses(session, facts, people)
    shut = channel_addresses.shut(session, facts.name, [one for one in addresses.values() if one is not None])
    windows = conversation_windows.open_for(session, facts.name, [(addresses[one.id], one.phone) for one in people])
    pieces = _pieces(session, campaign.id)
    people = _with_links(session, campaign, people, pieces)
    found: dict[UUID, Reached | Refusal] = {}
    for one in people:
        address = addresses[one.id]
        if address is None and (facts.reached_by == BY_ADDRESS or not one.phone):
            found[one.id] = Refusal("no_address")
        elif address in shut:
            found[one.id] = Refusal("unsubscribed" if shut[address] == channel_addresses.UNSUBSCRIBED else "no_address")
        else:
            is_open = (address, one.phone) in windows
            found[one.id] = _dressed(facts, one, address, pieces.get(one.wording), is_open=is_open)
    if facts.window is not None:
        begun = [one for one in people if (addresses[one.id], one.phone) not in windows]
        _count(session, facts.name, begun, found, now)
    return found


def _with_links(
    session: Session, campaign: MessageCampaign, people: Sequence[Person], pieces: Mapping[str, _Piece]
) -> list[Person]:
    """The same people; where a template holds a link to a survey, each with their own."""
    if not survey_invitations.is_named(said for piece in pieces.values() for said in piece.said.variables.values()):
        return list(people)
    own = survey_invitations.links(session, campaign, {one.id: one.contact_id for one in people})
    return [replace(one, values={**one.values, wording.SURVEY_LINK: own.get(one.id)}) for one in people]


def _addresses(session: Session, facts: Facts, people: Sequence[Person]) -> dict[UUID, str | None]:
    """What the ledger says of a person, else what they were last heard from."""
    wanted = [one.contact_id for one in people if one.address is None and one.contact_id is not None]
    usable = channel_addresses.usable(session, facts.name, wanted) if wanted else {}
    return {one.id: one.address or usable.get(one.contact_id or 0) for one in people}


def _pieces(session: Session, campaign_id: int) -> dict[str, _Piece]:
    return {
        letter: _Piece(said, enclosures.template_of(session, said), enclosures.media_of(session, said))
        for letter, said in enclosures.of(session, campaign_id).items()
    }


def _dressed(
    facts: Facts, one: Person, address: str | None, piece: _Piece | None, *, is_open: bool
) -> Reached | Refusal:
    """A reply carries nothing and needs an open window; everything else is a template where the channel has them."""
    way_out = "" if facts.has_way_out else opt_out_links.url(one.id)
    if one.is_reply:
        title = piece.said.title if piece else ""
        return Reached(address, Enclosure(title=_answering(title), opt_out_url=way_out)) if is_open else _CLOSED
    piece = piece or _Piece(NOTHING, None, None)
    media = message_media.enclosed(piece.media) if piece.media else None
    if not facts.has_templates or (piece.template is None and is_open):
        try:
            title = wording.render(piece.said.title, one.values) if piece.said.title else ""
        except wording.MissingValue:
            return Refusal("missing_value")
        return Reached(address, Enclosure(media=media, title=title, opt_out_url=way_out))
    if piece.template is None:
        return _CLOSED
    if not piece.template.is_usable:
        return Refusal("template_not_approved")
    try:
        values = message_templates.values(piece.template, piece.said.variables, one.values)
    except wording.MissingValue:
        return Refusal("missing_value")
    filled = FilledTemplate(piece.template.provider_ref, values | _of_media(piece.template, media))
    return Reached(address, Enclosure(filled, media, opt_out_url=way_out))


_CLOSED = Refusal("no_window")


def _answering(title: str) -> str:
    return f"Re: {title}" if title else "Re:"


def _of_media(template: MessageTemplate, media: channels.Media | None) -> dict[str, str]:
    """The variable that stands in the address of a template's picture: what of our address its fixed part lacks."""
    name = template.media_variable
    if name is None or media is None:
        return {}
    fixed = (template.media_url or "").partition("{{")[0]
    return {name: media.url.removeprefix(fixed)}


def _count(
    session: Session, channel: str, begun: Sequence[Person], found: dict[UUID, Reached | Refusal], now: datetime
) -> None:
    """Whom we begin with is counted as the provider does, and waits when there is no more room today."""
    asked = []
    for one in begun:
        answer = found[one.id]
        if isinstance(answer, Reached):
            asked.append((one.id, answer.address or f"{one.phone}"))
    for message_id, until in daily_people.take(session, channel, asked).items():
        found[message_id] = Refusal(PEOPLE_A_DAY, now + (until - real_now()))
