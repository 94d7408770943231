"""A household is reached one by one, whoever asks at the same time."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from callcenter import consent
from campaigns.dispatch import message_claims as claims
from tests.campaigns.cast import Campaign, Cast, message_of, states


def test_a_message_waits_while_somebody_else_asks_about_its_phone(
    session: Session, cast: Cast, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = campaign()

    def all_but_lupita(_session: Session, phones: Any, **_how: Any) -> set[str]:
        return set(phones) - {cast.lupita.phone}

    monkeypatch.setattr(consent, "hold_phones", all_but_lupita)
    assert [one.phone for one in claims.claim(session, made.id, 10)] == [cast.mario.phone]
    assert states(session)["Guadalupe"] == ("planned", "household")
    assert message_of(session, cast.lupita).not_before is not None
