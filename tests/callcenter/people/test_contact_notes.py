"""Notes: words of the list warn before, and bring what was saved all the same to a supervisor; those of calls, too."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.base.audit import AuditEntry
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.contacts import Contact
from callcenter.people import contact_notes
from callcenter.people.contact_notes import ContactNote, found_words
from tests.callcenter import cast
from tests.callcenter.people.test_contact_views import post
from tests.conftest import ClientAs


@pytest.fixture
def ana(session: Session) -> Contact:
    return cast.person(session, "Ana López")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Pidió APOYOS para el techo", ["apoyo"]),
        ("le prometieron un camion", ["camión"]),
        ("dos camiones, dinero y Despensas.", ["despensa", "dinero", "camión"]),
        ("tinaco", ["tinaco"]),
        ("prefiere la tarde", []),
        ("apoyado, adinerado, camioneta", []),
        ("", []),
    ],
)
def test_words_are_found_whatever_their_accents_capitals_and_plurals(said: str, words: list[str]) -> None:
    assert found_words(said, contact_notes.WORDS) == words


@pytest.mark.parametrize(
    ("listed", "said"),
    [("camiones", "un camión"), ("luces", "la luz"), ("luz", "las luces"), ("Tarjeta Rosa", "tarjetas rosas")],
)
def test_the_list_may_hold_plurals_and_several_words(listed: str, said: str) -> None:
    assert found_words(said, [listed]) == [listed]


def test_the_warning_comes_before_and_the_note_then_waits_for_a_supervisor(session: Session, ana: Contact) -> None:
    with pytest.raises(Refused, match="despensa") as refused:
        contact_notes.write(session, ana.id, "Quiere una despensa", None)
    assert refused.value.code == "words"
    assert session.scalars(select(ContactNote)).all() == []
    note = contact_notes.write(session, ana.id, "Quiere una despensa", None, despite_words=True)
    (row,) = contact_notes.to_review(session)
    assert (row.ContactNote.id, row.said, row.ContactNote.hits) == (note.id, "Quiere una despensa", ["despensa"])
    contact_notes.keep(session, note.id, None)
    assert contact_notes.count_open(session) == 0
    assert [one.review for one in contact_notes.of_person(session, ana.id)] == ["kept"]


def test_a_harmless_note_waits_for_nobody(session: Session, ana: Contact) -> None:
    contact_notes.write(session, ana.id, "  Llamar por la tarde ", None)
    assert contact_notes.to_review(session) == []
    assert [one.text for one in contact_notes.of_person(session, ana.id)] == ["Llamar por la tarde"]


@pytest.mark.parametrize("said", ["", "   ", "x" * 501])
def test_a_note_is_short_and_says_something(session: Session, ana: Contact, said: str) -> None:
    with pytest.raises(InvalidInput):
        contact_notes.write(session, ana.id, said, None)


def test_a_supervisor_deletes_a_note_once(session: Session, ana: Contact) -> None:
    note = contact_notes.write(session, ana.id, "dinero", None, despite_words=True)
    contact_notes.remove(session, note.id, None)
    assert contact_notes.of_person(session, ana.id) == []
    with pytest.raises(NotFound):
        contact_notes.remove(session, note.id, None)
    acts = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert acts == ["notes.write", "notes.delete"]


def test_the_note_of_a_call_goes_through_the_same_list_as_it_is_typed(session: Session, ana: Contact) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, ana))
    calls.save_note(session, call_id, olga.id, "pide un tina")
    assert contact_notes.to_review(session) == []
    calls.save_note(session, call_id, olga.id, "pide un tinaco")
    session.flush()
    (row,) = contact_notes.to_review(session)
    assert (row.said, row.author) == ("pide un tinaco", "Olga")
    calls.save_note(session, call_id, olga.id, "pide que llamen mañana")  # the operator thought better of it
    session.flush()
    assert contact_notes.to_review(session) == []
    calls.dispose(session, call_id, olga.id, "completed", note="pide un tinaco y dinero")
    session.flush()
    (row,) = contact_notes.to_review(session)
    assert row.ContactNote.hits == ["dinero", "tinaco"]
    contact_notes.remove(session, row.ContactNote.id, None)
    assert cast.call(session, call_id).note is None
    assert contact_notes.of_person(session, ana.id) == []


def test_the_console_warns_while_the_note_is_typed(session: Session, ana: Contact) -> None:
    assert contact_notes.warning_of(session, "dinero")
    assert contact_notes.warning_of(session, "mañana") is None
    assert contact_notes.warning_of(session, None) is None


def test_an_administrator_changes_the_words_and_nobody_else(session: Session, client_as: ClientAs) -> None:
    administrator, supervisor = client_as("administrator"), client_as("supervisor")
    answer = post(administrator, "/contacts/notes/words", "/contacts/notes", words="Beca\n\nbeca  rosa\nBeca")
    assert answer.status_code == 302
    session.expire_all()
    assert contact_notes.words(session) == ["Beca", "beca rosa"]
    assert found_words("le dieron becas", contact_notes.words(session)) == ["Beca"]
    assert post(supervisor, "/contacts/notes/words", "/contacts/notes", words="x").status_code == 403
    refused = post(administrator, "/contacts/notes/words", "/contacts/notes", words="¡!\notra")
    assert refused.status_code == 422
    assert "otra" in refused.text  # what was typed is still there


def test_on_the_page_the_second_press_saves_the_note(session: Session, client_as: ClientAs, ana: Contact) -> None:
    session.commit()
    clerk: FlaskClient = client_as("data_clerk")
    page = f"/contacts/{ana.id}"
    warned = post(clerk, f"{page}/notes", page, text="Quiere un apoyo")
    assert warned.status_code == 409
    assert "Quiere un apoyo" in warned.text
    assert "alert-warning" in warned.text
    assert post(clerk, f"{page}/notes", page, text="Quiere un apoyo", despite_words="1").status_code == 302
    too_long = post(clerk, f"{page}/notes", page, text="x" * 501)
    assert (too_long.status_code, "x" * 501 in too_long.text) == (422, True)
    supervisor = client_as("supervisor")
    listed = supervisor.get("/contacts/notes").text
    assert "Quiere un apoyo" in listed
    (row,) = contact_notes.to_review(session)
    assert post(supervisor, f"/contacts/notes/{row.ContactNote.id}/delete", "/contacts/notes").status_code == 302
    assert "Quiere un apoyo" not in clerk.get(page).text
    assert clerk.get("/contacts/notes").status_code == 403
