import pytest
from sqlalchemy.orm import Session

from callcenter.base.settings import Settings
from campaigns.segments import Segment
from campaigns.texts import link_addresses, wording_panel
from tests.campaigns.cast import Cast
from tests.campaigns.segmenting.test_segment_views import post
from tests.conftest import ClientAs

ADDRESS = "/campaigns/messages/wording/"
SAID = {"purpose": "survey", "on_behalf_of": "Encuestas del Sur", "unit_price": "0.35", "channel": "sms"}


@pytest.fixture
def everybody(session: Session, cast: Cast, settings: Settings) -> dict[str, str]:
    link_addresses.configure(settings)
    segment = Segment(name="Everybody", rule={"all": []})
    session.add(segment)
    session.commit()
    return SAID | {"segment_id": str(segment.id)}


def test_the_counter_says_faults_parts_and_real_texts(client_as: ClientAs, everybody: dict[str, str]) -> None:
    author = client_as("strategist")
    page = post(author, ADDRESS + "counter", everybody | {"text": "Hola {given_names}"}).text
    assert "Hola Mario" in page
    assert "BAJA" in page  # the way out is missing
    page = post(author, ADDRESS + "counter", everybody | {"text": "Hola {zodiac}"}).text
    assert "{zodiac}" in page
    assert "Hola Mario" not in page


def test_the_second_wording_is_counted_by_its_own_field(client_as: ClientAs, everybody: dict[str, str]) -> None:
    data = everybody | {"text": "Hola", "text_b": "Adiós {given_names}"}
    assert "Adiós Mario" in post(client_as("strategist"), ADDRESS + "counter?field=text_b", data).text


@pytest.mark.parametrize("data", [{}, {"text": "x" * 5000}, {"text": "Hola", "segment_id": "7/7"},
                                  {"text": "\u202eHola\u200b", "unit_price": "NaN", "segment_id": "a"},
                                  {"text": "{", "unit_price": "x", "channel": "pigeon", "purpose": "x"}])  # fmt: skip
def test_whatever_is_typed_the_counter_answers(
    client_as: ClientAs, settings: Settings, session: Session, data: dict[str, str]
) -> None:
    for route in ("counter", "everybody", "plain"):
        assert post(client_as("strategist"), ADDRESS + route, data).status_code == 200


def test_everybody_is_checked_when_asked(client_as: ClientAs, everybody: dict[str, str]) -> None:
    data = everybody | {"text": "Vecina de {neighborhood}, " + "a" * 160}
    page = post(client_as("strategist"), ADDRESS + "everybody", data).text
    assert "{neighborhood|…}" in page  # Mario has none


def test_what_costs_less_is_offered_and_only_done_when_asked(
    session: Session, client_as: ClientAs, everybody: dict[str, str]
) -> None:
    data = everybody | {"text": "¿Cómo está, {given_names}? https://sur.example/Á " + "a" * 60}
    panel = wording_panel.look(session, data)
    assert [way.code for way in panel.ways] == ["", "text"]
    assert panel.ways[1].cost < panel.ways[0].cost
    box = post(client_as("strategist"), ADDRESS + "plain?way=text", data)
    assert "¿Como esta, {given_names}? https://sur.example/Á" in box.text
    assert "checked" not in box.text
    assert box.headers["HX-Trigger-After-Settle"] == "change"
    assert "checked" in post(client_as("strategist"), ADDRESS + "plain?way=all", data).text


def test_marks_and_links_are_told_of(session: Session, everybody: dict[str, str]) -> None:
    notes = wording_panel.look(session, everybody | {"text": "Hola\u200b https://sur.example/a"}).notes
    assert len(notes) == 3
    assert any("http://convoca.test/l/xxxxxxxx" in note for note in notes)


def test_only_authors_count(client_as: ClientAs, everybody: dict[str, str]) -> None:
    assert client_as("operator").post(ADDRESS + "counter", data=everybody).status_code == 403
