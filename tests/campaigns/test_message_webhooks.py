from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from callcenter import suppressions
from callcenter.base.settings import Settings
from campaigns.dispatch import message_claims as claims
from campaigns.inbox import InboundMessage
from campaigns.messages import MessageReceipt
from tests.campaigns.cast import Campaign, Cast, message_of


@pytest.fixture
def post(client: FlaskClient, settings: Settings) -> Any:
    """Posts a form as Twilio would, signed."""

    def send(path: str, form: dict[str, str], *, token: str = settings.twilio.auth_token) -> int:
        signature = RequestValidator(token).compute_signature(settings.public_url + path, form)
        return client.post(path, data=form, headers={"X-Twilio-Signature": signature}).status_code

    return send


def test_a_receipt_is_committed_before_its_answer_and_harmless_twice(
    session: Session, cast: Cast, campaign: Campaign, post: Any
) -> None:
    [one, *_] = [each for each in claims.claim(session, campaign().id, 10) if each.phone == cast.lupita.phone]
    session.commit()
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": one.phone}
    assert [post(f"/hooks/messages/receipt/{one.id}", form) for _ in range(2)] == [204, 204]
    row = message_of(session, cast.lupita)
    assert (row.state, row.provider_ref) == ("delivered", "SM1")
    assert session.scalar(select(func.count()).select_from(MessageReceipt)) == 1


def test_a_forged_receipt_changes_nothing(session: Session, cast: Cast, campaign: Campaign, post: Any) -> None:
    campaign()
    row = message_of(session, cast.lupita)
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    assert post(f"/hooks/messages/receipt/{row.id}", form, token="forged") == 403
    assert message_of(session, cast.lupita).state == "planned"


def test_a_receipt_for_nobody_is_not_found(cast: Cast, post: Any) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    assert post("/hooks/messages/receipt/00000000-0000-4000-8000-000000000000", form) == 404


def test_a_zero_byte_does_not_lose_a_baja(session: Session, cast: Cast, post: Any) -> None:
    form = {"MessageSid": "SM8", "From": cast.mario.phone, "To": "+525512340001", "Body": "BAJA\0", "FromCity": "\0"}
    assert post("/hooks/messages/inbound", form) == 200
    assert suppressions.find(session, cast.mario.phone) is not None


def test_baja_suppresses_the_phone_at_once_and_once(session: Session, cast: Cast, post: Any) -> None:
    form = {"MessageSid": "SM7", "From": cast.lupita.phone, "To": "+525512340001", "Body": "¡Baja!"}
    assert [post("/hooks/messages/inbound", form) for _ in range(2)] == [200, 200]
    assert suppressions.find(session, cast.lupita.phone) is not None
    [inbound] = session.scalars(select(InboundMessage)).all()
    assert inbound.is_opt_out
    for person in (cast.lupita, cast.beto):
        session.refresh(person)
        assert person.consent == "opted_out"
    session.refresh(cast.mario)
    assert cast.mario.consent == "opted_in"


def test_baja_from_whatsapp_reaches_the_same_phone(session: Session, cast: Cast, post: Any) -> None:
    address = "whatsapp:+521" + cast.lupita.phone.removeprefix("+52")
    assert post("/hooks/messages/inbound", {"MessageSid": "SM8", "From": address, "Body": "ALTO"}) == 200
    assert suppressions.find(session, cast.lupita.phone) is not None
