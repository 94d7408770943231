"""The cast of the message tests: invented people of one section, and what became of the messages to them."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.contacts import Contact
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message

LUPITA, MARIO, ROSA = "+529221110001", "+529221110002", "+529221110003"
Campaign = Callable[..., MessageCampaign]


@dataclass(frozen=True)
class Cast:
    """Lupita and her husband Beto share a phone; Rosa's is a landline; Mario has no neighborhood."""

    lupita: Contact
    beto: Contact
    mario: Contact
    rosa: Contact


def person(name: str, phone: str, *, line_kind: str = "mobile", neighborhood: str | None = None) -> Contact:
    return Contact(
        name=name, given_names=name.split(maxsplit=1)[0], name_key=name.lower(), phone=phone, consent="opted_in",
        invented=True, line_kind=line_kind, neighborhood=neighborhood, section_number=45, municipality="Minatitlán",
        state=30, source="test",
    )  # fmt: skip


def states(session: Session) -> dict[str, tuple[str, str | None]]:
    """Of each person, by given name: the state of their message and its refusal."""
    rows = session.execute(
        select(Contact.given_names, Message.state, Message.refusal).join(Contact, Contact.id == Message.contact_id)
    )
    return {row.given_names: (row.state, row.refusal) for row in rows}


def message_of(session: Session, contact: Contact) -> Message:
    return session.scalars(
        select(Message).where(Message.contact_id == contact.id).execution_options(populate_existing=True)
    ).one()
