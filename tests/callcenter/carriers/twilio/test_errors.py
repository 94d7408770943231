"""The table of Twilio's numbers: whole, sourced in one place, and never at a loss."""

from dataclasses import replace

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.errors import ProviderError
from callcenter.carriers import BadNumber
from callcenter.carriers.twilio import errors, words
from callcenter.carriers.twilio.carrier import TwilioCarrier
from callcenter.ledger import call_states
from callcenter.ledger.dispositions import label
from tests.callcenter.carriers.twilio.test_documented import ACCOUNT, DIAL, Says


@pytest.mark.parametrize(
    ("code", "kind", "outcome", "retry"),
    [
        (20003, "credentials", "not_placed", "after_change"),
        (20005, "suspended", "not_placed", "after_change"),
        (21210, "caller_id", "not_placed", "after_change"),
        (21211, "bad_number", "invalid_number", "never"),
        (21215, "geo", "not_placed", "after_change"),
        (21216, "blocked_number", "invalid_number", "never"),
        (21219, "trial", "not_placed", "after_change"),
        (20429, "rate", "not_placed", "given_back"),
        (10004, "concurrency", "not_placed", "given_back"),
        (32017, "caller_blocked", "failed", "rules"),
        (11200, "webhook", "failed", "rules"),
        (12200, "document", "failed", "rules"),
        (31205, "token", "", ""),
        (99999, "unknown", "not_placed", "after_change"),
    ],
)
def test_each_code_says_what_became_of_the_call_and_whether_to_try_again(
    code: int, kind: str, outcome: str, retry: str
) -> None:
    found = errors.meaning(code)
    assert (found.kind, found.outcome, found.retry) == (kind, outcome, retry)
    assert errors.meaning(str(code)) is found


def test_every_code_stands_once_and_every_kind_is_used() -> None:
    assert len(errors.BY_CODE) > 450
    used = {meaning.kind for meaning in (*errors.BY_CODE.values(), *errors.BY_SIP.values())}
    assert used == set(errors.KINDS)


def test_every_outcome_is_one_that_the_ledger_has_and_shows(app: Flask) -> None:
    with app.test_request_context():
        for meaning in (*errors.KINDS.values(), errors.UNKNOWN, errors.UNKNOWN_SIP):
            if meaning.outcome:
                assert meaning.outcome in call_states.MOVES["placing"]
                assert label(meaning.outcome) != meaning.outcome


def test_an_unknown_code_is_said_with_its_number_in_the_readers_language(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert errors.sentence(99999).startswith("Twilio 99999: unknown.")
        assert errors.sip_sentence(499).startswith("SIP 499: unknown.")
        assert "(Twilio 21215)" in errors.sentence("21215")
    with app.test_request_context(headers={"Accept-Language": "es"}):
        assert errors.sentence(99999).startswith("Twilio 99999: desconocido.")


@given(st.one_of(st.none(), st.integers(), st.text(max_size=30)))
def test_whatever_stands_for_a_code_there_is_a_meaning(code: object) -> None:
    assert errors.meaning(code).kind
    assert errors.of_sip(code).kind
    assert errors.outcome_of_failed(code, code) in (
        "failed", "busy", "no_answer", "invalid_number", "not_placed",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "event"),
    [
        ({"CallStatus": "failed", "SipResponseCode": "404"}, "invalid_number"),
        ({"CallStatus": "failed", "SipResponseCode": "486"}, "busy"),
        ({"CallStatus": "failed", "SipResponseCode": "603"}, "no_answer"),
        ({"CallStatus": "failed", "SipResponseCode": "503"}, "not_placed"),
        ({"CallStatus": "failed", "SipResponseCode": "502"}, "failed"),
        ({"CallStatus": "failed", "SipResponseCode": "799"}, "failed"),
        ({"CallStatus": "failed", "ErrorCode": "13224"}, "invalid_number"),
        ({"CallStatus": "failed", "ErrorCode": "32016"}, "failed"),
        ({"CallStatus": "failed", "ErrorCode": "98765"}, "failed"),
        ({"CallStatus": "failed"}, "failed"),
        ({"CallStatus": "busy", "SipResponseCode": "404"}, "busy"),
    ],
)
def test_a_failed_call_is_told_by_the_networks_answer_or_the_error(told: dict[str, str], event: str) -> None:
    assert words.event_of(told) == event


@pytest.mark.parametrize(("phone", "is_bad"), [("+529221234567", False), ("+34911234567", True)])
def test_a_missing_permission_burns_no_mexican_number_and_a_foreign_one_alone(phone: str, is_bad: bool) -> None:
    refusal = {"source": "", "status": 400, "code": 21215, "message": "Account not authorized to call"}
    twilio = TwilioCarrier(ACCOUNT, public_url="https://convoca.example", simulated=True)
    twilio._client.http_client = Says(refusal)
    with pytest.raises(ProviderError) as caught:
        twilio.place(replace(DIAL, phone=phone))
    assert isinstance(caught.value, BadNumber) is is_bad
    assert caught.value.permanent
