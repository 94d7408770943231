"""Canned replies: short names, placeholders, and nothing that somebody could not send."""

import pytest
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput, NotFound
from campaigns.correspondence import canned_replies
from tests.campaigns.cast import Cast


@pytest.fixture
def boss(people: dict[str, User]) -> int:
    return people["supervisor"].id


def test_a_reply_is_offered_with_the_values_of_the_person(session: Session, cast: Cast, boss: int) -> None:
    canned_replies.save(session, None, " /Horario ", "Hola {given_names}, abrimos a las 9.", boss)
    canned_replies.save(session, None, "donde", "En la colonia {neighborhood}.", boss)
    offered = {one.shortcut: one for one in canned_replies.offered(session, cast.mario)}
    assert offered["horario"].text == "Hola Mario, abrimos a las 9."
    assert (offered["donde"].missing, offered["horario"].missing) == ("neighborhood", None)
    assert canned_replies.offered(session, cast.lupita)[0].text == "En la colonia Centro."


def test_to_somebody_we_do_not_know_a_fallback_is_said(session: Session, boss: int) -> None:
    canned_replies.save(session, None, "hola", "Hola {given_names|vecina}.", boss)
    assert canned_replies.offered(session, None)[0].text == "Hola vecina."


@pytest.mark.parametrize(
    ("shortcut", "text", "faulty"),
    [
        ("dos palabras", "Hola", {"shortcut"}), ("", "Hola", {"shortcut"}), ("x" * 31, "Hola", {"shortcut"}),
        ("hola", "", {"text"}), ("hola", "Hola {apodo}", {"text"}), ("hola", "Hola {", {"text"}),
        ("¡!", " ", {"text", "shortcut"}),
        ("taken", "Hola", {"shortcut"}),
    ],
)  # fmt: skip
def test_every_fault_is_named_at_once(session: Session, boss: int, shortcut: str, text: str, faulty: set[str]) -> None:
    canned_replies.save(session, None, "taken", "Hola", boss)
    with pytest.raises(InvalidInput) as fault:
        canned_replies.save(session, None, shortcut, text, boss)
    assert set(fault.value.faults) == faulty


def test_a_reply_is_changed_under_its_own_name_and_removed(session: Session, boss: int) -> None:
    kept = canned_replies.save(session, None, "hola", "Hola", boss)
    canned_replies.save(session, kept.id, "hola", "Buenas", boss)
    assert [one.text for one in canned_replies.listed(session)] == ["Buenas"]
    canned_replies.remove(session, kept.id, boss)
    assert canned_replies.listed(session) == []
    with pytest.raises(NotFound):
        canned_replies.remove(session, kept.id, boss)
