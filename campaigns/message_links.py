"""Links in messages: an address that stands in a wording leaves as a short one of our own, one a message.

A campaign names its addresses by writing them: a short link leads to one of those and nowhere else. Its code is drawn,
not derived: who holds one learns no person, phone or number from it, and cannot guess another.
"""

import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base
from callcenter.base.settings import Settings
from campaigns.messages import Message
from campaigns.wording import PLACEHOLDER, Fault

# Without vowels no code is a word, and without 0 O 1 l I nobody mistakes one.
ALPHABET = "23456789bcdfghjkmnpqrstvwxyzBCDFGHJKLMNPQRSTVWXYZ"
CODE = 8  # characters: of 33 million million codes a campaign uses a million and a half
MOST = 9  # addresses of one campaign
LONGEST = 2_000  # characters of an address
_ADDRESS = re.compile(r"https?://[^\s{}|<>\"«»“”]+", re.IGNORECASE)
_AFTER_AN_ADDRESS = ".,;:!?…)'’"  # what a sentence puts behind it
_settings: Settings | None = None


class MessageLink(Base):
    """An address that a campaign named. `position` is the second half of a short link's code."""

    __tablename__ = "message_links"
    __table_args__ = (UniqueConstraint("campaign_id", "url"), CheckConstraint("position BETWEEN 1 AND 9", "position"))
    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("message_campaigns.id", ondelete="CASCADE"), primary_key=True
    )  # fmt: skip
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    url: Mapped[str]


class LinkCode(Base):
    """The code of one message's links."""

    __tablename__ = "link_codes"
    code: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), unique=True)


@dataclass(frozen=True)
class Target:
    """Where a short link leads, and whose it is."""

    message_id: UUID
    position: int
    url: str


def configure(settings: Settings) -> None:
    """Say where short links lead to. The composition root calls it once."""
    global _settings  # noqa: PLW0603  # one process, one address
    _settings = settings


def addresses(text: str) -> list[str]:
    """The addresses that a wording names, in order, each once. Not those inside a placeholder."""
    return list(dict.fromkeys(address for piece in _outside(text) for address in _found(piece)))


def faults(texts: Iterable[str]) -> list[Fault]:
    """What is wrong with the addresses of a campaign's wordings: `field_in_link`, `link_too_long`, `too_many_links`."""
    texts = list(texts)
    named = list(dict.fromkeys(address for text in texts for address in addresses(text)))
    found = [Fault("field_in_link", match[0]) for text in texts for match in _WITH_FIELD.finditer(text)]
    found += [Fault("link_too_long", str(len(address))) for address in named if len(address) > LONGEST]
    return [*found, *([Fault("too_many_links", str(len(named)))] if len(named) > MOST else [])]


def places(texts: Iterable[str], known: Mapping[str, int] | None = None) -> dict[str, int]:
    """Which place each address has, or will get: those that are known keep theirs."""
    found = dict(known or {})
    for text in texts:
        for address in addresses(text):
            if address not in found:
                found[address] = next(place for place in range(1, 100) if place not in found.values())
    return found


def template(text: str, positions: Mapping[str, int]) -> str:
    """The wording with a placeholder {link_1}… in the place of each address."""
    return _with(text, {address: f"{{link_{place}}}" for address, place in positions.items()})


def stand_in(text: str, positions: Mapping[str, int]) -> str:
    """The wording with short links as long as those that will leave, for whoever counts and shows."""
    return _with(text, {address: short("x" * CODE, place) for address, place in positions.items()})


def short(code: str, position: int) -> str:
    """The short link of a message to the address in that place."""
    if _settings is None:
        raise RuntimeError("campaigns.message_links.configure(settings) was not called in this process")
    return f"{_settings.link_url}/l/{code}{_mark(position)}"


def values(code: str, positions: Mapping[str, int]) -> dict[str, str]:
    """What the placeholders of `template` stand for in the message that has this code."""
    return {f"link_{place}": short(code, place) for place in positions.values()}


def of(session: Session, campaign_id: int) -> dict[str, int]:
    """The addresses that the campaign has named, and their places."""
    rows = session.execute(select(MessageLink.url, MessageLink.position).where(MessageLink.campaign_id == campaign_id))
    return {row.url: row.position for row in rows}


def name(session: Session, campaign_id: int, texts: Iterable[str]) -> dict[str, int]:
    """Name the addresses of the campaign's wordings, which somebody approved; all that it has named. Harmless twice."""
    texts = list(texts)
    known = of(session, campaign_id)
    if set(places(texts, known)) == set(known):
        return known
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"message_links/{campaign_id}"))))
    known = of(session, campaign_id)  # another worker may have named them meanwhile
    wanted = places(texts, known)
    rows = [{"campaign_id": campaign_id, "position": place, "url": url} for url, place in wanted.items()
            if url not in known]  # fmt: skip
    if rows:
        session.execute(insert(MessageLink), rows)
    return wanted


def codes(session: Session, message_ids: Collection[UUID]) -> dict[UUID, str]:
    """The code of each message; who has none gets one. A message that is sent a second time keeps its own."""
    found: dict[UUID, str] = {}
    while missing := [one for one in message_ids if one not in found]:
        # A code that is another message's already is drawn again: that happens once in a life.
        drawn = [{"code": _draw(), "message_id": one} for one in missing]
        session.execute(insert(LinkCode).on_conflict_do_nothing(), drawn)
        rows = session.execute(select(LinkCode.message_id, LinkCode.code).where(LinkCode.message_id.in_(missing)))
        found |= {row.message_id: row.code for row in rows}
    return found


def find(session: Session, written: str) -> Target | None:
    """Where a short link leads; None when it is none of ours."""
    code, mark = written[:CODE], written[CODE:]
    position = ALPHABET.find(mark) + 1 if mark else 1
    if len(code) != CODE or len(mark) > 1 or not set(written) <= set(ALPHABET) or (mark and position < 2):
        return None
    row = session.execute(
        select(Message.id, MessageLink.position, MessageLink.url)
        .select_from(LinkCode)
        .join(Message, Message.id == LinkCode.message_id)
        .join(MessageLink, MessageLink.campaign_id == Message.campaign_id)
        .where(LinkCode.code == code, MessageLink.position == position)
    ).first()
    return Target(row[0], row[1], row[2]) if row else None


_WITH_FIELD = re.compile(_ADDRESS.pattern + r"(?=\{)", re.IGNORECASE)


def _mark(position: int) -> str:
    return "" if position == 1 else ALPHABET[position - 1]


def _draw() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE))


def _outside(text: str) -> list[str]:
    """The pieces of a wording that are no placeholders."""
    pieces, last = [], 0
    for match in PLACEHOLDER.finditer(text):
        pieces.append(text[last : match.start()])
        last = match.end()
    return [*pieces, text[last:]]


def _found(piece: str) -> list[str]:
    return [match[0].rstrip(_AFTER_AN_ADDRESS) for match in _ADDRESS.finditer(piece)]


def _with(text: str, instead: Mapping[str, str]) -> str:
    """The wording with other words instead of each address outside its placeholders."""

    def write(match: re.Match[str]) -> str:
        address = match[0].rstrip(_AFTER_AN_ADDRESS)
        return instead.get(address, address) + match[0][len(address) :]

    pieces, last = [], 0
    for match in PLACEHOLDER.finditer(text):
        pieces += [_ADDRESS.sub(write, text[last : match.start()]), match[0]]
        last = match.end()
    return "".join([*pieces, _ADDRESS.sub(write, text[last:])])
