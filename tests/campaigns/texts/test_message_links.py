"""From the address in a wording to the click of a person, and nothing in between that anybody could misuse."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.settings import Settings
from campaigns import messages
from campaigns.dispatch import message_texts
from campaigns.dispatch.message_texts import Asked
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.texts import clicks, link_addresses, message_links
from campaigns.texts.clicks import MessageClick
from campaigns.texts.message_links import LinkCode
from tests.campaigns.cast import Campaign, Cast, message_of

BROWSER = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126 Mobile Safari/537.36"}
PAGE = "https://sur.example/encuesta?id=7"
TEXT = f"Hola {{given_names}}, {PAGE} o https://sur.example/baja. BAJA"


@pytest.fixture(autouse=True)
def base(settings: Settings) -> None:
    link_addresses.configure(settings)


def write(session: Session, made: MessageCampaign, cast: Cast) -> dict[UUID, str]:
    rows = [message_of(session, cast.lupita), message_of(session, cast.mario)]
    asked = [
        Asked(row.id, "A", messages.values_of(who)) for row, who in zip(rows, (cast.lupita, cast.mario), strict=True)
    ]
    return {id_: one.body for id_, one in message_texts.write(session, made, asked).written.items()}


def links(body: str) -> list[str]:
    return re.findall(r"http://convoca\.test(/l/\w+)", body)


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(MessageClick)) or 0


def test_each_message_has_links_of_its_own_and_keeps_them(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign(TEXT)
    bodies = write(session, made, cast)
    of_lupita, of_mario = (links(bodies[message_of(session, who).id]) for who in (cast.lupita, cast.mario))
    assert len(of_lupita) == len(of_mario) == 2
    assert not set(of_lupita) & set(of_mario)
    assert write(session, made, cast) == bodies  # given back by the provider, and claimed again
    assert all(PAGE not in body and cast.lupita.phone[-10:] not in body for body in bodies.values())


def test_a_text_without_addresses_draws_no_codes(session: Session, cast: Cast, campaign: Campaign) -> None:
    write(session, campaign("Hola {given_names}"), cast)
    assert session.scalar(select(func.count()).select_from(LinkCode)) == 0


def test_a_link_leads_to_what_its_campaign_named_and_counts(
    session: Session, cast: Cast, campaign: Campaign, client: FlaskClient
) -> None:
    first, second = links(write(session, campaign(TEXT), cast)[message_of(session, cast.lupita).id])
    session.commit()
    answer = client.get(first, headers=BROWSER)
    assert (answer.status_code, answer.location) == (302, PAGE)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get(second, headers=BROWSER).location == "https://sur.example/baja"
    rows = session.execute(select(MessageClick.contact_id, MessageClick.position).order_by(MessageClick.id)).all()
    assert [tuple(row) for row in rows] == [(cast.lupita.id, 1), (cast.lupita.id, 2)]


def test_who_taps_twice_clicked_once(session: Session, cast: Cast, campaign: Campaign, client: FlaskClient) -> None:
    first, _ = links(write(session, campaign(TEXT), cast)[message_of(session, cast.lupita).id])
    session.commit()
    for _ in range(3):
        assert client.get(first, headers=BROWSER).status_code == 302
    assert count(session) == 1
    last = session.scalars(select(MessageClick)).one()
    assert clicks.record(session, last.message_id, last.at + timedelta(minutes=1))
    assert count(session) == 2


def test_programs_that_look_ahead_are_led_on_and_not_counted(
    session: Session, cast: Cast, campaign: Campaign, client: FlaskClient
) -> None:
    first, _ = links(write(session, campaign(TEXT), cast)[message_of(session, cast.lupita).id])
    session.commit()
    agents = ["WhatsApp/2.24", "facebookexternalhit/1.1", "TelegramBot (like TwitterBot)", "curl/8", "",
              "Mozilla/5.0 (compatible; Googlebot/2.1)"]  # fmt: skip
    assert {client.get(first, headers={"User-Agent": agent}).status_code for agent in agents} == {302}
    assert client.head(first, headers=BROWSER).status_code == 302
    assert client.get(first, headers={**BROWSER, "Sec-Purpose": "prefetch"}).status_code == 302
    assert count(session) == 0


@pytest.mark.parametrize("code", ["bcdfghjk", "bcdfghjk9", "bcdfghj", "bcdfghjkz3", "0", "%00", "bcdfghj%F0%9F%98%80"])
def test_a_guessed_or_mistyped_link_leads_nowhere(client: FlaskClient, code: str) -> None:
    assert client.get(f"/l/{code}", headers=BROWSER).status_code == 404


def test_a_link_to_a_place_that_its_campaign_did_not_name_leads_nowhere(
    session: Session, cast: Cast, campaign: Campaign, client: FlaskClient
) -> None:
    first, _ = links(write(session, campaign(TEXT), cast)[message_of(session, cast.lupita).id])
    session.commit()
    assert client.get(first + "4", headers=BROWSER).status_code == 404


def test_guessing_is_slowed_down(client: FlaskClient) -> None:
    codes = [client.get("/l/bcdfghjk", headers=BROWSER).status_code for _ in range(65)]
    assert codes.count(404) == 60
    assert codes[-1] == 429


def test_an_erased_person_still_reaches_the_page_and_is_not_counted(
    session: Session, cast: Cast, campaign: Campaign, client: FlaskClient
) -> None:
    first, _ = links(write(session, campaign(TEXT), cast)[message_of(session, cast.mario).id])
    session.delete(cast.mario)
    session.commit()
    assert client.get(first, headers=BROWSER).status_code == 302
    assert count(session) == 0


def test_one_message_keeps_no_more_clicks_than_anybody_makes(session: Session, cast: Cast, campaign: Campaign) -> None:
    campaign("Hola")
    row, at = message_of(session, cast.lupita), cast.lupita.created_at
    kept = [clicks.record(session, row.id, at + timedelta(minutes=n)) for n in range(clicks.MOST + 3)]
    assert kept.count(True) == clicks.MOST


def test_naming_addresses_again_names_nothing_new(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign("Hola")
    named = message_links.name(session, made.id, ["https://a.example", "https://b.example https://a.example"])
    assert named == {"https://a.example": 1, "https://b.example": 2}
    assert message_links.name(session, made.id, ["https://b.example"]) == named
    assert message_links.of(session, made.id) == named
