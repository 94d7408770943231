"""One house over two carriers: what the contract tests ask for, in words that both sides understand.

What a called person's telephone does: `answers`, `busy`, `nobody` (no such number), `silent` (never answers), `no_line`
(our own line has no room), `machine`, `person` (who says hello, so that a judgement of the line finds a person)."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID

from flask import Flask, Response
from werkzeug.serving import WSGIRequestHandler, make_server

import wsgi
from callcenter import calls, carriers, jobs, queues
from callcenter.base import clock
from callcenter.base.clock import real_now
from callcenter.base.db import Sessions
from callcenter.base.settings import Settings
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from scripts.simulated_carrier.options import Options
from tests.callcenter import cast
from tests.callcenter.carriers.twilio.documented import callback_faults, kind_of, twiml_faults
from tests.queued import run_jobs
from tests.scripts.simulated_carrier.line import Line, running
from tests.telephone.house import CALLER, House

DIGITS = {"answers": "99", "busy": "01", "nobody": "02", "silent": "05", "no_line": "16", "machine": "14",
          "person": "15"}  # fmt: skip
ORDERS: dict[str, dict[str, Any]] = {
    "answers": {"does": "answer"},
    "busy": {"does": "busy"},
    "nobody": {"does": "invalid"},
    "silent": {"does": "no_answer"},
    "no_line": {"does": "answer"},  # whom we do not come to
    "person": {"does": "answer", "answered_by": "human"},
    "machine": {"does": "voicemail", "answered_by": "machine_start"},
}
ASLEEP = 36_000  # seconds in which nobody loses patience
SPEED = 8.0


class Side(ABC):
    """`carrier`: the product's own, of this side."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    @property
    def carrier(self) -> carriers.Carrier:
        return carriers.the_carrier()

    @abstractmethod
    def call(self, does: str, **columns: object) -> UUID:
        """Place a call to somebody whose telephone does this; `columns` are of the queue."""

    @abstractmethod
    def operator(self, *, free: bool = True) -> int:
        """An operator in their room; returns their id."""

    @abstractmethod
    def leave(self, call_id: UUID) -> None:
        """The citizen of this call hangs up."""

    @abstractmethod
    def is_up(self, call_id: UUID) -> bool:
        """Is the citizen on the line? As the network says, not we."""

    def until(self, true: Callable[[], object], what: str, seconds: float = 15) -> None:
        """Wait, with a worker at work, for what the network or a worker brings about."""
        give_up = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < give_up, f"never happened: {what}"
            run_jobs()
            time.sleep(0.02)

    def ledger(self, call_id: UUID) -> Call:
        with self.sessions() as session:
            return cast.call(session, call_id)

    def state(self, call_id: UUID) -> str:
        return self.ledger(call_id).state

    def outcome(self, call_id: UUID) -> str | None:
        """Waits for the call's end."""
        self.until(lambda: self.state(call_id) == "ended", "the call ends", seconds=25)
        return self.ledger(call_id).attempt.outcome

    def seat(self, operator_id: int) -> Operator:
        with self.sessions() as session:
            return cast.seat(session, operator_id)

    def free(self, operator_id: int) -> None:
        with self.sessions() as session:
            row = session.get_one(Operator, operator_id)
            row.state, row.last_seen_at, row.state_since = "available", real_now(), real_now()
            session.commit()

    def tries(self, call_id: UUID) -> int:
        """Of the person in the queue, that count."""
        with self.sessions() as session:
            return cast.entry(session, call_id).attempts


class AsteriskSide(Side):
    def __init__(self, house: House) -> None:
        super().__init__(house.sessions)
        self._house = house

    def call(self, does: str, **columns: object) -> UUID:
        return self._house.call(DIGITS[does], **columns)

    def operator(self, *, free: bool = True) -> int:
        return self._house.operator(free=free)

    def leave(self, call_id: UUID) -> None:
        network = self._house.network
        network.hang_up(network.await_call(self.ledger(call_id).attempt.phone))

    def is_up(self, call_id: UUID) -> bool:
        telephone = self._house.network.await_call(self.ledger(call_id).attempt.phone)
        return telephone.answered_at is not None and not telephone.hung_up_by


class TwilioSide(Side):
    def __init__(self, sessions: Sessions, line: Line) -> None:
        super().__init__(sessions)
        self.line = line
        self._numbers = count(10_000)

    def call(self, does: str, **columns: object) -> UUID:
        with self.sessions() as session:
            person = cast.person(session, phone=f"+529220{next(self._numbers):06}")
            patience = {"stay_seconds": ASLEEP, "silence_seconds": ASLEEP}
            self.line.order(person.phone, **patience, **ORDERS[does])
            queue = cast.queue(session, person, carrier="simulated", caller_id=CALLER, **columns)
            (call_id,) = calls.plan(session, queue, queues.claim(session, queue.id, 1))
            session.commit()
        self.line.settings(refused_share=1.0 if does == "no_line" else 0.0)  # HTTP 429
        jobs.place_calls([str(call_id)])
        self.line.settings(refused_share=0.0)
        return call_id

    def operator(self, *, free: bool = True) -> int:
        with self.sessions() as session:
            operator = cast.operator(session, free=False)
            operator.state = "paused"
            session.commit()
        jobs.open_room(operator.id)
        self.until(lambda: self.seat(operator.id).has_room, "the room opens")
        if free:
            self.free(operator.id)
        return operator.id

    def leave(self, call_id: UUID) -> None:
        self.line.post("/control/hang-up", {"phone": self.ledger(call_id).attempt.phone})

    def is_up(self, call_id: UUID) -> bool:
        (leg,) = self.line.get(f"/control/calls?phone={self.ledger(call_id).attempt.phone.replace('+', '%2B')}")
        return bool(leg["status"] == "in-progress")


@contextmanager
def twilio_side(sessions: Sessions, settings: Settings) -> Iterator[TwilioSide]:
    """The product's pages on a port of their own, and the simulated carrier that calls them back. In the end every
    callback and every TwiML was as Twilio has written down; of requests and answers `running` says so."""
    said: list[str] = []
    with running(None, Options(speed=SPEED, calls_per_second=0)) as line, _served(settings, line, said):
        with sessions() as session:
            clock.start_drill(session)
            session.commit()
        try:
            yield TwilioSide(sessions, line)
        finally:
            told = line.get("/control/callbacks?after=0")
            wsgi.compose(settings)
            carriers.use({})
    assert [fault for document in said for fault in twiml_faults(document)] == []
    assert [fault for one in told for fault in callback_faults(kind_of(one["form"]), one["form"])] == []


@contextmanager
def _served(settings: Settings, line: Line, said: list[str]) -> Iterator[Flask]:
    """`said` gets every TwiML that the pages answer."""

    def hear(answer: Response) -> Response:
        if answer.mimetype == "text/xml":
            said.append(answer.get_data(as_text=True))
        return answer

    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=_Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    twilio = replace(settings.twilio, base_url=line.url, auth_token=Options().auth_token)
    app = wsgi.create_app(replace(settings, public_url=url, twilio=twilio))
    app.after_request(hear)
    server.app = app
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """A line a request is too much."""
