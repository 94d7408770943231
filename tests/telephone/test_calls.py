"""Bare calls through Asterisk: what each kind of telephone does arrives as it should."""

import time
from uuid import uuid4

import pytest

from scripts.simulated_telephones import Network
from tests.telephone.manager import Manager, Packet, until

FAILURES = {
    "01": ("17", "486"), "02": ("1", "404"), "03": ("19", "480"), "04": ("21", "603"), "09": ("34", "503"),
    "10": ("21", "403"), "11": ("22", "410"), "16": ("38", "500"),
}  # fmt: skip


def call(worker: Manager, trunk: str, number: str, *variables: str, exten: str = "wait", context: str = "citizen",
         seconds: int = 10) -> str:  # fmt: skip
    """Originate as the product does; returns the call's id."""
    name = str(uuid4())
    answer = worker.ask(
        "Originate", f"CONVOCA_CALL={name}", *variables, ActionID=name, ChannelId=name,
        Channel=f"PJSIP/{number}@{trunk}", Context=context, Exten=exten, Priority=1, Async="true",
        Timeout=seconds * 1000, CallerID="5512340000",
    )  # fmt: skip
    assert answer["Response"] == "Success", answer
    return name


def hang_up(worker: Manager, listener: Manager, name: str) -> Packet:
    worker.ask("Hangup", Channel=name)
    return listener.event("Hangup", Uniqueid=name)


@pytest.mark.parametrize(("digits", "cause", "status"), [(d, *expected) for d, expected in FAILURES.items()])
def test_a_call_that_fails_says_why_in_both_languages(
    digits: str, cause: str, status: str, worker: Manager, listener: Manager, trunk: str
) -> None:
    name = call(worker, trunk, f"+5255123400{digits}")
    ended = listener.event("Hangup", Uniqueid=name)
    assert listener.event("OriginateResponse", ActionID=name)["Response"] == "Failure"
    assert (ended["Cause"], ended["TechCause"]) == (cause, status)


def test_nobody_answers(worker: Manager, listener: Manager, trunk: str, network: Network) -> None:
    name = call(worker, trunk, "+525512340005", seconds=1)
    response = listener.event("OriginateResponse", ActionID=name)
    listener.event("Hangup", Uniqueid=name)
    assert (response["Response"], response["Reason"]) == ("Failure", "3")
    gone = network.await_call("0005")
    until(lambda: (gone.status, gone.hung_up_by) == (487, "them"))


def test_an_answered_call_is_told_at_once_and_waits_in_silence(
    worker: Manager, listener: Manager, trunk: str, network: Network
) -> None:
    name = call(worker, trunk, "+525512340099")
    listener.news("answered", Call=name, Uniqueid=name)
    heard_in = time.monotonic()
    citizen = network.await_call("0099")
    assert citizen.answered_at is not None
    assert heard_in - citizen.answered_at < 0.5
    hang_up(worker, listener, name)
    assert citizen.heard.tones == {}
    told = listener.news("ended", Call=name)
    assert told["Uniqueid"] == name


def test_who_hangs_up_is_told(worker: Manager, listener: Manager, trunk: str) -> None:
    name = call(worker, trunk, "+525512340006")
    listener.news("answered", Call=name)
    # Not always 16 in the Hangup itself: what was asked for comes before it.
    assert listener.event("SoftHangupRequest", Uniqueid=name)["Cause"] == "16"
    assert listener.event("Hangup", Uniqueid=name)["Cause"] in ("0", "16")
