"""The pages of reports, costs, prices and whys, as each role sees them."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from campaigns.figures import message_costs
from campaigns.figures.message_prices import MessagePrice
from tests.campaigns.cast import LUPITA, Campaign, Cast, message_of
from tests.campaigns.message_ends import end

PAGE = "/campaigns/messages"
PRICE = {"provider": "simulated", "channel": "sms", "contract": "Contrato 7", "unit_price": "0.4",
         "valid_from": "2026-01-01"}  # fmt: skip


@pytest.fixture
def as_role(app: Flask, client_as: Callable[[str], FlaskClient]) -> Callable[[str], FlaskClient]:
    app.config["WTF_CSRF_ENABLED"] = False
    return client_as


def test_every_page_opens_and_links_to_the_others(
    session: Session, as_role: Callable[[str], FlaskClient], cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    message = end(session, cast.lupita, "delivered")
    end(session, cast.mario, "failed", error_code="30003")
    session.commit()
    client = as_role("strategist")
    for path in ("report", "report?by=age", "report/groups?by=section", "report/groups?by=sex", "certificate",
                 "certificate/checks", "people", "people?state=failed&error=30003",
                 "people?state=excluded&reason=landline",
                 "why", "why?person=Guadalupe", f"why/{cast.lupita.id}"):  # fmt: skip
        page = client.get(f"{PAGE}/{made.id}/{path}")
        assert page.status_code == 200, path
    assert "Mario Cruz" in client.get(f"{PAGE}/{made.id}/people?state=failed").text
    assert f"{PAGE}/{made.id}/why/{cast.lupita.id}" in client.get(f"{PAGE}/{made.id}/why?person=Guadalupe").text
    assert client.get(f"{PAGE}/why/{message.id}").status_code == 200
    assert f"{PAGE}/why/{message.id}" in client.get(f"/contacts/{cast.lupita.id}").text
    looked = session.scalars(select(AuditEntry.subject).where(AuditEntry.action == "messages.why")).all()
    assert set(looked) == {f"contact/{cast.lupita.id}"}


def test_bad_addresses_are_answered_in_words(
    session: Session, as_role: Callable[[str], FlaskClient], cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    client = as_role("strategist")
    assert client.get(f"{PAGE}/{made.id}/people?state=lost").status_code == 422
    assert client.get(f"{PAGE}/{made.id}/report.csv?table=names").status_code == 422
    assert client.get(f"{PAGE}/{made.id}/report?by=name").status_code == 200  # the first grouping
    assert client.get(f"{PAGE}/999999/report").status_code == 404
    assert client.get(f"{PAGE}/{made.id}/why/999999").status_code == 404
    assert client.get(f"{PAGE}/why/00000000-0000-4000-8000-000000000000").status_code == 404
    assert client.get(f"{PAGE}/costs?first=yesterday").status_code == 422
    assert client.get(f"{PAGE}/costs?first=2026-05-02&last=2026-05-01").status_code == 422
    assert client.get(f"{PAGE}/costs?first=2020-01-01&last=2026-05-01").status_code == 422
    assert client.get(f"{PAGE}/costs?last=2199-01-01").status_code == 422


def test_a_phone_is_whole_for_who_may_see_phones_only(
    session: Session, as_role: Callable[[str], FlaskClient], cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    assert LUPITA not in as_role("strategist").get(f"{PAGE}/{made.id}/why/{cast.lupita.id}").text
    assert LUPITA in as_role("supervisor").get(f"{PAGE}/{made.id}/why/{cast.lupita.id}").text


def test_files_hold_the_tables_and_are_audited(
    session: Session, as_role: Callable[[str], FlaskClient], cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    end(session, cast.lupita, "delivered", unit_price=Decimal("0.4"))
    session.commit()
    client = as_role("administrator")
    rows = client.get(f"{PAGE}/{made.id}/certificate.csv")
    assert len(rows.text.strip().splitlines()) == 5
    assert LUPITA not in rows.text
    for table in ("wording", "section", "age", "sex"):
        assert client.get(f"{PAGE}/{made.id}/report.csv?table={table}").status_code == 200
    today = message_costs.today()
    book = openpyxl.load_workbook(BytesIO(client.get(f"{PAGE}/costs.xlsx?first={today}&last={today}").data))
    assert book.active is not None
    assert [row[-1].value for row in book.active.iter_rows()][-1] == 0.4
    told = set(session.scalars(select(AuditEntry.action)))
    assert {"message_campaign.certificate", "message_campaign.export", "message_costs.export"} <= told


def test_costs_of_a_stretch_and_of_one_campaign(
    session: Session, as_role: Callable[[str], FlaskClient], cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    end(session, cast.lupita, "delivered")
    session.commit()
    client = as_role("strategist")
    page = client.get(f"{PAGE}/costs")
    assert "Greeting" in page.text
    past = message_costs.today() - timedelta(days=40)
    assert "Greeting" not in client.get(f"{PAGE}/costs?first={past}&last={past}").text
    assert client.get(f"{PAGE}/costs?campaign={made.id}").status_code == 200
    assert client.get(f"{PAGE}/costs?campaign=999999").status_code == 404


def test_an_administrator_records_a_price_and_takes_it_back(
    session: Session, as_role: Callable[[str], FlaskClient], cast: Cast
) -> None:
    client = as_role("administrator")
    wrong = client.post(f"{PAGE}/prices", data=PRICE | {"unit_price": "free", "contract": "Contrato <7>"})
    assert wrong.status_code == 422
    assert "unit_price-fault" in wrong.text
    assert "Contrato &lt;7&gt;" in wrong.text  # nothing typed is lost
    assert client.post(f"{PAGE}/prices", data=PRICE).status_code == 302
    made = session.scalars(select(MessagePrice)).one()
    assert (made.contract, made.unit_price) == ("Contrato 7", Decimal("0.4"))
    assert client.post(f"{PAGE}/prices", data=PRICE).status_code == 422
    assert client.get(f"{PAGE}/prices").status_code == 200
    assert client.post(f"{PAGE}/prices/{made.id}/remove").status_code == 302
    assert session.scalars(select(MessagePrice)).first() is None
    assert as_role("strategist").get(f"{PAGE}/prices").status_code == 403


def test_a_page_of_a_draft_says_that_there_is_nothing_yet(
    session: Session, as_role: Callable[[str], FlaskClient], cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    for contact in (cast.lupita, cast.beto, cast.mario, cast.rosa):
        session.delete(message_of(session, contact))
    session.commit()
    client = as_role("strategist")
    for path in ("report", "report/groups", "certificate", "certificate/checks", "people"):
        assert client.get(f"{PAGE}/{made.id}/{path}").status_code == 200
