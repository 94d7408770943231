"""Promoters, organisations, signed forms and posts: the first form wins, nothing is lost, spellings become one."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter.base.clock import real_now
from callcenter.base.db import Sessions
from callcenter.base.errors import InvalidInput, Refused
from callcenter.contacts import Contact
from callcenter.people import contact_history, pledges, posts, structure
from callcenter.people.pledges import Form, Pledge
from callcenter.people.posts import Post, PostHolder
from callcenter.people.structure import Promoter
from tests.callcenter.cast import person
from tests.callcenter.test_imports import run
from tests.conftest import ClientAs

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def signed(session: Session, contact_id: int, form_id: str, promoter: str = "Rosa Luna", **more: Any) -> Pledge:
    return pledges.add(session, contact_id, Form(form_id, promoter, **more), source="test", user_id=None)


def test_of_two_forms_of_a_person_the_first_signed_counts_and_both_are_kept(session: Session) -> None:
    who = person(session)
    signed(session, who.id, "7", "Rosa Luna", signed_on=APRIL)
    signed(session, who.id, "1", "Pedro Sol", signed_on=MARCH)
    signed(session, who.id, "2", "Inés Mar")
    shown = pledges.of_person(session, who.id)
    assert [(one.promoter, one.counts) for one in shown] == [
        ("Pedro Sol", True), ("Rosa Luna", False), ("Inés Mar", False)
    ]  # fmt: skip
    session.refresh(who)
    assert who.promoter == "Pedro Sol"
    tallies = {one.name: (one.gross, one.net) for one in structure.promoters(session)}
    assert tallies == {"Pedro Sol": (1, 1), "Rosa Luna": (1, 0), "Inés Mar": (1, 0)}


def test_a_number_exists_once_in_its_series(session: Session) -> None:
    one, other = person(session), person(session)
    signed(session, one.id, "7")
    with pytest.raises(InvalidInput) as fault:
        signed(session, other.id, "7")
    assert "form_id" in fault.value.faults
    signed(session, other.id, "7", "Pedro Sol")
    signed(session, other.id, "7", "Rosa Luna", organization="Comité")  # the organisation's own numbering


@pytest.mark.parametrize(
    "form", [Form(""), Form("1"), Form("1", "Rosa", signed_on=date(1900, 1, 1)), Form("x" * 41, "Rosa")]
)
def test_a_form_that_cannot_be_is_refused_by_field(session: Session, form: Form) -> None:
    with pytest.raises(InvalidInput):
        pledges.add(session, person(session).id, form, source="test", user_id=None)


def test_what_a_verification_call_found_is_kept_and_counted(session: Session) -> None:
    first, second = person(session), person(session)
    pledges.verify(session, signed(session, first.id, "1").id, "confirmed", call_id=None, at=real_now())
    pledges.verify(session, signed(session, second.id, "2").id, "denied", call_id=None, at=real_now())
    (tally,) = structure.promoters(session)
    assert (tally.gross, tally.net, tally.verified, tally.denied) == (2, 2, 1, 1)
    kept = pledges.of_person(session, first.id)[0].pledge
    with pytest.raises(InvalidInput):
        pledges.verify(session, kept.id, "perhaps", call_id=None, at=real_now())


def test_two_spellings_become_one_promoter_and_part_again(session: Session) -> None:
    one, other, later = person(session), person(session), person(session)
    signed(session, one.id, "1", "Rosa Luna")
    signed(session, other.id, "1", "ROSA LUNA P.")
    kept, gone = session.scalars(select(Promoter).order_by(Promoter.id))
    structure.merge_promoters(session, kept.id, gone.id, None)
    session.expire_all()
    (tally,) = structure.promoters(session)
    assert (tally.gross, tally.net) == (2, 2)
    assert other.promoter_id == kept.id
    assert structure.promoter(session, "Rosa Luna P.").id == kept.id  # a list that spells them so means the same one
    signed(session, later.id, "2", "Rosa Luna P.")
    for pair in ((kept.id, kept.id), (kept.id, gone.id), (gone.id, kept.id)):
        with pytest.raises(InvalidInput):
            structure.merge_promoters(session, *pair, None)
    assert structure.part_promoters(session, gone.id, None) == kept.id
    session.expire_all()
    assert {tally.name: tally.gross for tally in structure.promoters(session)} == {"Rosa Luna": 2, "ROSA LUNA P.": 1}
    assert (one.promoter_id, other.promoter_id, later.promoter_id) == (kept.id, gone.id, kept.id)
    with pytest.raises(Refused):
        structure.part_promoters(session, gone.id, None)


def test_a_list_in_another_spelling_means_the_promoter_it_was_made_one_with(session: Session, tmp_path: Path) -> None:
    kept, gone = (structure.promoter(session, name).id for name in ("Rosa Luna", "Rosa Lun"))
    structure.merge_promoters(session, kept, gone, None)
    path = tmp_path / "lista.csv"
    path.write_text("NOMBRE,CELULAR,PROMOTOR,FOLIO_COMPROMISO\nAna,2281234567,ROSA LUN,7\n")
    for _ in range(2):
        run(session, path)
    person_of = session.scalars(select(Contact.promoter_id).where(Contact.phone == "+522281234567")).one()
    pledge = session.scalars(select(Pledge)).one()
    assert (person_of, pledge.promoter_id, pledge.series) == (kept, kept, f"p{kept}")


def test_a_spelling_of_a_spelling_is_the_last_promoter_and_comes_back(session: Session) -> None:
    first, second, third = (structure.promoter(session, name).id for name in ("Rosa", "Rosi", "Rosita"))
    structure.merge_promoters(session, second, first, None)
    structure.merge_promoters(session, third, second, None)
    session.expire_all()
    assert structure.promoter(session, "Rosa").id == third
    structure.part_promoters(session, second, None)
    session.expire_all()
    assert structure.promoter(session, "Rosa").id == second


def test_spellings_that_differ_in_case_accents_and_zeros_are_one_from_the_start(session: Session) -> None:
    assert structure.promoter(session, "Promotor  01").id == structure.promoter(session, "PROMOTOR 1").id
    assert structure.organization(session, "Comité").id == structure.organization(session, " COMITE ").id


def test_a_list_of_forms_twice_adds_nothing(session: Session) -> None:
    who = person(session)
    promoter = structure.promoter(session, "Rosa Luna")
    rows = f"""SELECT {who.id}::bigint AS contact_id, {promoter.id} AS promoter_id, NULL::int AS organization_id,
        number::text AS form_id, DATE '2026-03-01' AS signed_on, 'lista'::text AS source, NULL::int AS import_id
        FROM generate_series(1, 3) AS number"""
    assert pledges.insert_from(session, rows) == 3
    assert pledges.insert_from(session, rows) == 0


def test_pledges_are_part_of_a_persons_history(app: Flask, session: Session) -> None:
    who = person(session)
    signed(session, who.id, "77")
    with app.test_request_context():
        (deed,) = contact_history.read(session, who.id, kind="pledges").deeds
    assert "77" in deed.outcome
    assert deed.campaign == "Rosa Luna"


def test_a_post_goes_from_one_person_to_the_next_and_remembers_both(session: Session) -> None:
    first, second = person(session), person(session)
    zone = posts.create(session, Post(kind="coordinator", level="zone", name="Zona norte", state=30))
    posts.appoint(session, zone.id, first.id, MARCH)
    posts.appoint(session, zone.id, second.id, APRIL)
    session.expire_all()
    assert (first.holds_post, second.holds_post) == (False, True)
    held = session.execute(
        select(PostHolder.contact_id, PostHolder.held_from, PostHolder.held_to).order_by(PostHolder.held_from)
    ).all()
    assert [tuple(row) for row in held] == [(first.id, MARCH, APRIL), (second.id, APRIL, None)]
    with pytest.raises(InvalidInput):
        posts.vacate(session, zone.id, MARCH)
    with pytest.raises(InvalidInput):
        posts.create(session, Post(kind="king", level="zone", name="x"))


def post(client: FlaskClient, url: str, **data: object) -> TestResponse:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/structure/").text)
    assert token
    return client.post(url, data={"csrf_token": token[1], **data})


def test_a_clerk_adds_a_form_on_the_persons_page(session: Session, client_as: ClientAs) -> None:
    who = person(session)
    session.commit()
    clerk, url = client_as("data_clerk"), f"/structure/people/{who.id}/pledges"
    assert url in clerk.get(f"/contacts/{who.id}").text
    bad = post(clerk, url, form_id="", promoter="Rosa <Luna>")
    assert "is-invalid" in bad.text
    assert "Rosa &lt;Luna&gt;" in bad.text  # what was typed is not lost
    assert "is-invalid" in post(clerk, url, form_id="1", promoter="Rosa", signed_on="ayer").text
    good = post(clerk, url, form_id="A-1", promoter="Rosa Luna", organization="Comité", signed_on="2026-03-01")
    assert "A-1" in good.text
    assert "is-invalid" not in good.text
    assert post(client_as("strategist"), url, form_id="2", promoter="Rosa").status_code == 403
    assert "A-1" in clerk.get(f"/contacts/{who.id}").text
    page = client_as("strategist").get(f"/contacts/{who.id}").text
    assert ("A-1" in page, url in page) == (True, False)  # who may not add one is shown no form


def test_promoters_are_listed_named_and_merged_on_their_pages(session: Session, client_as: ClientAs) -> None:
    who = person(session)
    signed(session, who.id, "1", "Rosa Luna")
    other = structure.promoter(session, "Rosa Lun")
    session.commit()
    clerk = client_as("data_clerk")
    assert "Rosa Luna" in clerk.get("/structure/?name=luna").text
    assert "Rosa Luna" not in clerk.get("/structure/?name=sol").text.partition("<tbody>")[2]
    kept = session.scalars(select(Promoter.id).where(Promoter.name == "Rosa Luna")).one()
    page = f"/structure/promoters/{kept}"
    assert post(clerk, f"{page}/organization", organization="Comité").status_code == 302
    assert "Comité" in clerk.get(page).text
    assert post(clerk, f"{page}/organization", organization="x" * 200).status_code == 422
    assert post(clerk, f"{page}/merge", other="").status_code == 422
    assert post(clerk, f"{page}/merge", other=other.id).status_code == 302
    assert post(clerk, f"{page}/merge", other=other.id).status_code == 422
    assert "Rosa Lun<" in clerk.get(page).text.replace(" <", "<")
    assert post(clerk, f"/structure/promoters/{other.id}/part").status_code == 302
    assert post(clerk, f"/structure/promoters/{other.id}/part").status_code == 409


def test_the_same_merge_twice_at_once_can_still_be_undone(app: Flask, committed: Sessions) -> None:
    with committed() as session:
        who = person(session)
        pledge = signed(session, who.id, "7", "Rosa Lunna")
        gone = pledge.promoter_id
        kept = structure.promoter(session, "Rosa Luna").id
        session.commit()
    assert gone is not None

    def merge_too() -> None:
        with app.app_context(), committed() as session:
            structure.merge_promoters(session, kept, gone, None)
            session.commit()

    with committed() as first, committed() as watching, ThreadPoolExecutor(1) as pool:
        structure.merge_promoters(first, kept, gone, None)
        second = pool.submit(merge_too)
        while not second.done() and not watching.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            watching.rollback()
        first.commit()
        with pytest.raises(InvalidInput):
            second.result(timeout=30)
        structure.part_promoters(first, gone, None)
        assert first.scalars(select(Pledge.promoter_id)).one() == gone
