from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import consent, suppressions
from campaigns.channels import Reply, channel_addresses
from campaigns.channels.channel_addresses import ChannelAddress
from tests.campaigns.cast import LUPITA, Cast

MAIL = "lupita@example.org"


def wrote(address: str, channel: str = "telegram", **values: Any) -> Reply:
    return Reply("ref", channel, values.pop("phone", None), address, "Hola", **values)


def state_of(session: Session, address: str) -> str:
    return session.scalars(
        select(ChannelAddress.state).where(ChannelAddress.address == address).execution_options(populate_existing=True)
    ).one()


def test_an_address_is_one_persons(session: Session, cast: Cast) -> None:
    assert channel_addresses.add(session, cast.lupita.id, "email", MAIL, source="import")
    assert not channel_addresses.add(session, cast.mario.id, "email", MAIL, source="import")
    assert channel_addresses.person(session, "email", MAIL) == cast.lupita.id
    assert channel_addresses.usable(session, "email", [cast.lupita.id, cast.mario.id]) == {cast.lupita.id: MAIL}


def test_whoever_shares_their_phone_is_known_by_it(session: Session, cast: Cast) -> None:
    assert channel_addresses.heard(session, wrote("55")).contact_id is None
    assert channel_addresses.heard(session, wrote("55", phone=cast.mario.phone)).contact_id == cast.mario.id
    assert channel_addresses.heard(session, wrote("55")).contact_id == cast.mario.id


def test_nobody_else_takes_over_an_address_that_is_somebodys(session: Session, cast: Cast) -> None:
    channel_addresses.heard(session, wrote("55", contact_id=cast.mario.id))
    assert channel_addresses.heard(session, wrote("55", contact_id=cast.lupita.id)).contact_id == cast.mario.id


def test_of_two_addresses_the_one_last_heard_from_is_used(session: Session, cast: Cast) -> None:
    channel_addresses.add(session, cast.lupita.id, "whatsapp", "whatsapp:MX.1", source="import")
    channel_addresses.heard(session, wrote("whatsapp:+5219221110001", "whatsapp", phone=LUPITA))
    assert channel_addresses.usable(session, "whatsapp", [cast.lupita.id]) == {
        cast.lupita.id: "whatsapp:+5219221110001"
    }


def test_a_refusal_teaches_what_it_says_of_the_address_and_nothing_else(session: Session, cast: Cast) -> None:
    channel_addresses.add(session, cast.lupita.id, "email", MAIL, source="import")
    channel_addresses.learn(session, "email", MAIL, "smtp-451")
    assert state_of(session, MAIL) == "active"
    channel_addresses.learn(session, "email", MAIL, "smtp-550")
    assert channel_addresses.shut(session, "email", [MAIL, "other@example.org"]) == {MAIL: "gone"}
    assert channel_addresses.usable(session, "email", [cast.lupita.id]) == {}


def test_writing_again_opens_what_was_blocked_but_not_what_was_unsubscribed(session: Session, cast: Cast) -> None:
    for address, state in (("1", "blocked"), ("2", "unsubscribed")):
        channel_addresses.add(session, cast.lupita.id, "telegram", address, source="import")
        channel_addresses.mark(session, "telegram", address, state)
        channel_addresses.heard(session, wrote(address))
    assert (state_of(session, "1"), state_of(session, "2")) == ("active", "unsubscribed")


def test_a_block_does_not_undo_an_unsubscription(session: Session, cast: Cast) -> None:
    channel_addresses.add(session, cast.lupita.id, "telegram", "1", source="import")
    channel_addresses.unsubscribe(session, "telegram", "1")
    channel_addresses.mark(session, "telegram", "1", "blocked")
    channel_addresses.reopen(session, "telegram", "1")
    assert state_of(session, "1") == "unsubscribed"


def test_unsubscribing_refuses_this_channel_and_no_other(session: Session, cast: Cast) -> None:
    channel_addresses.add(session, cast.lupita.id, "email", MAIL, source="import")
    for _ in range(2):
        channel_addresses.unsubscribe(session, "email", MAIL, "message/x")
    said = {
        channel: consent.refusal(session, cast.lupita.id, channel, "survey", phone=LUPITA, simulated=True)
        for channel in ("email", "whatsapp", "telegram")
    }
    assert {channel: refusal and refusal.code for channel, refusal in said.items()} == {
        "email": "opted_out", "whatsapp": None, "telegram": None,
    }  # fmt: skip
    assert len(consent.evidence(session, cast.lupita.id)) == 1


def test_an_unsubscription_outlives_the_person_and_every_import(session: Session, cast: Cast) -> None:
    channel_addresses.add(session, cast.rosa.id, "email", MAIL, source="import")
    channel_addresses.unsubscribe(session, "email", MAIL)
    session.delete(cast.rosa)
    session.flush()
    assert session.scalar(select(ChannelAddress.id)) is None
    assert channel_addresses.add(session, cast.mario.id, "email", MAIL, source="import")
    assert channel_addresses.usable(session, "email", [cast.mario.id]) == {}


def test_starting_the_bot_again_is_asking_to_be_written_to(session: Session, cast: Cast) -> None:
    channel_addresses.add(session, cast.mario.id, "telegram", "5", source="link")
    channel_addresses.unsubscribe(session, "telegram", "5")
    channel_addresses.welcome_back(session, "telegram", "5")
    assert channel_addresses.usable(session, "telegram", [cast.mario.id]) == {cast.mario.id: "5"}


def test_baja_from_an_address_suppresses_the_phone_of_whose_it_is(session: Session, cast: Cast) -> None:
    channel_addresses.add(session, cast.mario.id, "telegram", "5", source="link")
    channel_addresses.opt_out(session, "telegram", "5", reason="sms_reply", proof="inbound-message/1", source="inbox")
    assert suppressions.find(session, cast.mario.phone) is not None
    assert state_of(session, "5") == "unsubscribed"


def test_baja_from_somebody_whom_nobody_knows_shuts_their_address(session: Session, cast: Cast) -> None:
    channel_addresses.opt_out(session, "telegram", "77", reason="sms_reply", proof="inbound-message/1", source="inbox")
    assert channel_addresses.shut(session, "telegram", ["77"]) == {"77": "unsubscribed"}
