"""Signing in: who gets in, who does not, how often one may try, and when a session ends."""

import time
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base import outbox, users
from callcenter.base.audit import AuditEntry
from callcenter.base.settings import Settings
from tests.base.conftest import PASSWORD, MakePerson, SignIn, post, token, token_in
from wsgi import create_app


def test_everybody_is_led_to_the_sign_in_page_and_back_to_where_they_wanted(
    app: Flask, make_person: MakePerson
) -> None:
    person = make_person("administrator")
    client = app.test_client()
    refused = client.get("/people?q=ana")
    assert refused.headers["Location"] == "/login?next=/people?q%3Dana"
    entered = client.post(
        refused.headers["Location"],
        data={"username": person.username, "password": PASSWORD, "csrf_token": token(client)},
    )
    assert entered.headers["Location"] == "/people?q=ana"


def test_nobody_is_led_to_another_site_after_signing_in(app: Flask, make_person: MakePerson) -> None:
    person = make_person("administrator")
    client = app.test_client()
    entered = client.post(
        "/login?next=https://elsewhere.test/",
        data={"username": person.username, "password": PASSWORD, "csrf_token": token(client)},
    )
    assert "elsewhere" not in entered.headers.get("Location", "")


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(app: Flask, make_person: MakePerson) -> None:
    person = make_person("operator")
    answers = [
        post(app.test_client(), "/login", {"username": name, "password": "algo que no es"}).text
        for name in (person.username, "nadie.asi")
    ]
    assert all("The user name or the password is not right." in text or "no son correctos" in text for text in answers)


def test_a_form_without_the_token_of_its_page_is_refused(app: Flask, make_person: MakePerson) -> None:
    person = make_person("operator")
    answer = app.test_client().post("/login", data={"username": person.username, "password": PASSWORD})
    assert answer.status_code == 400


def test_the_user_name_is_read_whatever_its_case(make_person: MakePerson, app: Flask) -> None:
    make_person("operator", username="rosa.prueba")
    answer = post(app.test_client(), "/login", {"username": " Rosa.Prueba ", "password": PASSWORD})
    assert answer.status_code == 302


def test_signing_out_is_a_post_and_ends_the_session(make_person: MakePerson, sign_in: SignIn) -> None:
    client = sign_in(make_person("operator"))
    assert client.get("/logout").status_code == 405
    post(client, "/logout", {}, page="/account")
    assert client.get("/account").headers["Location"].startswith("/login")


@pytest.mark.parametrize("act", ["disabled", "reset", "sessions ended", "second factor required"])
def test_sessions_end_at_once(act: str, session: Session, make_person: MakePerson, sign_in: SignIn) -> None:
    administrator, person = make_person("administrator"), make_person("operator")
    client = sign_in(person)
    assert client.get("/account").status_code == 200
    if act == "disabled":
        users.set_active(session, person.id, active=False, by=administrator.id)
    elif act == "reset":
        users.reset_password(session, person.id, by=administrator.id)
    elif act == "sessions ended":
        users.end_sessions(session, person.id, by=administrator.id)
    else:
        users.require_second_factor(session, person.id, required=True, by=administrator.id)
    session.commit()
    assert client.get("/account").headers["Location"].startswith("/login")


def test_a_disabled_person_does_not_get_in(session: Session, app: Flask, make_person: MakePerson) -> None:
    administrator, person = make_person("administrator"), make_person("operator")
    users.set_active(session, person.id, active=False, by=administrator.id)
    session.commit()
    assert post(app.test_client(), "/login", {"username": person.username, "password": PASSWORD}).status_code == 200


def test_many_failures_for_one_name_are_stopped_with_a_sentence(app: Flask, make_person: MakePerson) -> None:
    person = make_person("operator")
    client = app.test_client()
    answers = [post(client, "/login", {"username": person.username, "password": "no es esta"}) for _ in range(9)]
    assert [answer.status_code for answer in answers] == [200] * 8 + [429]
    assert post(client, "/login", {"username": person.username.upper(), "password": PASSWORD}).status_code == 429
    other = make_person("operator", full_name="Otra Persona")
    assert post(client, "/login", {"username": other.username, "password": PASSWORD}).status_code == 302


def test_a_sign_in_that_is_no_form_is_refused_in_words(app: Flask) -> None:
    client = app.test_client()
    headers = {"X-CSRFToken": token(client)}
    for body in ([1], "name", {"username": ["a"]}):
        assert client.post("/login", json=body, headers=headers).status_code in (400, 422)


def test_a_copied_cookie_is_no_key_for_ever(
    app: Flask, make_person: MakePerson, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sign_in(make_person("operator"))
    assert client.get("/account").status_code == 200
    later = time.time() + 17 * 3600
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    assert client.get("/account").status_code == 302


def test_failures_are_counted_in_memory_while_redis_is_away(
    session: Session, settings: Settings, make_person: MakePerson
) -> None:
    person = make_person("operator")
    client = create_app(replace(settings, redis_url="redis://127.0.0.1:1/0")).test_client()
    outbox.connect(settings.redis_url)
    codes = [
        post(client, "/login", {"username": person.username, "password": "no es esta"}).status_code for _ in range(9)
    ]
    assert codes[0] == 200
    assert codes[-1] == 429


def test_a_password_from_a_slip_opens_only_the_page_to_choose_ones_own(
    session: Session, app: Flask, make_person: MakePerson
) -> None:
    administrator = make_person("administrator")
    (slip,) = users.create_many(session, [users.NewPerson("Ana Nueva", ("operator",))], by=administrator.id)
    session.commit()
    client = app.test_client()
    post(client, "/login", {"username": slip.username, "password": slip.password})
    assert client.get("/account").headers["Location"] == "/change"
    assert client.get("/account", headers={"HX-Request": "true"}).status_code == 403
    own = {
        "password": slip.password,
        "new_password": "tres palabras mías",
        "new_password_confirm": "tres palabras mías",
    }
    assert post(client, "/change", own, page="/change").status_code == 302
    assert client.get("/account").status_code == 200
    assert "user.password_changed" in session.scalars(select(AuditEntry.action)).all()


def test_a_short_new_password_is_refused_in_words(make_person: MakePerson, sign_in: SignIn) -> None:
    client = sign_in(make_person("operator"))
    own = {"password": PASSWORD, "new_password": "corta", "new_password_confirm": "corta"}
    answer = post(client, "/change", own, page="/change")
    assert answer.status_code == 200
    assert "10" in answer.text


def test_demonstration_passwords_are_refused_where_the_settings_say_so(
    session: Session, settings: Settings, app: Flask
) -> None:
    user = users.create(session, users.NewPerson("Demo", ("operator",), "demo"), PASSWORD, by=None, is_demo=True)
    session.commit()
    form = {"username": user.username, "password": PASSWORD}
    strict = create_app(replace(settings, demo_passwords_refused=True))
    refused = post(strict.test_client(), "/login", form)
    assert refused.status_code == 200
    assert "flask users password" in refused.text
    client = app.test_client()
    post(client, "/login", form)
    assert client.get("/account").status_code == 200
    app.config["SETTINGS"] = replace(settings, demo_passwords_refused=True)
    assert client.get("/account").headers["Location"].startswith("/login")


def test_a_required_second_factor_is_set_up_at_sign_in_and_asked_for_afterwards(
    session: Session, app: Flask, make_person: MakePerson
) -> None:
    administrator, person = make_person("administrator"), make_person("strategist")
    users.require_second_factor(session, person.id, required=True, by=administrator.id)
    session.commit()
    client = app.test_client()
    first = post(client, "/login", {"username": person.username, "password": PASSWORD})
    assert first.headers["Location"].startswith("/tf-setup")
    assert client.get("/account").status_code == 302
    shown = post(client, "/tf-setup", {"setup": "authenticator"}, page="/tf-setup")
    with client.session_transaction() as cookie:
        secret = cookie["tf_totp_secret"]
    finished = client.post("/tf-validate", data={"code": _code(app, secret), "csrf_token": token_in(shown.text)})
    assert shown.status_code == 200
    assert finished.status_code == 302
    assert client.get("/account").status_code == 200

    again = app.test_client()
    asked = post(again, "/login", {"username": person.username, "password": PASSWORD})
    assert asked.headers["Location"].startswith("/tf-validate")
    assert again.get("/account").status_code == 302
    assert post(again, "/tf-validate", {"code": "000000"}, page="/tf-validate").status_code == 200
    assert post(again, "/tf-validate", {"code": _code(app, secret)}, page="/tf-validate").status_code == 302
    assert again.get("/account").status_code == 200


def test_a_token_in_the_address_opens_nothing(app: Flask, make_person: MakePerson) -> None:
    person = make_person("administrator")
    with app.app_context():
        stolen = person.get_auth_token()
    assert app.test_client().get("/people", query_string={"auth_token": stolen}).status_code == 302


def _code(app: Flask, stored_secret: str) -> str:
    """What the authenticator app shows now."""
    return str(app.extensions["security"].totp_factory._totp.from_source(stored_secret).generate().token)
