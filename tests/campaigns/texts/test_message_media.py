from dataclasses import replace
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.settings import Settings
from campaigns import channels
from campaigns.texts import message_media
from campaigns.texts.message_media import MessageMedia
from tests.base.conftest import post
from tests.campaigns.media_samples import jpeg, mp4, png
from tests.conftest import ClientAs

PAGE = "/campaigns/messages/media"


@pytest.fixture
def here(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, var=tmp_path)


def test_the_same_file_is_kept_once(session: Session) -> None:
    one = message_media.keep(session, "C:\\fotos\\mitin.jpg", jpeg(exif=b"x"), None)
    again = message_media.keep(session, "otra.jpg", jpeg(exif=b"y"), None)
    assert (one.id, one.name) == (again.id, "mitin.jpg")
    assert session.scalar(select(func.count()).select_from(MessageMedia)) == 1


@pytest.mark.parametrize(
    ("channel", "content", "sentence"),
    [
        ("sms", jpeg(), "carries no images"),
        ("email", jpeg(), "carries no images"),
        ("whatsapp", jpeg(), None),
        ("telegram", mp4(), None),
    ],
)
def test_a_channel_says_what_it_does_not_take(
    session: Session, channel: str, content: bytes, sentence: str | None
) -> None:
    fault = message_media.fault(message_media.keep(session, "a", content, None), channels.facts(channel))
    assert (sentence is None) == (fault is None)
    assert sentence is None or sentence in str(fault)


def test_a_file_too_big_for_a_channel_is_told_with_both_sizes(session: Session) -> None:
    media = message_media.keep(session, "a.png", png(), None)
    media.size = 6 * 2**20
    said = message_media.fault(media, channels.facts("whatsapp"))
    assert said == "The file has 6 MB; WhatsApp takes at most 5 MB."


def test_a_provider_fetches_what_we_signed_and_nothing_else(
    session: Session, client: FlaskClient, settings: Settings
) -> None:
    media = message_media.keep(session, "a.png", png(), None)
    session.commit()
    url = message_media.public_url(media, settings)
    path = url.removeprefix(settings.public_url)
    with client.get(path) as answer:
        assert (answer.status_code, answer.content_type, answer.data) == (200, "image/png", png())
    forged = path.replace("/m/", "/m/A", 1)
    assert [client.get(one).status_code for one in (forged, "/m/x.png", f"/m/{media.id}.png")] == [404] * 3


def test_a_token_of_another_installation_is_none_of_ours(settings: Settings) -> None:
    token = message_media.token(uuid4(), replace(settings, secret_key="another"))
    with pytest.raises(NotFound):
        message_media.read_token(token, settings)


def test_the_copy_on_disk_is_made_again_when_it_is_gone(session: Session, here: Settings) -> None:
    media = message_media.keep(session, "a.png", png(), None)
    session.commit()
    path = message_media.file_of(session, media, here)
    path.unlink()
    assert message_media.file_of(session, media, here).read_bytes() == png()


def test_a_strategist_adds_a_picture_on_its_page(session: Session, client_as: ClientAs) -> None:
    browser = client_as("strategist")
    assert post(browser, PAGE, {"file": (BytesIO(jpeg()), "mitin.jpg")}, page=PAGE).status_code == 302
    assert "mitin.jpg" in browser.get(PAGE).text
    media = session.scalars(select(MessageMedia)).one()
    with browser.get(f"{PAGE}/{media.id}") as shown:
        assert shown.data == jpeg()


def test_a_file_that_is_none_is_refused_on_the_page(session: Session, client_as: ClientAs) -> None:
    browser = client_as("strategist")
    refused = post(browser, PAGE, {"file": (BytesIO(b"%PDF-1.7"), "a.jpg")}, page=PAGE)
    assert refused.status_code == 422
    assert "JPEG, PNG" in refused.text
    assert post(browser, PAGE, {}, page=PAGE).status_code == 422
    assert session.scalar(select(func.count()).select_from(MessageMedia)) == 0


def test_more_bytes_than_any_channel_takes_are_refused() -> None:
    with pytest.raises(InvalidInput, match="takes more than 20 MB"):
        message_media.check_size(21 * 2**20)
