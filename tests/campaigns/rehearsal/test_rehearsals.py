"""A rehearsal goes through the real list as the send will, finds the same, and leaves nothing behind."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.attempts import Attempt
from callcenter.base import clock
from callcenter.base.clock import real_now
from callcenter.base.errors import Refused
from callcenter.base.settings import Settings
from campaigns.dispatch import message_claims as claims
from campaigns.mailings import message_campaigns
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.messages import Message
from campaigns.rehearsal import rehearsal_jobs, rehearsal_wire, rehearsals
from campaigns.rehearsal.rehearsal_wire import Door, Tried
from campaigns.rehearsal.rehearsals import Rehearsal
from campaigns.segments import Segment
from campaigns.texts import link_addresses
from scripts import rehearsal_carrier
from tests.campaigns.cast import LUPITA, Cast
from tests.campaigns.segmenting.test_segment_views import post
from tests.conftest import ClientAs

Draft = Callable[..., MessageCampaign]


@pytest.fixture
def draft(session: Session, cast: Cast, settings: Settings) -> Iterator[Draft]:
    """Makes a draft to everybody. No carrier is started unless the test says how."""
    link_addresses.configure(settings)
    rehearsal_wire.configure(None)

    def make(text: str = "Hola {given_names}. BAJA", **plan: object) -> MessageCampaign:
        segment = Segment(name="Everybody", rule={"all": []})
        session.add(segment)
        session.flush()
        decided = {"purpose": "survey", "sender": "+525512340001", "carrier": "simulated", **plan}
        made = message_campaigns.create(session, MessagePlan("Greeting", segment.id, text=text, **decided), None)  # type: ignore[arg-type]  # the test's own
        session.commit()
        return made

    yield make
    rehearsal_wire.configure(rehearsal_carrier.running)


def rehearse(session: Session, made: MessageCampaign) -> Rehearsal:
    begun = rehearsals.begin(session, made.id, None)
    session.commit()
    rehearsal_jobs.rehearse(begun.id)
    return rehearsals.get(session, begun.id)


def test_it_finds_who_gets_what_in_how_many_parts_at_what_cost_and_by_when(session: Session, draft: Draft) -> None:
    done = rehearse(session, draft("Hola {given_names}, " + "a" * 160))
    found = done.result
    assert (done.state, done.total, done.finished_at is not None) == ("done", 2, True)
    assert (found["people"], found["reachable"], found["part_count"]) == (4, 2, 4)
    assert found["excluded"] == {"household": 1, "landline": 1}
    assert found["by_parts"] == {"2": 2}
    assert found["cost"] == "1.40"
    assert found["ahead"]["ends_today"]
    assert found["ahead"]["seconds"] == round(4 / found["senders"][0]["parts_per_second"])
    assert (found["senders"][0]["people"], found["senders"][0]["parts"]) == (2, 4)


def test_nothing_is_sent_and_nobody_has_been_tried(session: Session, draft: Draft) -> None:
    made = draft()
    rehearse(session, made)
    assert session.scalar(select(func.count()).select_from(Message)) == 0
    assert session.scalar(select(func.count()).select_from(Attempt)) == 0
    assert message_campaigns.find(session, made.id).state == "draft"


def test_it_asks_the_gate_and_writes_everybodys_text(session: Session, cast: Cast, draft: Draft) -> None:
    consent.opt_out(session, LUPITA, reason="call", proof="call/1", source="operator")
    found = rehearse(session, draft("Vecina de {neighborhood}")).result
    assert found["excluded"] == {"suppressed": 1, "missing_value": 1, "household": 1, "landline": 1}
    assert (found["reachable"], found["part_count"]) == (0, 0)


def test_the_send_then_does_what_the_rehearsal_said(session: Session, draft: Draft) -> None:
    made = draft("Hola {given_names}, vecina de {neighborhood|aqui}: https://sur.example/encuesta " + "a" * 100)
    found = rehearse(session, made).result
    message_campaigns.launch(session, made.id, None)
    from campaigns.dispatch import message_planning

    message_planning.write_for_segment(session, made.id)
    message_campaigns.resume(session, made.id, None)
    sent = claims.claim(session, made.id, 10)
    assert len(sent) == found["reachable"]
    assert sum(one.parts for one in sent) == found["part_count"]


def test_at_night_it_says_who_waits_and_when_it_goes_on(session: Session, draft: Draft) -> None:
    made = draft()
    night = clock.DRILL_START + timedelta(hours=12)
    session.execute(update(clock.DrillClock).values(furthest=night))
    found = rehearse(session, made).result
    assert found["waiting"] == found["reachable"] == 2
    assert found["ahead"]["starts_at"] > night.isoformat()


def test_it_is_of_what_would_leave_now_until_something_changes(session: Session, draft: Draft) -> None:
    made = draft()
    done = rehearse(session, made)
    assert rehearsals.is_of_now(session, done)
    made.text = "Otra cosa. BAJA"
    session.flush()
    assert not rehearsals.is_of_now(session, done)


def test_only_one_runs_at_a_time_and_it_can_be_cancelled(session: Session, draft: Draft) -> None:
    made = draft()
    begun = rehearsals.begin(session, made.id, None)
    assert rehearsals.begin(session, made.id, None).id == begun.id
    rehearsals.cancel(session, made.id, None)
    session.commit()
    rehearsal_jobs.rehearse(begun.id)
    assert (rehearsals.get(session, begun.id).state, begun.result) == ("cancelled", {})
    assert rehearsals.begin(session, made.id, None).id != begun.id


def test_one_whose_worker_died_is_done_by_another(session: Session, draft: Draft) -> None:
    begun = rehearsals.begin(session, draft().id, None)
    rehearsals.sweep(session)
    assert [job.args for job in session.info["outbox"]] == [(begun.id,)]
    begun.lease_until = real_now() - timedelta(seconds=1)
    session.flush()
    rehearsals.sweep(session)
    assert [job.args for job in session.info["outbox"]] == [(begun.id,), (begun.id,)]


def test_what_has_been_sent_is_not_rehearsed(session: Session, draft: Draft) -> None:
    made = draft()
    message_campaigns.launch(session, made.id, None)
    with pytest.raises(Refused):
        rehearsals.begin(session, made.id, None)


def test_the_page_shows_what_was_found(session: Session, draft: Draft, client_as: ClientAs) -> None:
    made = draft("Hola {given_names}, " + "a" * 160)
    strategist = client_as("strategist")
    address = f"/campaigns/messages/{made.id}/rehearsal"
    assert strategist.get(address).status_code == 200
    assert post(strategist, address, {}).status_code == 302
    begun = rehearsals.latest(session, made.id)
    assert begun is not None
    assert 'role="progressbar"' in strategist.get(address + "/live").text
    rehearsal_jobs.rehearse(begun.id)
    page = strategist.get(address).text
    assert "1.40" in page
    assert "+525512340001" in page
    assert client_as("operator").get(address).status_code == 403


class Carrier(BaseHTTPRequestHandler):
    """Takes every message; the fate of each is in the last digit of its phone."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        phone = form["To"][0]
        if phone.endswith("9"):
            self.say(400, {"code": 21614, "status": 400})
        else:
            self.say(201, {"sid": "SM" + phone[1:], "status": "queued", "num_segments": "2"})

    def do_GET(self) -> None:
        failed = self.path.removesuffix(".json").endswith("3")
        self.say(200, {"status": "undelivered" if failed else "delivered", "error_code": 30003 if failed else None,
                       "num_segments": "2"})  # fmt: skip

    def say(self, status: int, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def carrier() -> Iterator[Door]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Carrier)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Door(f"http://127.0.0.1:{server.server_address[1]}", "AC" + "5" * 32, "token", "+525512340000")
    server.shutdown()
    server.server_close()


def test_a_sample_is_tried_and_each_has_its_fate(draft: Draft) -> None:
    rehearsal_wire.configure(carrier)
    sample = [("+529221110001", "Hola"), ("+529221110003", "Hola"), ("+529221110009", "Hola")]
    assert rehearsal_wire.try_out(sample) == Tried(3, 1, {"30003": 1, "21614": 1}, 0, 4)


def test_what_failed_in_the_sample_is_foreseen_for_the_list(
    session: Session, draft: Draft, client_as: ClientAs
) -> None:
    rehearsal_wire.configure(carrier)
    made = draft()
    found = rehearse(session, made).result
    assert found["tried"] == {"messages": 2, "delivered": 2, "failed": {}, "open": 0, "parts": 4}
    assert client_as("strategist").get(f"/campaigns/messages/{made.id}/rehearsal").status_code == 200


def test_a_rehearsal_speaks_to_nobody_but_this_machine(draft: Draft) -> None:
    rehearsal_wire.configure(lambda: contextlib.nullcontext(Door("https://203.0.113.5", "AC", "token")))
    with pytest.raises(RuntimeError):
        rehearsal_wire.try_out([("+529221110001", "Hola")])


def test_without_a_carrier_it_goes_on_without_the_sample(draft: Draft) -> None:
    assert rehearsal_wire.try_out([("+529221110001", "Hola")]) is None

    @contextlib.contextmanager
    def broken() -> Iterator[Door]:
        raise TimeoutError
        yield

    rehearsal_wire.configure(broken)
    assert rehearsal_wire.try_out([("+529221110001", "Hola")]) is None


def test_the_carrier_of_a_rehearsal_starts_answers_and_ends() -> None:
    rehearsal_wire.configure(rehearsal_carrier.running)
    tried = rehearsal_wire.try_out([(f"+52922111{n:04}", "Hola á") for n in range(20)])
    assert tried is not None
    assert (tried.messages, tried.open) == (20, 0)
    assert tried.delivered + sum(tried.failed.values()) == 20
