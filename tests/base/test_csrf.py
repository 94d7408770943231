"""Who may change something without a token of our own pages: the providers' webhooks, the ways out of messages and the
links of surveys, which are signed, and nobody."""

import re
from uuid import uuid4

from flask import Flask

from callcenter.base.web import csrf

HOOKS = "/hooks/"


def test_only_what_is_signed_otherwise_does_without_the_token(app: Flask) -> None:
    exempt = {name for name in csrf._exempt_views if not name.startswith("tests.")}
    views = {f"{view.__module__}.{view.__name__}" for view in app.view_functions.values()}
    hooks = {f"{app.view_functions[rule.endpoint].__module__}.{app.view_functions[rule.endpoint].__name__}"
             for rule in app.url_map.iter_rules() if rule.rule.startswith(HOOKS)}  # fmt: skip
    assert exempt & views - hooks == {
        "campaigns.texts.public_messages.end",
        "surveys.fieldwork.web_pages.answer",
        "surveys.fieldwork.web_pages.begin",
        "surveys.fieldwork.web_pages.stop",
    }
    assert not csrf._exempt_blueprints
    assert app.config["WTF_CSRF_METHODS"] == {"POST", "PUT", "PATCH", "DELETE"}


def test_every_webhook_refuses_what_nobody_has_signed(app: Flask) -> None:
    client, names = app.test_client(), {"int": "1", "uuid": str(uuid4()), "string": "x", "default": "x"}
    answers = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(HOOKS) and "POST" in (rule.methods or ()):
            url = re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda found: names[found[1] or "default"], rule.rule)
            answers[url] = client.post(url, data={"CallSid": "CA" + "0" * 32}).status_code
    assert len(answers) > 20
    assert set(answers.values()) == {403}


def test_every_act_of_a_script_needs_the_token_too(app: Flask) -> None:
    client = app.test_client()
    for headers in ({}, {"HX-Request": "true"}, {"X-CSRFToken": "forged"}):
        assert client.post("/login", json={"username": "a", "password": "b"}, headers=headers).status_code == 400
        assert client.post("/baja", data={"phone": "2281234567"}, headers=headers).status_code == 400
