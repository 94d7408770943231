"""What Twilio says of calls, by the short way in and committed in groups: three callbacks for each unanswered call.

It takes what is beyond doubt: signed for our address, a status that we know, a call of the ledger. Everything else, a
test call among it, goes on to the route (callcenter.webhooks).
"""

from collections.abc import Sequence
from uuid import UUID

from flask import Flask
from sqlalchemy.orm import Session

from callcenter import calls, recordings
from callcenter.base.group_commits import GroupCommits
from callcenter.base.settings import Settings
from callcenter.calls import Event
from callcenter.carriers.twilio import words
from callcenter.carriers.twilio.signed_door import stand_before

PATH = "/hooks/voice/status/"
ENDS = ("hung_up", "failed")  # of a call that somebody had answered
_News = tuple[UUID, Event]


def init_app(app: Flask, settings: Settings) -> None:
    """Take them before the application does."""
    stand_before(app, settings, PATH, lambda call_id, form: _commits.commit((call_id, read(form))))


def read(form: dict[str, str]) -> Event:
    """The event that a status callback tells. Raises InvalidInput that names those that we know."""
    kind, ref = words.event_of(form), form.get("CallSid")
    return Event(kind, f"status:{ref}:{kind}", words.cause_of(form), ref)


def record(session: Session, group: Sequence[_News]) -> list[bool]:
    """Move each call along; False for one that is not in the ledger of calls. Harmless when repeated."""
    known = calls.record_events(session, group)
    for call_id, said in group:
        if call_id in known and said.kind in ENDS:
            recordings.ended(session, call_id)
    return [call_id in known for call_id, _said in group]


_commits: GroupCommits[_News] = GroupCommits(record)
