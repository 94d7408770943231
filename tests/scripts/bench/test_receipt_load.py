"""The bench's callbacks are those that Twilio would sign."""

from urllib.parse import parse_qsl
from uuid import uuid4

from twilio.request_validator import RequestValidator

from scripts.bench import receipt_load


def test_each_callback_is_signed_for_its_address() -> None:
    message_id = uuid4()
    head, _, body = receipt_load.request_of("http://127.0.0.1:8000", "token", message_id, "sent").partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    path = lines[0].split()[1]
    form = dict(parse_qsl(body.decode()))
    assert path == f"/hooks/messages/receipt/{message_id}"
    assert int(headers["Content-Length"]) == len(body)
    validator = RequestValidator("token")
    assert validator.validate("http://127.0.0.1:8000" + path, form, headers["X-Twilio-Signature"])


def test_each_message_gets_each_status_once() -> None:
    ids = [uuid4() for _ in range(20)]
    bursts = list(receipt_load.bursts(ids, seed=1))
    assert sorted(bursts) == sorted((one, status) for one in ids for status in receipt_load.STATUSES)
    assert bursts == list(receipt_load.bursts(ids, seed=1))
