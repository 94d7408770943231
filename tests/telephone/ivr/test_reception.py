"""Somebody rings one of our numbers back, through a real Asterisk."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from callcenter import suppressions
from callcenter.base import db
from callcenter.base.settings import Settings
from callcenter.calls import Call
from callcenter.ledger import inbound
from callcenter.sound import recording_files, voice_message_jobs, voice_messages
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


def test_three_in_the_menu_is_a_message_that_becomes_ours(
    ledger: db.Sessions, queue_id: int, hall: Callable[[Citizen], Hall], network: Network, switch: asterisk.Instance,
    listener: Manager, worker: Manager, settings: Settings, tmp_path: Path,
) -> None:  # fmt: skip
    recording_files.configure(replace(settings, var=tmp_path))
    hall(Citizen(network))
    ringing = network.call_in(("127.0.0.1", switch.ports.sip), "5512340000", "5587654322")
    leg = listener.news("answered", Call="")["Uniqueid"]
    with ledger() as session:
        call_id = inbound.arrived(session, f"local/{leg}", "5587654322", "5512340000")
        session.commit()
    assert call_id is not None
    before = len(ringing.heard.began)
    worker.ask("Redirect", Channel=leg, Context="citizen", Exten="recording", Priority=1)
    until(lambda: len(ringing.heard.began) > before, seconds=20)
    network.press(ringing, "3")
    until(lambda: any(_spoken(switch)), seconds=30)
    until(lambda: any(file.stat().st_size > 32_000 for file in _spoken(switch)), seconds=30)  # two seconds
    network.press(ringing, "#")
    until(lambda: ringing.state == "ended", seconds=30)
    with ledger() as session:
        message_id = voice_messages.of_call(session, call_id).id
    voice_message_jobs.tend(str(message_id))
    with ledger() as session:
        message = voice_messages.get(session, message_id)
        assert (message.state, session.get_one(Call, call_id).attempt.outcome) == ("kept", "inbound_message")
        assert (message.duration_ms or 0) > 1500
    assert not any(_spoken(switch))
    recording_files.configure(settings)


def _spoken(switch: asterisk.Instance) -> list[Path]:
    return list((switch.spool / "voices").glob("*.wav"))
