"""What providers say of messages, in answers to our requests and in receipts: late, twice, in any order, or never.

However much is heard at once, it is written in one way: the rows are locked in the order of their ids (so that two who
write never wait for each other in a circle), each word moves its message forward or not at all, and two statements
write the outcome. What asks the provider in turn is campaigns.dispatch.message_look_ups.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.base.clock import real_now
from callcenter.base.errors import NotFound, ProviderError
from callcenter.base.outbox import tell_later
from callcenter.contacts import Contact
from campaigns.channels import Receipt, channel_addresses
from campaigns.dispatch import message_states as states
from campaigns.dispatch import senders
from campaigns.mailings.message_campaigns import MessageCampaign

# https://www.twilio.com/docs/api/errors: the person told the carrier to stop; the phone is no mobile.
OPTED_OUT, LANDLINE = frozenset({"21610"}), frozenset({"21614", "30006"})
# An error of the account, the sender or the template: everybody else would fail alike; a person has to look.
# Not Twilio's: no channel is set up, a bot's token or a mailbox's password is refused, a WhatsApp sender is unknown.
STOPS_CAMPAIGN = senders.BLOCKS_SENDER | {"20003", "20005", "20008", "21603", "63001", "63040", "63041", "63042",
                                          "not_set_up", "telegram-401", "smtp-535"}  # fmt: skip
LONGEST_KEY = 200  # characters; an index holds no more than some 2,700 bytes
STALE = timedelta(seconds=30)  # `news_at` is not written anew for news that say nothing new, unless it is older


@dataclass(frozen=True)
class Answer:
    """What became of one request: a receipt, or the error."""

    message_id: UUID
    result: Receipt | ProviderError


@dataclass(frozen=True)
class Heard:
    """What came of receipts: the ids of which there is no message, and the campaigns whose pages have news."""

    missing: frozenset[UUID]
    campaign_ids: frozenset[int]


@dataclass(frozen=True)
class _Word:
    """One thing said of one message. `state`: None when it is no state that we know. `raw` is kept as it is."""

    message_id: UUID
    state: str | None
    provider_ref: str | None = None
    code: str | None = None
    parts: int | None = None
    raw: Receipt | None = None


@dataclass
class _Row:
    """A message while words are applied to it. `was`: the state that the ledger has."""

    id: UUID
    campaign_id: int
    phone: str | None
    address: str | None
    state: str
    provider_ref: str | None
    code: str | None
    news_at: datetime | None
    was: str
    parts: int | None = None
    is_touched: bool = False

    def hear(self, word: _Word, now: datetime) -> None:
        if word.provider_ref and self.provider_ref is None:
            self.provider_ref, self.is_touched = word.provider_ref, True
        if word.parts is not None:
            self.parts, self.is_touched = word.parts, True
        if word.state is None:
            return
        if word.state in states.NEXT[self.state]:
            self.state, self.code, self.is_touched = word.state, word.code or self.code, True
        elif word.state == self.state and self.state not in states.FINAL:
            is_stale = self.news_at is None or now - self.news_at > STALE
            self.is_touched = self.is_touched or is_stale or word.code not in (None, self.code)
            self.code = word.code or self.code

    @property
    def has_ended(self) -> bool:
        return self.state in states.FINAL and self.was not in states.FINAL


def record_sent(session: Session, answers: Iterable[Answer]) -> str | None:
    """Write what the provider answered to a batch. A receipt that came before the answer is not undone by it.

    Returns the code of an error that must stop the whole campaign, if there was one."""
    trouble: str | None = None
    words = []
    for answer in answers:
        words.append(_said(answer))
        if isinstance(answer.result, ProviderError) and answer.result.code in STOPS_CAMPAIGN:
            trouble = answer.result.code
    tell(session, _write(session, words))
    return trouble


def record_receipts(session: Session, news: Sequence[tuple[UUID, Receipt]]) -> Heard:
    """Keep receipts raw, and move their messages forward where the table of states allows it. Harmless twice.

    Tells no page: the caller does, for `Heard.campaign_ids`."""
    return _write(
        session,
        [_Word(id_, one.state, one.provider_ref, one.error_code, one.parts, raw=one) for id_, one in news],
    )


def record_receipt(session: Session, message_id: UUID, receipt: Receipt) -> None:
    """One receipt, and the campaign's page told of it. Raises NotFound when there is no such message."""
    heard = record_receipts(session, [(message_id, receipt)])
    if heard.missing:
        raise NotFound(_("There is no such message."))
    tell(session, heard)


def fail(session: Session, message_id: UUID, code: str) -> None:
    """The message was surely never taken, for the reason `code`; nothing happens to one of which more is known."""
    tell(session, _write(session, [_Word(message_id, states.FAILED, code=code)]))


def _said(answer: Answer) -> _Word:
    """An answer of the provider as a word. One that decides nothing is not kept raw: its receipt will be."""
    result = answer.result
    if isinstance(result, Receipt):
        raw = result if result.state in states.FINAL else None
        # A state that is new to us came with a name: it was taken.
        state = result.state or states.ACCEPTED
        return _Word(answer.message_id, state, result.provider_ref, result.error_code, result.parts, raw)
    if result.unknown:
        return _Word(answer.message_id, states.UNKNOWN)
    if result.permanent and result.code not in STOPS_CAMPAIGN:
        raw = Receipt(f"refused/{result.code}", states.FAILED, payload={"ErrorCode": result.code, "Source": "api"})
        return _Word(answer.message_id, states.FAILED, code=result.code, raw=raw)
    return _Word(answer.message_id, states.PLANNED)


def _write(session: Session, words: Sequence[_Word]) -> Heard:
    """Apply the words in their order."""
    rows = _lock(session, {word.message_id for word in words})
    known = [word for word in words if word.message_id in rows]
    now = real_now()
    for word in known:
        rows[word.message_id].hear(word, now)
    touched = [row for row in rows.values() if row.is_touched]
    _keep(session, touched, [word for word in known if word.raw is not None], now)
    _learn(session, [row for row in touched if row.has_ended])
    missing = frozenset(word.message_id for word in words if word.message_id not in rows)
    return Heard(missing, frozenset(row.campaign_id for row in touched))


def _lock(session: Session, ids: set[UUID]) -> dict[UUID, _Row]:
    if not ids:
        return {}
    found = session.execute(_LOCK, {"ids": sorted(ids)})
    return {row.id: _Row(**row._mapping) for row in found}


def _keep(session: Session, rows: list[_Row], words: list[_Word], now: datetime) -> None:
    if not rows and not words:
        return
    said = [(word.message_id, word.raw) for word in words if word.raw is not None]
    values = {
        "said": [id_ for id_, _raw in said], "keys": [_storable(raw.key)[:LONGEST_KEY] for _, raw in said],
        "payloads": [_json(raw.payload) for _, raw in said],
        "ids": [row.id for row in rows], "states": [row.state for row in rows],
        "refs": [row.provider_ref for row in rows], "codes": [row.code for row in rows],
        "parts": [row.parts for row in rows], "ended": [row.has_ended for row in rows], "now": now,
    }  # fmt: skip
    session.execute(_KEEP, values)


def _storable(said: str) -> str:
    """PostgreSQL stores no zero byte, and a receipt that holds one must not be lost for it."""
    return said.replace("\0", "")


def _json(payload: Mapping[str, Any]) -> str:
    kept = {_storable(name): _storable(value) if isinstance(value, str) else value for name, value in payload.items()}
    return json.dumps(kept)


def _learn(session: Session, ended: list[_Row]) -> None:
    """What an error says of a phone, or of an address on a channel, beyond this message."""
    for row in ended:
        if row.address and row.code:
            channel = session.scalar(select(MessageCampaign.channel).where(MessageCampaign.id == row.campaign_id))
            channel_addresses.learn(session, channel or "", row.address, row.code)
    taught = {row.phone: row for row in ended if row.phone and row.code in OPTED_OUT | LANDLINE}
    for phone, row in sorted(taught.items()):
        if row.code in OPTED_OUT:
            consent.opt_out(session, phone, reason="carrier", proof=f"message/{row.id}", source="carrier")
        else:
            session.execute(
                update(Contact)
                .where(Contact.phone == phone)
                .values(line_kind="landline", line_kind_source="carrier")
                .execution_options(synchronize_session=False)
            )


def tell(session: Session, heard: Heard) -> None:
    """Let the pages of these campaigns look again, after the commit."""
    for campaign_id in sorted(heard.campaign_ids):
        tell_later(session, f"message-campaign/{campaign_id}")


# In words of their own, because a thousand receipts a second cannot pay for building a statement each time.
_LOCK = text(
    "SELECT id, campaign_id, phone, address, state, state AS was, provider_ref, error_code AS code, news_at"
    " FROM messages WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE"
)
_KEEP = text("""
    WITH news AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:refs AS text[]),
            CAST(:codes AS text[]), CAST(:parts AS int[]), CAST(:ended AS bool[]))
            AS one(id, state, ref, code, parts, has_ended)
    ), kept AS (
        INSERT INTO message_receipts (message_id, key, payload, at)
        SELECT id, key, CAST(payload AS jsonb), :now
        FROM unnest(CAST(:said AS uuid[]), CAST(:keys AS text[]), CAST(:payloads AS text[]))
            AS one(id, key, payload)
        ON CONFLICT DO NOTHING
    ), closed AS (
        UPDATE attempts a SET closed_at = :now, outcome = news.state FROM news
        WHERE a.id = news.id AND news.has_ended AND a.closed_at IS NULL
    )
    UPDATE messages m SET state = news.state, provider_ref = news.ref, error_code = news.code, news_at = :now,
        provider_parts = coalesce(news.parts, m.provider_parts),
        lease_until = CASE WHEN news.state = 'sending' THEN m.lease_until END,
        finished_at = CASE WHEN news.has_ended THEN :now ELSE m.finished_at END
    FROM news WHERE m.id = news.id
""")
