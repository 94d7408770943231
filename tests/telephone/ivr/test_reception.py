"""Somebody rings one of our numbers back, through a real Asterisk."""

from collections.abc import Callable

from sqlalchemy import select

from callcenter import suppressions
from callcenter.base import db
from callcenter.calls import Call
from callcenter.ledger import inbound
from scripts import asterisk
from scripts.ivr.hall import Hall
from scripts.simulated_telephones import Network
from tests.telephone.ivr.conftest import Citizen
from tests.telephone.manager import Manager, until


def test_nine_in_the_menu_is_never_again(
    ledger: db.Sessions, queue_id: int, hall: Callable[[Citizen], Hall], network: Network, switch: asterisk.Instance,
    listener: Manager, worker: Manager,
) -> None:  # fmt: skip
    hall(Citizen(network))
    ringing = network.call_in(("127.0.0.1", switch.ports.sip), "5512340000", "5587654321")
    leg = listener.news("answered", Call="")["Uniqueid"]
    with ledger() as session:
        call_id = inbound.arrived(session, f"local/{leg}", "5587654321", "5512340000")
        session.commit()
    assert call_id is not None
    before = len(ringing.heard.began)
    worker.ask("Redirect", Channel=leg, Context="citizen", Exten="recording", Priority=1)
    until(lambda: len(ringing.heard.began) > before, seconds=20)
    network.press(ringing, "9")
    until(lambda: ringing.state == "ended", seconds=20)
    with ledger() as session:
        assert suppressions.find(session, "+525587654321") is not None
        call = session.scalars(select(Call)).one()
        assert (call.id, call.state) == (call_id, "ended")
