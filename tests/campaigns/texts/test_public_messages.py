"""The page that ends messages: opened by people, by mail programs, and by whatever opens every link of a mail."""

from dataclasses import replace
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import consent, suppressions
from callcenter.base.errors import NotFound
from callcenter.base.settings import Settings
from campaigns.channels import channel_addresses
from campaigns.messages import Message
from campaigns.texts import opt_out_links
from tests.campaigns.cast import Campaign, Cast

MAIL = "mario@example.org"


@pytest.fixture
def path(session: Session, cast: Cast, campaign: Campaign, settings: Settings) -> str:
    """The way out of an e-mail to Mario."""
    channel_addresses.add(session, cast.mario.id, "email", MAIL, source="import")
    made = campaign(channel="email", sender="Encuestas <avisos@example.org>", on_behalf_of="Encuestas del Golfo")
    mail = session.scalars(
        select(Message).where(Message.campaign_id == made.id, Message.contact_id == cast.mario.id)
    ).one()
    mail.address = MAIL
    session.commit()
    return opt_out_links.url(mail.id, settings).removeprefix(settings.public_url)


def test_looking_at_the_page_ends_nothing(session: Session, cast: Cast, client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert (page.status_code, page.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert "Encuestas del Golfo" in page.text
    assert MAIL not in page.text
    assert client.head(path).status_code == 200
    assert channel_addresses.usable(session, "email", [cast.mario.id]) == {cast.mario.id: MAIL}


def test_a_mail_program_ends_e_mails_with_one_request(
    session: Session, cast: Cast, client: FlaskClient, path: str
) -> None:
    for _ in range(2):  # RFC 8058: without cookies, without a token
        assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert channel_addresses.shut(session, "email", [MAIL]) == {MAIL: "unsubscribed"}
    assert suppressions.find(session, cast.mario.phone) is None
    refusal = consent.refusal(session, cast.mario.id, "email", "survey", phone=cast.mario.phone, simulated=True)
    assert refusal is not None


def test_who_wants_nothing_at_all_any_more_says_so_on_the_page(
    session: Session, cast: Cast, client: FlaskClient, path: str
) -> None:
    assert client.post(path, data={"everything": "yes"}).status_code == 200
    assert suppressions.find(session, cast.mario.phone) is not None


def test_the_way_out_of_an_sms_suppresses_the_phone(
    session: Session, cast: Cast, campaign: Campaign, client: FlaskClient, settings: Settings
) -> None:
    made = campaign()
    text = session.scalars(
        select(Message).where(Message.campaign_id == made.id, Message.contact_id == cast.mario.id)
    ).one()
    path = opt_out_links.url(text.id, settings).removeprefix(settings.public_url)
    assert client.post(path).status_code == 200
    assert suppressions.find(session, cast.mario.phone) is not None


def test_an_erased_persons_way_out_still_answers(session: Session, cast: Cast, client: FlaskClient, path: str) -> None:
    for row in session.scalars(select(Message).where(Message.contact_id == cast.mario.id)):
        row.contact_id, row.phone = None, f"gone-{row.id}"
    session.commit()
    assert client.post(path, data={"everything": "yes"}).status_code == 200
    assert channel_addresses.shut(session, "email", [MAIL]) == {MAIL: "unsubscribed"}


@pytest.mark.parametrize("code", ["x", "é", "A" * 32, "A" * 500])
def test_a_code_that_we_did_not_make_leads_nowhere(client: FlaskClient, cast: Cast, code: str) -> None:
    assert client.get(f"/u/{code}").status_code == 404
    assert client.post(f"/u/{code}").status_code == 404


def test_a_code_of_another_installation_is_none_of_ours(session: Session, settings: Settings) -> None:
    code = opt_out_links.code(uuid4(), replace(settings, secret_key="another"))
    with pytest.raises(NotFound):
        opt_out_links.read(session, code, settings)
