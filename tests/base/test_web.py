"""The frame: headers, compression, versioned files, errors in words."""

import gzip
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from callcenter.base import web
from callcenter.base.auth import public
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.settings import Settings
from tests.base.conftest import MakePerson, SignIn
from wsgi import create_app


def test_every_answer_forbids_what_it_does_not_need(app: Flask, settings: Settings) -> None:
    answer = app.test_client().get("/login")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]


def test_live_news_may_come_from_their_own_port(session: Session, settings: Settings) -> None:
    client = create_app(replace(settings, live_port=8123)).test_client()
    policy = client.get("/login", base_url="http://127.0.0.1:8000").headers["Content-Security-Policy"]
    assert "connect-src 'self' http://127.0.0.1:8123" in policy


def test_cookies_are_secure_where_the_address_is(session: Session, settings: Settings) -> None:
    client = create_app(replace(settings, public_url="https://convoca.test")).test_client()
    cookie = client.get("/login", base_url="https://convoca.test").headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


def test_a_proxys_headers_are_believed_only_when_the_settings_count_it(session: Session, settings: Settings) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "elsewhere.test"}
    asked = {"path": "/people", "headers": forwarded, "base_url": "http://convoca.test"}
    for proxies, is_believed in ((0, False), (1, True)):
        app = create_app(replace(settings, proxies=proxies))
        seen: list[str] = []
        app.after_request(lambda response, seen=seen: (seen.append(_root()), response)[1])
        app.test_client().get(**asked)
        assert ("elsewhere.test" in seen[0]) is is_believed


def test_no_page_has_an_inline_script_or_style(make_person: MakePerson, sign_in: SignIn) -> None:
    client = sign_in(make_person("administrator"))
    for path in ("/account", "/people", "/people/new", "/audit", "/change", "/tf-setup"):
        page = client.get(path).text
        assert "<script>" not in page
        assert " style=" not in page
        assert " onclick=" not in page


def test_pages_and_files_are_sent_compressed(app: Flask) -> None:
    client = app.test_client()
    plain = client.get("/login")
    gzipped = {"Accept-Encoding": "gzip"}
    small = client.get("/login", headers=gzipped)
    assert small.headers["Content-Encoding"] == "gzip"
    assert len(small.data) < len(plain.data) / 2
    assert gzip.decompress(small.data).decode().count("<form") == plain.text.count("<form")
    style = client.get("/static/base/vendor/bootstrap-5.3.8/bootstrap.min.css", headers=gzipped)
    assert len(style.data) < 35_000
    again = client.get(style.request.path, headers={**gzipped, "If-None-Match": style.headers["ETag"]}, buffered=True)
    assert again.status_code == 304
    assert "Content-Encoding" not in client.get("/login", headers={"Accept-Encoding": "gzip;q=0"}).headers


def test_a_file_with_its_version_in_the_address_is_kept_for_a_year(app: Flask) -> None:
    client = app.test_client()
    with app.test_request_context():
        address = app.url_for("account.static", filename="convoca.css")
    assert "?v=" in address
    assert "immutable" in client.get(address, buffered=True).headers["Cache-Control"]
    assert "immutable" not in client.get("/static/base/convoca.css", buffered=True).headers.get("Cache-Control", "")


def test_a_script_and_its_neighbours_share_a_version_in_the_path(app: Flask) -> None:
    client = app.test_client()
    with app.test_request_context():
        theme, frame = (app.url_for("account.static", filename=name) for name in ("theme.js", "frame.js"))
    folder, _, name = theme.rpartition("/")
    assert folder.startswith("/static/base/~")
    assert frame == f"{folder}/frame.js"
    assert "immutable" in client.get(theme, buffered=True).headers["Cache-Control"]
    assert client.get(f"{folder}/../../../base/settings.py").status_code == 404

    of_old_page = client.get(f"/static/base/~0123456789/{name}")
    assert of_old_page.status_code == 302
    assert of_old_page.headers["Location"] == theme
    assert of_old_page.headers["Cache-Control"] == "no-store"
    assert client.get("/static/base/~0123456789/no-such.js", follow_redirects=True).status_code == 404
    old_style = client.get("/static/base/convoca.css?v=0123456789", buffered=True)
    assert "immutable" not in old_style.headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    ("error", "status"),
    [(InvalidInput({"age": "Too old."}), 422), (NotFound("No such thing."), 404), (Refused("veda", "Not now."), 409)],
)
def test_errors_of_the_house_become_sentences(app: Flask, error: Exception, status: int) -> None:
    client = _failing(app, error)
    page = client.get("/fails")
    assert page.status_code == status
    assert str(error) in page.text
    answer = client.get("/fails", headers={"Accept": "application/json"})
    assert answer.get_json()["error"] == str(error)


def test_a_lost_database_and_a_bug_answer_without_asking_the_database(app: Flask) -> None:
    lost = _failing(app, OperationalError("SELECT", {}, Exception("gone"))).get("/fails")
    assert lost.status_code == 503
    assert "SELECT" not in lost.text


def test_a_bug_answers_in_words_and_logs_no_data(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    answer = _failing(app, ValueError("phone +525512340000")).get("/fails")
    assert answer.status_code == 500
    assert "+525512340000" not in answer.text + caplog.text
    assert "ValueError" in caplog.text


def test_what_cannot_be_stored_is_the_senders_fault(make_person: MakePerson, sign_in: SignIn) -> None:
    client = sign_in(make_person("administrator"))
    assert client.get("/people?q=%00").status_code == 400
    assert client.get("/people/99999999999999999999").status_code in (400, 404)


def test_the_second_of_two_who_did_the_same_gets_a_sentence(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    quoted = "Key (phone)=(+529221234567) already exists"
    answer = _failing(app, IntegrityError("INSERT", {}, Exception(quoted))).get("/fails")
    assert answer.status_code == 409
    assert quoted not in answer.text
    assert "collided" in caplog.text
    assert quoted not in caplog.text


@pytest.mark.parametrize("error", [PoolTimeout("QueuePool"), InterfaceError("SELECT", {}, Exception("closed"))])
def test_a_database_without_a_free_connection_is_away(app: Flask, error: Exception) -> None:
    assert _failing(app, error).get("/fails").status_code == 503


@pytest.mark.parametrize("path", ["/login", "/baja", "/hooks/messages/inbound", "/language"])
def test_nobody_fills_the_disk_from_outside(app: Flask, path: str) -> None:
    assert app.test_client().post(path, **_upload(1_100_000)).status_code == 413


def test_an_upload_is_let_in_where_it_is_expected(app: Flask) -> None:
    @public("a page of the test")
    @web.takes_upload(2_000_000)
    def takes() -> str:
        with request.files["file"].stream as stream:
            return str(len(stream.read()))

    app.add_url_rule("/takes", "takes", takes, methods=["POST"])
    web.csrf.exempt(takes)
    client = app.test_client()
    assert client.post("/takes", **_upload(1_900_000)).text == "1900000"
    assert client.post("/takes", **_upload(3_100_000)).status_code == 413


def test_an_unknown_address_is_a_sentence(app: Flask) -> None:
    answer = app.test_client().get("/no-such-page")
    assert answer.status_code == 404
    assert "base/convoca.css" in answer.text


def test_the_drill_banner_stands_on_every_page_of_a_drill(app: Flask, session: Session, settings: Settings) -> None:
    assert "drill-banner" in app.test_client().get("/login").text
    real = create_app(replace(settings, carrier="twilio"))
    assert "drill-banner" not in real.test_client().get("/login").text


def _failing(app: Flask, error: Exception):  # type: ignore[no-untyped-def]
    @public("a page of the test")
    def fails() -> str:
        raise error

    app.add_url_rule("/fails", "fails", fails)
    return app.test_client()


def _upload(size: int) -> dict[str, Any]:
    """A form with one file of that size, as a browser sends it."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="list.csv"\r\n\r\n'
    return {"data": head + b"x" * size + b"\r\n--x--\r\n", "content_type": "multipart/form-data; boundary=x"}


def _root() -> str:
    from flask import request

    return request.url_root
