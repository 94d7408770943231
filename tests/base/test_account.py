"""One's own choices: language, theme, start page."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.base.conftest import MakePerson, SignIn, post


def test_spanish_is_the_language_unless_the_browser_asks_for_english(app: Flask) -> None:
    assert '<html lang="es"' in app.test_client().get("/login").text
    french = app.test_client().get("/login", headers={"Accept-Language": "fr"})
    assert '<html lang="es"' in french.text
    english = app.test_client().get("/login", headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert '<html lang="en"' in english.text


def test_a_chosen_language_stays_in_the_browser_and_with_the_person(
    session: Session, app: Flask, make_person: MakePerson, sign_in: SignIn
) -> None:
    person = make_person("operator")
    client = sign_in(person)
    answer = post(client, "/language", {"language": "en", "next": "/account"}, page="/account")
    assert answer.headers["Location"] == "/account"
    session.refresh(person)
    assert person.language == "en"
    assert '<html lang="en"' in client.get("/account").text
    assert '<html lang="en"' in sign_in(person).get("/account").text


def test_a_chosen_theme_is_in_the_first_byte_of_the_page(make_person: MakePerson, sign_in: SignIn) -> None:
    client = sign_in(make_person("operator"))
    post(client, "/theme", {"theme": "dark"}, page="/account")
    assert 'data-bs-theme="dark"' in client.get("/account").text


@pytest.mark.parametrize("target", ["https://elsewhere.test/", "//elsewhere.test", "/\\elsewhere.test", "", "x\r\ny"])
def test_a_form_leads_back_to_our_own_pages_only(app: Flask, target: str) -> None:
    answer = post(app.test_client(), "/theme", {"theme": "dark", "next": target})
    assert answer.headers["Location"] == "/"


def test_nonsense_is_not_remembered(app: Flask) -> None:
    client = app.test_client()
    post(client, "/theme", {"theme": "pink"})
    assert client.get_cookie("theme") is None


def test_the_start_page_leads_each_role_to_a_page_that_is_open_to_it(make_person: MakePerson, sign_in: SignIn) -> None:
    for role in ("administrator", "strategist", "supervisor", "pollster", "operator", "data_clerk"):
        client = sign_in(make_person(role))
        assert client.get("/", follow_redirects=True).status_code == 200, role
