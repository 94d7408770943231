"""What a telephone test needs inside a running product: a trunk to invented telephones, and calls through it.

Run beside the product: `python -m tests.browser.telephone_stage PORT` makes the trunk and then places a call to each
phone of its standard input, a line each (and, after a space, how it is recorded); it answers each line with the call's
id, and the trunk with an empty one.
Calls go past the gate, for these tests run at night and on election days too; the trunk is marked simulated, so that
nobody but invented people can be reached.
"""

import sys
from uuid import UUID

from sqlalchemy.orm import Session

import wsgi
from callcenter import calls, carriers, queues, switches
from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.calls import Event
from callcenter.carriers import Dial
from callcenter.ledger import call_placing
from callcenter.sound import recording_ledger
from callcenter.telephony import trunk_book, trunk_edit
from callcenter.telephony.trunk_entry import Plan
from tests.callcenter import cast

CALLER = "+525512340000"


def main(port: str) -> None:
    wsgi.start_process()
    with open_session() as session:
        open_trunk(session, port)
    print(flush=True)
    for line in sys.stdin:
        with open_session() as session:
            print(place(session, *line.split()), flush=True)


def open_trunk(session: Session, port: str) -> None:
    if trunk_book.enabled(session):
        return
    plan = Plan(
        name="Prueba", switch_id=str(switches.named(session, "local").id), host="127.0.0.1", port=port, transport="udp",
        username="", registers=False, asks_alive=False, number_format="plus", number_prefix="", numbers=CALLER,
        prefixes="", channels="100", calls_per_second="100", position="10", simulated=True,
    )  # fmt: skip
    trunk = trunk_edit.save(session, plan, None)
    trunk_edit.enable(session, trunk.id, None, on=True)
    session.commit()


def place(session: Session, phone: str, recording: str = "off") -> UUID:
    """Call an invented person of this phone; `recording` as of the queue. Raises ProviderError."""
    person = cast.person(session, "Rosa Invento", phone=phone)
    notice = recording_ledger.notice_version(session, "Esta llamada será grabada. ¿Está de acuerdo?")
    queue = cast.queue(session, person, carrier="asterisk", caller_id=CALLER, recording=recording,
                       recording_notice_id=notice)  # fmt: skip
    (call_id,) = calls.plan(session, queue, queues.claim(session, queue.id, 1))
    queue.state = "paused"  # the product's own dialer leaves it alone
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    dial = Dial(call_id, phone, CALLER, 20)
    order = call_placing.Order(dial, queue.id, "asterisk", person.id, "survey", real_now() + call_placing.LEASE)
    carrier = carriers.the_carrier()
    route = call_placing.find_route(session, carrier, order)
    assert not isinstance(route, Event), route
    session.commit()
    event = call_placing.dial(carrier, order, route)
    calls.record_event(session, call_id, event)
    session.commit()
    assert event.kind == "placed", event
    return call_id


if __name__ == "__main__":
    main(*sys.argv[1:])
