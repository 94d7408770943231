"""Waves: a small share of the list is written to first (the canary); the rest is held until a person, or the rule that
the campaign was given, lets it go.

Who is in the canary, and who gets which wording, is drawn from the numbers of campaign and person: planning twice draws
the same. Of a campaign that people release message by message (peer to peer) everybody is held."""

from sqlalchemy import ColumnElement, case, cast, false, func, literal, true
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.texts import wordings
from campaigns.texts.wordings import FIRST, SECOND

REST, CANARY, TEST = 0, 1, 2  # the values of `messages.wave`
DRAWN_OF = 10_000
_POSITIVE = 0x7FFF_FFFF


def planned(session: Session, campaign: MessageCampaign, contact_id: ColumnElement[int]) -> dict[str, ColumnElement]:  # type: ignore[type-arg]  # columns of three types
    """What a row of this campaign says of its wave when it is written: {"wave", "is_held", "wording"}."""
    share, is_canary = None if campaign.is_peer else campaign.canary_share, None
    if share:
        is_canary = _drawn(contact_id, campaign.id) < round(share * DRAWN_OF / 100)
    is_held = is_canary is not None and campaign.rest_released_at is None
    return {
        "wave": literal(REST) if is_canary is None else case((is_canary, CANARY), else_=REST),
        "is_held": true() if campaign.is_peer else ~is_canary if is_held and is_canary is not None else false(),
        "wording": _letter(session, campaign, contact_id, is_canary),
    }


def _letter(
    session: Session, campaign: MessageCampaign, contact_id: ColumnElement[int], is_canary: ColumnElement[bool] | None
) -> ColumnElement[str]:
    """Drawn where two are tried; whoever is still to be written after a winner was found gets the winner."""
    known = wordings.of(session, campaign.id)
    if len(known) < 2:
        return literal(FIRST)
    drawn = case((_drawn(contact_id, -campaign.id) < known[0].share * DRAWN_OF // 100, FIRST), else_=SECOND)
    if campaign.winner is None:
        return drawn
    return literal(campaign.winner) if is_canary is None else case((is_canary, drawn), else_=campaign.winner)


def _drawn(contact_id: ColumnElement[int], seed: int) -> ColumnElement[int]:
    """A number below DRAWN_OF, the same each time for this person and seed."""
    hashed = func.hashint8extended(cast(contact_id, BigInteger), cast(seed, BigInteger))
    return hashed.op("&")(_POSITIVE) % DRAWN_OF
