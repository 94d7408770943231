"""The columns in which the carrier keeps what happened."""

import time
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.simulated_carrier import received
from scripts.simulated_carrier.ledger import STATUSES, Ledger
from scripts.simulated_carrier.options import ACCOUNT_SID
from scripts.simulated_carrier.texts import Text

ADDRESSES = st.sampled_from(
    ["+529220100001", "+529220100002", "whatsapp:+529220100001", "whatsapp:+5219220100001", "whatsapp:MX.777", "MX.777",
     "26262", "+1555000000000001"]
)  # fmt: skip
TEXTS = st.builds(
    Text, to=ADDRESSES, sender=st.sampled_from(["+525512340001", "CONVOCA", "whatsapp:+525512340001"]),
    body=st.text(max_size=60), status=st.sampled_from(STATUSES), service_sid=st.sampled_from([None, "MG" + "5" * 32]),
    error_code=st.sampled_from([None, "30007", "63016"]), media_count=st.integers(0, 10),
    created_at=st.floats(1, 2e9), updated_at=st.floats(1, 2e9), sent_at=st.floats(0, 2e9),
)  # fmt: skip


def ledger_of(*texts: Text) -> Ledger:
    ledger = Ledger(ACCOUNT_SID)
    for text in texts:
        ledger.add(text)
    return ledger


def text(to: str, body: str = "Hola", status: str = "delivered") -> Text:
    return Text(to, "+525512340001", body, status=status, created_at=time.time())


@given(st.lists(TEXTS, max_size=12))
def test_what_is_read_is_what_was_written(texts: list[Text]) -> None:
    ledger = ledger_of(*texts)
    for written in texts:
        found = ledger.find(written.sid)
        assert found is not None
        kept = [
            field.name for field in fields(Text) if field.name not in ("status_callback", "media", "buttons", "_parts")
        ]
        assert {name: getattr(found, name) for name in kept} == {name: getattr(written, name) for name in kept}


@given(st.lists(TEXTS, max_size=12))
def test_the_messages_of_an_address_are_found_newest_first(texts: list[Text]) -> None:
    ledger = ledger_of(*texts)
    for address in {written.to for written in texts}:
        numbers = [found.number for found in ledger.of(address)]
        assert numbers == [written.number for written in reversed(texts) if written.to == address]


@pytest.mark.parametrize("sid", ["", "SM", "SM" + "0" * 32, "SMzz", "SM" + "f" * 32])
def test_a_sid_that_nobody_was_given_finds_nothing(sid: str) -> None:
    assert ledger_of(text("+529220100001")).find(sid) is None


def test_a_message_that_moves_is_read_as_it_is_now() -> None:
    written = text("+529220100001", status="queued")
    ledger = ledger_of(written)
    written.status, written.error_code, written.sent_at = "undelivered", "30005", 5.0
    ledger.move(written)
    found = ledger.read(0)
    assert (found.status, found.error_code, found.sent_at) == ("undelivered", "30005", 5.0)


def test_phones_are_counted_by_what_they_received_and_not_by_what_was_said() -> None:
    one, two, three = "+529220100001", "+529220100002", "+529220100003"
    ledger = ledger_of(
        text(one), text(one), text(two), text(two, "otra cosa"), text(three, status="undelivered"),
        text(three, status="sent"), text(three, status="read"),
        Text("+525512340001", one, "BAJA", status="received", is_inbound=True),
    )  # fmt: skip
    found = received.summary(ledger)
    assert (found["accepted"], found["received"], found["phones"]) == (7, 5, 3)
    assert (found["twice"], found["twice_same_text"], found["most"]) == (2, 1, 2)
    assert found["by_status"] == {"delivered": 4, "undelivered": 1, "sent": 1, "read": 1}
    assert found["texts"][0] == {"text": "Hola", "messages": 4, "phones": 3, "twice": 1}
    assert "".join(received.phones(ledger, least=2)) == f"{one},2\n{two},2\n"


def test_a_phone_is_one_whatever_the_channel_and_the_old_1_after_52() -> None:
    ledger = ledger_of(text("+529220100001"), text("whatsapp:+529220100001"), text("whatsapp:+5219220100001"))
    assert received.summary(ledger)["phones"] == 1
    assert "".join(received.phones(ledger)) == "+529220100001,3\n"


def test_only_what_came_after_a_mark_holds_a_word_or_left_by_a_sender_is_counted() -> None:
    ledger = ledger_of(text("+529220100001"), text("+529220100002", "vota"), text("+529220100003"))
    assert received.summary(ledger, first=1)["accepted"] == 2
    assert received.summary(ledger, part="vot")["accepted"] == 1
    assert received.summary(ledger, sender="nobody")["accepted"] == 0
    assert received.summary(ledger, sender="+525512340001")["accepted"] == 3


def test_an_empty_ledger_has_counts_of_nothing() -> None:
    assert received.summary(ledger_of())["twice"] == 0


def test_a_hundred_thousand_messages_take_some_ten_megabytes() -> None:
    ledger = Ledger(ACCOUNT_SID)
    for number in range(100_000):
        ledger.add(text(f"+52922{1_000_000 + number}", f"Hola vecina {number}"))
    columns = [value for value in vars(ledger).values() if hasattr(value, "buffer_info")]
    assert sum(len(column) * column.itemsize for column in columns) < 15 * 2**20
    assert ledger.body(77) == "Hola vecina 77"
