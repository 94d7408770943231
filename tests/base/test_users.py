"""People: user names, slips, bulk reading, roles, and the acts that leave a row in the audit."""

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base import users
from callcenter.base.audit import AuditEntry
from callcenter.base.errors import InvalidInput, Refused
from tests.base.conftest import PASSWORD, MakePerson, SignIn, post


@pytest.mark.parametrize(
    ("name", "username"),
    [
        ("María José Núñez", "maria.jose"),
        ("  Ángel   Peña ", "angel.pena"),
        ("Ñ", "n.p"),
        ("李", "persona"),
        ("Juan", "juan"),
    ],
)
def test_a_user_name_is_made_from_the_name(session: Session, name: str, username: str) -> None:
    assert users.free_username(session, name) == username


def test_the_second_person_of_a_name_gets_a_number(session: Session) -> None:
    slips = users.create_many(session, [users.NewPerson("Ana Ruiz", ("operator",))] * 3, by=_administrator(session))
    assert [slip.username for slip in slips] == ["ana.ruiz", "ana.ruiz2", "ana.ruiz3"]
    assert len({slip.password for slip in slips}) == 3


def test_pasted_lines_are_read_as_names_user_names_and_roles(app: Flask) -> None:
    with app.app_context():
        people = users.read_people("Ana Ruiz\n\nJuan Paz, Juan.P, supervisor\n", "operator")
    assert people == [
        users.NewPerson("Ana Ruiz", ("operator",)),
        users.NewPerson("Juan Paz", ("supervisor",), "juan.p"),
    ]


def test_cells_of_a_spreadsheet_are_read_too(app: Flask) -> None:
    with app.app_context():
        assert users.read_people("Ana Ruiz\tana\tpollster", "operator") == [
            users.NewPerson("Ana Ruiz", ("pollster",), "ana")
        ]


@pytest.mark.parametrize("text", ["", "\n \n", "Ana, ana, jefa", ", ana"])
def test_lines_that_cannot_be_used_are_refused_in_words(app: Flask, text: str) -> None:
    with app.app_context(), pytest.raises(InvalidInput) as refused:
        users.read_people(text, "operator")
    assert refused.value.faults["people"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(text=st.text(max_size=200))
def test_any_pasted_text_gives_people_or_a_sentence(app: Flask, text: str) -> None:
    with app.app_context():
        try:
            people = users.read_people(text, "operator")
        except InvalidInput:
            return
        assert all(person.full_name for person in people)


def test_one_bad_line_creates_nobody(session: Session, make_person: MakePerson, sign_in: SignIn) -> None:
    client = sign_in(make_person("administrator"))
    lines = "Ana Ruiz\nJuan Paz, no es un nombre"
    answer = post(client, "/people/bulk", {"people": lines, "role": "operator"}, page="/people/new")
    assert answer.status_code == 422
    assert users.find_by_name(session, "ana.ruiz") is None


def test_slips_show_user_name_and_password_once(session: Session, make_person: MakePerson, sign_in: SignIn) -> None:
    client = sign_in(make_person("administrator"))
    answer = post(client, "/people/bulk", {"people": "Ana Ruiz\nJuan Paz", "role": "operator"}, page="/people/new")
    assert answer.text.count('class="slip"') == 2
    ana = users.find_by_name(session, "ana.ruiz")
    assert ana is not None
    assert ana.must_change_password
    assert ana.password.startswith("$argon2id$")
    assert ana.password not in answer.text


def test_the_last_administrator_cannot_be_disabled_or_demoted(session: Session, app: Flask) -> None:
    only = _administrator(session)
    with app.app_context():
        with pytest.raises(Refused):
            users.set_active(session, only, active=False, by=only)
        with pytest.raises(Refused):
            users.set_roles(session, only, ["operator"], by=only)


def test_each_act_on_a_person_leaves_a_row_without_personal_data(
    session: Session, make_person: MakePerson, sign_in: SignIn
) -> None:
    client, person = sign_in(make_person("administrator")), make_person("operator", full_name="Ana Ruiz")
    page = f"/people/{person.id}"
    for path, form in (
        ("active", {"active": "no"}), ("active", {"active": "yes"}), ("sessions", {}), ("password", {}),
        ("second-factor", {"act": "require"}), ("second-factor", {"act": "reset"}), ("roles", {"roles": "supervisor"}),
    ):  # fmt: skip
        assert post(client, f"{page}/{path}", dict(form), page=page).status_code in (200, 302)
    of_person = select(AuditEntry).where(AuditEntry.subject == f"user/{person.id}").order_by(AuditEntry.id)
    entries = session.scalars(of_person).all()
    assert [entry.action for entry in entries] == [
        "user.created", "user.disabled", "user.enabled", "user.sessions_ended", "user.password_reset",
        "user.second_factor_required", "user.second_factor_reset", "user.roles_changed",
    ]  # fmt: skip
    assert "Ana" not in str([entry.detail for entry in entries])


def test_the_list_is_filtered_by_name_role_and_state(
    session: Session, make_person: MakePerson, sign_in: SignIn
) -> None:
    client = sign_in(make_person("administrator", full_name="Jefa Prueba"))
    make_person("operator", full_name="Ana Ruiz")
    make_person("supervisor", full_name="Beto Díaz")
    assert "Beto Díaz" not in client.get("/people?q=ana").text
    assert "Ana Ruiz" not in client.get("/people?role=supervisor").text
    assert "Ana Ruiz" not in client.get("/people?state=disabled").text
    assert "Ana Ruiz" in client.get("/people").text


def test_the_command_line_makes_people_and_sets_passwords(session: Session, app: Flask) -> None:
    runner = app.test_cli_runner()
    made = runner.invoke(args=["users", "create", "jefa", "--name", "Jefa Prueba", "--role", "administrator"])
    assert "one-time password" in made.output
    again = runner.invoke(args=["users", "create", "jefa", "--name", "Otra", "--role", "operator"])
    assert again.exit_code == 1
    changed = runner.invoke(args=["users", "password", "jefa", "--password-stdin"], input=PASSWORD + "\n")
    assert changed.exit_code == 0, changed.output
    assert PASSWORD not in changed.output
    assert runner.invoke(args=["users", "password", "nadie"]).exit_code == 1
    assert "jefa\tadministrator\tactive\tJefa Prueba" in runner.invoke(args=["users", "list"]).output


def _administrator(session: Session) -> int:
    return users.create(session, users.NewPerson("Jefa Única", ("administrator",)), PASSWORD, by=None).id
