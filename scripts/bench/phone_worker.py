"""A worker of the product in a process of its own, told by `scripts.bench.phone` what to do: JSON lines in and out.

It places calls as the product's workers do (claim, gate, wire, record), by an invented clock: a bench must also run at
night and on election day. Everything else around it is the product's own.
"""

import argparse
import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from queue import SimpleQueue
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

import wsgi
from callcenter import calls, carriers, jobs, operators, queues, switches
from callcenter.base import clock
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.base.leases import Lease
from callcenter.calls import Call
from callcenter.carriers.asterisk import actions
from callcenter.carriers.asterisk.switchboard import AsteriskCarrier
from callcenter.contacts import Contact
from callcenter.operators import Operator
from callcenter.queues import CallQueue
from callcenter.sound.recording_ledger import RecordingNotice
from callcenter.telephony import trunk_edit
from callcenter.telephony.trunk_book import Trunk
from callcenter.telephony.trunk_entry import Plan
from scripts.daemon import Daemon
from scripts.ivr.hall import Hall
from surveys import questionnaire
from surveys.faces.turns import Step

CALLER = "+525512340000"
BATCH = 10  # calls that one decision of the dialer places
SIGN = 2.0  # seconds between two signs of life of an operator's page
_numbers = count(1)
_telling = threading.Lock()


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.phone_worker", description=__doc__)
    parser.parse_args(argv)
    wsgi.start_process()
    logging.getLogger().setLevel(logging.WARNING)  # a line a call would be measured too
    clock.configure(is_drill=True)
    with open_session() as session:
        clock.start_drill(session)
        session.commit()
    for line in sys.stdin:
        asked = json.loads(line)
        act = asked.pop("act")
        try:
            _tell(done=ACTS[act](**asked))
        except Exception as error:
            _tell(failed=f"{act}: {error!r}")
            raise


def _tell(**said: Any) -> None:
    with _telling:
        print(json.dumps(said), flush=True)


def open_trunk(port: int) -> int:
    """A trunk to invented telephones; returns its id."""
    with open_session() as session:
        plan = Plan(
            name=f"Bench {port}", switch_id=str(switches.named(session, "local").id), host="127.0.0.1", port=str(port),
            transport="udp", username="", registers=False, asks_alive=False, number_format="plus", number_prefix="",
            numbers=CALLER, prefixes="", channels="400", calls_per_second="100", position="10", simulated=True,
        )  # fmt: skip
        trunk = trunk_edit.save(session, plan, None)
        trunk_edit.enable(session, trunk.id, None, on=True)
        session.commit()
        return trunk.id


def make_queue(people: int, digits: str, columns: dict[str, Any], records: bool = False) -> int:
    """A running queue of invented people whose telephones do what `digits` say; returns its id."""
    with open_session() as session:
        if records:
            notice = RecordingNotice(text="Esta llamada se graba.")
            session.add(notice)
            session.flush()
            columns = {**columns, "recording": "notice", "recording_notice_id": notice.id}
        queue = CallQueue(**{
            "name": f"Bench {next(_numbers)}", "purpose": "survey", "carrier": "asterisk", "caller_id": CALLER,
            "on_behalf_of": "Casa Inventada", "privacy_notice_url": "https://example.org/aviso", "state": "running",
        } | columns)  # fmt: skip
        session.add(queue)
        session.flush()
        rows = [_person(digits) for _ in range(people)]
        ids = session.scalars(insert(Contact).returning(Contact.id), rows).all()
        queues.fill(session, queue.id, select(Contact.id).where(Contact.id.in_(ids)))
        session.commit()
        return queue.id


def _person(digits: str) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "name": f"Persona {number}", "given_names": "Persona", "name_key": f"persona {number}",
        "phone": f"+5255{20_000_000 // 100 + number:06}{digits}", "source": "bench", "consent": "opted_in",
        "invented": True, "state": 9, "municipality": "Cuauhtémoc",
    }  # fmt: skip


def place(queue_id: int, number: int, window: int) -> dict[str, Any]:
    """Place `number` calls, at most `window` lines at once; returns when every one is over: `seconds`, `ids`.

    One thread plans, as the dialer does, while another places, as a worker does."""
    ids: list[str] = []
    planned: SimpleQueue[list[str]] = SimpleQueue()
    worker = threading.Thread(target=_place_all, args=(planned, number))
    begun = time.monotonic()
    worker.start()
    while True:
        with open_session() as session:
            is_open = _open(session, queue_id)
            wanted = min(BATCH, number - len(ids), window - is_open)
            new = _plan(session, queue_id, wanted) if wanted > 0 else []
            session.commit()
        if new:
            ids += new
            planned.put(new)
        elif len(ids) == number and is_open == 0:
            worker.join()
            return {"seconds": time.monotonic() - begun, "ids": ids}
        elif time.monotonic() > begun + 120:
            raise TimeoutError(f"{is_open} of {len(ids)} calls are still open")
        else:
            time.sleep(0.02)


def _plan(session: Session, queue_id: int, number: int) -> list[str]:
    planned = calls.plan(session, queues.get(session, queue_id), queues.claim(session, queue_id, number))
    return [str(call_id) for call_id in planned]


def _place_all(planned: "SimpleQueue[list[str]]", number: int) -> None:
    placed = 0
    while placed < number:
        ids = planned.get()
        while not planned.empty():
            ids += planned.get()
        jobs.place_calls(ids)
        placed += len(ids)


def begin(queue_id: int, number: int) -> list[str]:
    """Place calls and return their ids at once."""
    with open_session() as session:
        planned = _plan(session, queue_id, number)
        session.commit()
    jobs.place_calls(planned)
    return planned


def _open(session: Session, queue_id: int) -> int:
    """Calls of the queue whose line is not down yet."""
    lines = select(func.count()).select_from(Call)
    return session.scalar(
        lines.where(Call.queue_id == queue_id, Call.state != "ended", Call.hung_up_at.is_(None))
    ) or 0  # fmt: skip


def seat(number: int) -> list[int]:
    """Operators in their rooms, each with a plain telephone of the network as their leg; returns their ids."""
    carrier = carriers.the_carrier()
    assert isinstance(carrier, AsteriskCarrier)
    with open_session() as session:
        made = [_operator(session) for _ in range(number)]
        session.commit()
    for operator_id in made:
        ring_seat(carrier, operator_id)
    until = time.monotonic() + 20
    while time.monotonic() < until and _seated(made) < number:
        time.sleep(0.05)
    threading.Thread(target=_keep_alive, args=(made,), daemon=True).start()
    return made


def ring_seat(carrier: AsteriskCarrier, operator_id: int) -> None:
    room = f"op-{operator_id}"
    carrier.ask("local", actions.dial(
        UUID(int=0), _trunk_id(), f"+525599{operator_id:04}13", "", seconds=5, to=("operator", "room"),
        variables={"CONVOCA_ROOM": room}, channel_id=f"{room}-{uuid4().hex[:8]}",
    ))  # fmt: skip


def unseat(ids: list[int]) -> None:
    """These operators go home."""
    with open_session() as session:
        rows = list(session.scalars(select(Operator).where(Operator.id.in_(ids)).with_for_update()))
        legs = [row.room_ref for row in rows if row.room_ref]
        for row in rows:
            row.state, row.call_id, row.last_seen_at = "offline", None, None
            row.room_ref = row.room_opened_at = row.room_asked_at = None
        session.commit()
    for leg in legs:
        carriers.the_carrier().close_room(leg)


def _trunk_id() -> int:
    with open_session() as session:
        return int(session.execute(select(Trunk.id).order_by(Trunk.id)).scalars().first() or 0)


def _operator(session: Session) -> int:
    user = User(username=f"bench{next(_numbers)}", full_name="Operador Inventado", password="!",  # noqa: S106
                fs_uniquifier=uuid4().hex)  # fmt: skip
    session.add(user)
    session.flush()
    operator = operators.of_user(session, user.id)
    operator.state, operator.last_seen_at, operator.state_since = "paused", real_now(), real_now()
    session.flush()
    return operator.id


def _seated(ids: list[int]) -> int:
    """Make available whoever has a room; returns how many they are."""
    with open_session() as session:
        rows = session.scalars(select(Operator).where(Operator.id.in_(ids), Operator.room_ref.is_not(None))).all()
        for row in rows:
            row.state, row.last_seen_at = "available", real_now()
        session.commit()
        return len(rows)


def _keep_alive(ids: list[int]) -> None:
    while True:
        with open_session() as session:
            there = select(Operator).where(Operator.id.in_(ids), Operator.state != "offline")
            for row in session.scalars(there.with_for_update(skip_locked=True)):
                row.last_seen_at = real_now()
            session.commit()
        time.sleep(SIGN)


def hold_surveys() -> None:
    """Hold the recorded surveys in place of the product's own daemon, which stands by meanwhile; tell of each step as
    it begins: {"leg", "asks", "prompts", "seconds"}."""

    def watch(leg: UUID, step: Step, seconds: float) -> None:
        prompts = [say.prompt for say in step.say]
        _tell(leg=str(leg), asks=step.act == "ask", prompts=prompts, seconds=seconds)

    sys.setswitchinterval(0.001)  # as the product's own
    hall = Hall("local", watch=watch)
    daemon = Daemon("ivr/local", hall.turn)

    def turn() -> None:
        while True:
            daemon.step()
            time.sleep(0.5)

    threading.Thread(target=turn, daemon=True).start()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with open_session() as session:
            if session.get_one(Lease, "ivr/local").holder == daemon.holder:
                return
        time.sleep(0.1)
    raise TimeoutError("the product's own daemon keeps the recorded surveys")


def make_survey(path: str) -> int:
    """A survey of this XLSForm, open; returns its id."""
    with open_session() as session, open(path, "rb") as file:  # noqa: PTH123
        survey = questionnaire.create_survey(session, "Bench", "bench.xlsx", file.read())
        survey.state = "open"
        session.commit()
        return survey.id


ACTS: dict[str, Callable[..., Any]] = {
    "open_trunk": open_trunk, "make_queue": make_queue, "place": place, "begin": begin, "seat": seat, "unseat": unseat,
    "hold_surveys": hold_surveys, "make_survey": make_survey,
}  # fmt: skip

if __name__ == "__main__":
    main()
