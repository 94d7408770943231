"""Who may change something without a token of our own pages: the providers' webhooks, the ways out of messages and the
links of surveys, which are signed, and nobody."""

from flask import Flask

from callcenter.base.web import csrf


def test_only_what_is_signed_otherwise_does_without_the_token(app: Flask) -> None:
    exempt = {name for name in csrf._exempt_views if not name.startswith("tests.")}
    views = {f"{view.__module__}.{view.__name__}" for view in app.view_functions.values()}
    assert exempt & views == {
        "callcenter.webhooks.answer",
        "callcenter.webhooks.room",
        "callcenter.webhooks.room_status",
        "callcenter.webhooks.status",
        "campaigns.texts.public_messages.end",
        "campaigns.correspondence.telegram_hooks.update",
        "campaigns.webhooks.inbound",
        "campaigns.webhooks.receipt",
        "surveys.fieldwork.web_pages.answer",
        "surveys.fieldwork.web_pages.begin",
        "surveys.fieldwork.web_pages.stop",
    }
    assert not csrf._exempt_blueprints
    assert app.config["WTF_CSRF_METHODS"] == {"POST", "PUT", "PATCH", "DELETE"}


def test_every_act_of_a_script_needs_the_token_too(app: Flask) -> None:
    client = app.test_client()
    for headers in ({}, {"HX-Request": "true"}, {"X-CSRFToken": "forged"}):
        assert client.post("/login", json={"username": "a", "password": "b"}, headers=headers).status_code == 400
        assert client.post("/baja", data={"phone": "2281234567"}, headers=headers).status_code == 400
