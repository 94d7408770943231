"""Who rings back while something of ours is missing."""

from typing import Any, cast
from uuid import uuid4

import pytest

from callcenter.base.errors import ProviderError
from callcenter.ledger import inbound
from scripts.ivr.line import Line
from scripts.ivr.reception import Reception
from surveys.fieldwork.recorded_calls import Subject
from tests.scripts.ivr.fake_switch import FakeSwitch

MENU = inbound.Menu("Casa", "https://example.org", "es", "survey", has_called=True, is_open=True, is_withheld=False)


class Spool:
    """Prompts that are there, or a disk that is full."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault

    def file(self, *_given: Any) -> tuple[str, float]:
        if self.fault is not None:
            raise self.fault
        return "/prompts/x", 0.1


@pytest.mark.parametrize(
    ("spool", "switch"),
    [
        (Spool(), FakeSwitch(ProviderError("It is away.", code="unreachable"), "200 result=1")),
        (Spool(ProviderError("Nobody speaks this.", code="no_voice")), FakeSwitch("200 result=1")),
        (Spool(OSError(28, "No space left on device")), FakeSwitch("200 result=1")),
    ],
    ids=["switch", "voice", "disk"],
)
@pytest.mark.usefixtures("session")
def test_a_citizen_who_cannot_be_told_anything_is_not_kept_on_the_line(
    spool: Spool, switch: FakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "menu", lambda *_given: MENU)
    line = Line(cast(Any, switch), "a-1.1")
    switch.line = line
    subject = Subject(uuid4(), 0, "Casa", "https://example.org", "in", None, None)
    assert Reception(line, cast(Any, spool), subject, "local", "/voices").receive() is None
    assert switch.commands[-1] == "HANGUP"
