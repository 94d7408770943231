from xml.etree import ElementTree

from sqlalchemy import insert
from sqlalchemy.orm import Session

from callcenter.calls import Call
from callcenter.contacts import Contact
from scripts.bench.twilio_load import _person
from scripts.bench.twilio_turns import _action, _pressed, ring
from scripts.simulated_carrier.citizens import citizen

ASKED = (
    '<Gather action="https://x.test/hooks/voice/survey/t/3#rp=5xx" finishOnKey="#"><Say>¿Cuántos años cumplidos tiene?'
    "</Say><Say>Marque el número y termine con la tecla de gato.</Say></Gather>"
)


def test_a_citizen_presses_what_the_document_asks_for_where_it_says() -> None:
    verb, person = ElementTree.fromstring(ASKED), citizen("+529220100001", 1)
    assert _action(verb) == "https://x.test/hooks/voice/survey/t/3"
    assert _pressed(verb, person) == {"Digits": str(person.age), "FinishedOnKey": "#", "msg": "Gather End"}


def test_calls_ring_for_a_recorded_survey(session: Session) -> None:
    session.execute(insert(Contact), list(map(_person, ("+529220100001", "+529220100002", "+529220100003"))))
    rung = ring(session, 2)
    assert len({phone for _, phone in rung}) == 2
    assert {session.get_one(Call, call_id).state for call_id, _ in rung} == {"ringing"}
