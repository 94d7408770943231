"""The pages of tables, of the map and of the order, and their files."""

import csv
import io
from collections.abc import Callable, Iterator
from uuid import uuid4

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.territory import Municipality, Section
from surveys import questionnaire, responses
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.questionnaire import Survey
from tests.callcenter.territory_files import square

ClientAs = Callable[[str], FlaskClient]
ENGLISH = {"Accept-Language": "en"}
ORDER = ["rojo", "azul", "verde", "indep", "none", "void", "wont_vote", "undecided", "dk", "refused"]


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    responses.forget()
    yield
    responses.forget()


@pytest.fixture
def sections(session: Session) -> None:
    """Two municipalities of one section each, with outlines, and one in another state with the same number."""
    for number, (state, municipality) in enumerate(((30, 108), (30, 109), (20, 5))):
        outline = {"type": "Polygon", "coordinates": [square(number, 0)]}
        session.add(
            Section(
                state=state, number=9001 if state == 20 else 9001 + number, municipality_code=municipality, kind="U",
                municipality=f"Municipio {municipality}", geometry=outline,
            )
        )  # fmt: skip
        session.add(
            Municipality(state=state, ine_code=municipality, name=f"Municipio {municipality}", geometry=outline)
        )
    session.commit()


@pytest.fixture
def answered(session: Session, survey: Survey, sections: None) -> Survey:
    """120 interviews: 60 men of section 9001 (45 azul, 15 rojo), 60 women of 9002 (20 azul, 40 rojo)."""
    form = questionnaire.current(session, survey.id)
    for number in range(120):
        sex, section = ("H", "9001") if number < 60 else ("M", "9002")
        vote = "azul" if number < 45 or 60 <= number < 80 else "rojo"
        hidden = {"state": "30", "section": section, "section_kind": "U"}
        made = Interview(
            id=uuid4(), survey_id=survey.id, questionnaire_id=form.id, state="complete", seed=number, hidden=hidden,
            at=form.created_at,
        )  # fmt: skip
        order = ORDER if number % 2 else [ORDER[1], ORDER[0], *ORDER[2:]]
        session.add(made)
        session.flush()
        session.add_all(
            Answer(interview_id=made.id, item=item, value=value, choice_order=order if item == "vote" else None)
            for item, value in (("consent", "yes"), ("sex", sex), ("age", "40"), ("vote", vote))
        )
    session.commit()
    return survey


def _page(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address, headers=ENGLISH)
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    return answer.get_data(as_text=True)


def test_the_vote_by_sex_with_letters_tests_and_the_base(client_as: ClientAs, answered: Survey) -> None:
    page = _page(client_as("pollster"), f"/surveys/{answered.id}/tables?p=1")
    assert "54.2%" in page or "54.2 %" in page
    assert "75.0" in page
    assert '<strong class="crosstab-letters">B</strong>' in page
    assert "Rao–Scott, Sex: F(" in page
    assert "No weighting recipe is signed" in page
    assert "B p &lt; 0.001" in page


def test_an_address_that_cannot_be_read_keeps_the_form_and_says_what_is_wrong(
    client_as: ClientAs, answered: Survey
) -> None:
    page = _page(client_as("pollster"), f"/surveys/{answered.id}/tables?q=nobody&by=d_sex", 422)
    assert "There is no “nobody” to make a table of." in page
    assert '<option value="d_sex" selected>' in page


def test_a_survey_without_answers_says_so(client_as: ClientAs, survey: Survey) -> None:
    for way in ("tables", "map", "order"):
        assert "No interviews yet" in _page(client_as("pollster"), f"/surveys/{survey.id}/{way}")


def test_files_hold_what_the_page_shows_and_are_written_down(
    session: Session, client_as: ClientAs, answered: Survey
) -> None:
    client = client_as("pollster")
    answer = client.get(f"/surveys/{answered.id}/tables.csv?q=vote&by=d_sex", headers=ENGLISH)
    lines = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    azul = {line["group"]: line for line in lines if line["code"] == "azul"}
    assert [(name, azul[name]["n"], azul[name]["share"]) for name in ("All", "Men", "Women")] == [
        ("All", "65", str(65 / 120)), ("Men", "45", "0.75"), ("Women", "20", str(20 / 60)),
    ]  # fmt: skip
    assert azul["Men"]["above columns"] == "B"
    book = openpyxl.load_workbook(
        io.BytesIO(client.get(f"/surveys/{answered.id}/tables.xlsx?q=vote&q=age&by=d_sex", headers=ENGLISH).data)
    )
    assert book.sheetnames == ["1 vote", "2 age"]
    cells = [[cell for cell in row if cell is not None] for row in book["1 vote"].iter_rows(values_only=True)]
    assert ["n", 120, 60, 60] in [[cell for cell in row if cell != ""] for row in cells]
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"survey/{answered.id}")).all()
    assert list(actions) == ["tables.export", "tables.export"]


def test_the_map_shows_each_area_with_what_the_others_lend_it(client_as: ClientAs, answered: Survey) -> None:
    page = _page(client_as("strategist"), f"/surveys/{answered.id}/map?answer=vote:azul")
    assert "Azul by municipality" in page or "by municipality" in page
    assert "Municipio 108" in page
    assert "Municipio 5" not in page  # another state, where nobody was interviewed
    assert page.count("<path") == 2
    assert "Weight of its own" in page
    raw = _page(client_as("strategist"), f"/surveys/{answered.id}/map?answer=vote:azul&level=section&figure=raw")
    assert "75.0" in raw


def test_the_table_of_the_map_is_a_file(client_as: ClientAs, answered: Survey) -> None:
    answer = client_as("pollster").get(
        f"/surveys/{answered.id}/map.csv?answer=vote:azul&level=section", headers=ENGLISH
    )
    lines = {line["number"]: line for line in csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")))}
    assert (lines["9001"]["n"], lines["9001"]["own share"]) == ("60", "0.75")
    assert float(lines["9002"]["own share"]) < float(lines["9002"]["drawn share"]) < float(lines["9001"]["drawn share"])


@pytest.mark.parametrize(
    ("query", "named"),
    [("answer=vote:moon", "moon"), ("answer=moon:x", "moon"), ("level=moon", "municipality"), ("base=x", "candidates"),
     ("figure=x", "drawn")],
)  # fmt: skip
def test_a_map_of_nothing_is_refused_with_a_sentence(
    client_as: ClientAs, answered: Survey, query: str, named: str
) -> None:
    assert named in _page(client_as("pollster"), f"/surveys/{answered.id}/map?{query}", 422)


def test_the_order_page_tells_what_being_read_first_gains(client_as: ClientAs, answered: Survey) -> None:
    page = _page(client_as("supervisor"), f"/surveys/{answered.id}/order")
    assert "Named the first that was read" in page
    assert "within chance" in page
    assert "too few interviews yet" in page  # two candidates were never read first
    _page(client_as("supervisor"), f"/surveys/{answered.id}/order?q=nobody", 422)


def test_an_operator_sees_none_of_it(client_as: ClientAs, survey: Survey) -> None:
    for way in ("tables", "map", "order", "tables.csv", "map.csv"):
        assert client_as("operator").get(f"/surveys/{survey.id}/{way}").status_code == 403
