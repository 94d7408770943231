from uuid import uuid4

from sqlalchemy.orm import Session

from campaigns import messages, wording
from campaigns.dispatch import message_texts
from campaigns.dispatch.message_texts import Asked, Written
from campaigns.texts import wordings
from campaigns.texts.wordings import Wording
from tests.campaigns.cast import Campaign, Cast


def test_each_person_gets_their_wording_with_their_values(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign("Hola {given_names}")
    wordings.keep(session, made.id, [Wording("A", "Hola {given_names}", 50), Wording("B", "Adiós {given_names}", 50)])
    one, two, three = uuid4(), uuid4(), uuid4()
    values = messages.values_of(cast.mario)
    found = message_texts.write(
        session, made, [Asked(one, "A", values), Asked(two, "B", values), Asked(three, "Z", values)]
    )
    assert found.written == {
        one: Written("Hola Mario", 1),
        two: Written("Adiós Mario", 1),
        three: Written("Hola Mario", 1),
    }
    assert found.refused == {}


def test_who_cannot_be_written_to_is_refused_with_the_reason(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign("{name} de {neighborhood}")
    one, two = uuid4(), uuid4()
    long = {"name": "x" * wording.MAX_CHARACTERS, "neighborhood": "Centro"}
    asked = [Asked(one, "A", messages.values_of(cast.mario)), Asked(two, "A", long)]
    assert message_texts.write(session, made, asked).refused == {one: "missing_value", two: "too_long"}


def test_without_accents_only_where_the_campaign_says_so(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign("¿Cómo está, {given_names}?", is_plain=True)
    one = uuid4()
    found = message_texts.write(session, made, [Asked(one, "A", {"given_names": "Íñigo"})])
    assert found.written[one].body == "¿Como esta, Iñigo?"


def test_nobody_asked_is_nobody_written(session: Session, cast: Cast, campaign: Campaign) -> None:
    assert message_texts.write(session, campaign("Hola"), []) == message_texts.Texts()
