"""Hold, transfer, consult, three in a room, who rings back, who listens: through a real Asterisk, by tones.

Everybody hums a tone of their own, so that who hears whom is heard."""

import time
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from callcenter import calls
from callcenter.base.auth import User
from callcenter.carriers.asterisk import actions
from callcenter.ledger import call_acts, call_legs, inbound, transfer_targets
from callcenter.ledger.call_acts import Target
from callcenter.ledger.call_ledger import Call
from callcenter.supervision import supervision
from callcenter.supervision.supervision import Listening
from scripts.asterisk import Instance
from scripts.simulated_telephones import Network
from scripts.simulated_telephones.call import Call as Telephone
from tests.queued import run_jobs
from tests.telephone.house import CALLER, House
from tests.telephone.manager import until

CITIZEN, OLGA, OTHER, BOSS = 440, 700, 1000, 1400  # Hz
HELP = "+525588880099"


class Stage:
    """One operator and one citizen in a call, each with their tone."""

    def __init__(self, whole: House) -> None:
        self.house, self.network = whole, whole.network
        self.operator_id, self.olga = self.operator(OLGA)
        self.call_id = whole.call("99")
        until(lambda: self.ledger().state == "connected")
        self.citizen = self.telephone(self.ledger().attempt.phone)
        self.citizen.tone = CITIZEN
        hears(self.citizen, OLGA)

    def operator(self, tone: int) -> tuple[int, Telephone]:
        before = len(self.network.calls)
        operator_id = self.house.operator()
        telephone = self.network.calls[before]
        telephone.tone = tone
        return operator_id, telephone

    def telephone(self, number: str) -> Telephone:
        return self.network.await_call(number)

    def ledger(self) -> Call:
        return self.house.ledger(self.call_id)

    def act(self, name: str, *args: object, **more: object) -> None:
        with self.house.sessions() as session:
            getattr(call_acts, name)(session, self.call_id, self.operator_id, *args, **more)
            session.commit()
        run_jobs()

    def leg_is(self, state: str) -> bool:
        with self.house.sessions() as session:
            leg = call_legs.last(session, self.call_id)
            return leg is not None and leg.state == state

    def help_line(self) -> Target:
        with self.house.sessions() as session:
            target = transfer_targets.TransferTarget(name="Línea de ayuda", phone=HELP)
            session.add(target)
            session.commit()
            return Target("outside", target.id)

    def helper(self) -> Telephone:
        worked_until(lambda: self.leg_is("up"))
        found = self.telephone(HELP)
        found.tone = OTHER
        return found


def hears(telephone: Telephone, tone: int) -> None:
    """From now on."""
    since = time.monotonic()
    until(lambda: telephone.heard.tones.get(tone, (0.0, 0.0))[1] > since + 0.1)


def hears_not(telephone: Telephone, tone: int) -> None:
    """Not for half a second, within a few."""
    until(lambda: time.monotonic() - telephone.heard.tones.get(tone, (0.0, 0.0))[1] > 0.5)


def worked_until(true: Callable[[], bool]) -> None:
    """Wait, while the workers do what the listener leaves them."""

    def worked() -> bool:
        run_jobs()
        return true()

    until(worked)


@pytest.fixture
def stage(house: House) -> Stage:
    return Stage(house)


def test_on_hold_the_citizen_hears_music_and_not_the_operator(stage: Stage) -> None:
    stage.act("hold", on=True)
    hears_not(stage.citizen, OLGA)
    hears_not(stage.olga, CITIZEN)
    packets = stage.citizen.heard.packets
    until(lambda: stage.citizen.heard.packets > packets + 10)
    stage.act("hold", on=False)
    hears(stage.citizen, OLGA)
    hears(stage.olga, CITIZEN)


def test_keys_reach_the_citizens_telephone(stage: Stage) -> None:
    stage.act("send_keys", "4#")
    until(lambda: stage.citizen.heard.keys == "4#")


def test_an_outside_number_is_consulted_alone_joined_and_left_with_the_citizen(stage: Stage) -> None:
    stage.act("consult", stage.help_line())
    helper = stage.helper()
    hears(stage.olga, OTHER)
    hears(helper, OLGA)
    hears_not(stage.citizen, OTHER)
    stage.act("join_all")
    for one, tones in ((stage.citizen, (OLGA, OTHER)), (helper, (OLGA, CITIZEN)), (stage.olga, (CITIZEN, OTHER))):
        for tone in tones:
            hears(one, tone)
    stage.act("complete")
    hears(stage.citizen, OTHER)
    hears_not(stage.citizen, OLGA)
    hears_not(stage.olga, CITIZEN)
    assert stage.house.seat(stage.operator_id).state == "wrap_up"
    stage.network.hang_up(helper)
    worked_until(lambda: stage.citizen.state == "ended")
    until(lambda: stage.ledger().hung_up_at is not None)


def test_a_blind_transfer_brings_both_together_when_the_other_picks_up(stage: Stage) -> None:
    stage.act("transfer", stage.help_line())
    helper = stage.helper()
    worked_until(lambda: OTHER in stage.citizen.heard.tones)
    hears(stage.citizen, OTHER)
    hears(helper, CITIZEN)
    stage.network.hang_up(stage.citizen)
    worked_until(lambda: helper.state == "ended")


def test_a_colleague_is_consulted_alone_and_takes_the_call(stage: Stage) -> None:
    omar_id, omar = stage.operator(OTHER)
    stage.act("consult", Target("operator", omar_id))
    until(lambda: stage.leg_is("up"))
    hears(stage.olga, OTHER)
    hears(omar, OLGA)
    hears_not(omar, CITIZEN)
    stage.act("complete")
    hears(omar, CITIZEN)
    hears(stage.citizen, OTHER)
    hears_not(stage.citizen, OLGA)
    assert stage.ledger().operator_id == omar_id
    assert stage.house.seat(stage.operator_id).state in ("available", "paused")


def test_a_colleague_who_was_asked_in_vain_is_left_in_peace(stage: Stage) -> None:
    omar_id, omar = stage.operator(OTHER)
    stage.act("consult", Target("operator", omar_id))
    until(lambda: stage.leg_is("up"))
    stage.act("drop_leg")
    hears_not(omar, OLGA)
    hears(stage.citizen, OLGA)
    assert stage.house.seat(omar_id).has_room


def test_who_rings_back_gets_the_operator_who_called_them(stage: Stage, network: Network, switch: Instance) -> None:
    phone = stage.ledger().attempt.phone
    network.hang_up(stage.citizen)
    until(lambda: stage.ledger().state == "wrap_up")
    with stage.house.sessions() as session:
        calls.dispose(session, stage.call_id, stage.operator_id, "partial")
        session.commit()
    citizen = network.call_in(("127.0.0.1", switch.ports.sip), CALLER, phone)
    until(lambda: _newest_inbound(stage.house) is not None)
    call_id = _newest_inbound(stage.house)
    assert call_id is not None
    ref = stage.house.ledger(call_id).carrier_ref
    assert ref is not None
    with stage.house.sessions() as session:
        room = inbound.choose(session, call_id, "operator")
        session.commit()
    assert room == f"op-{stage.operator_id}"
    stage.house.carrier.move(ref, room)
    hears(citizen, OLGA)
    network.hang_up(citizen)
    until(lambda: stage.house.ledger(call_id).state == "wrap_up")


def test_a_supervisor_listens_coaches_and_joins(stage: Stage) -> None:
    listening_id, ref, boss = _listening(stage)
    for tone in (OLGA, CITIZEN):
        hears(boss, tone)
    for one in (stage.olga, stage.citizen):
        hears_not(one, BOSS)
    _change(stage, listening_id, "coach")
    hears(stage.olga, BOSS)
    hears_not(stage.citizen, BOSS)
    _change(stage, listening_id, "join")
    hears(stage.citizen, BOSS)
    hears(stage.olga, BOSS)
    stage.house.carrier.hang_up(ref)
    until(lambda: _ended(stage, listening_id))
    hears_not(stage.citizen, BOSS)
    hears(stage.citizen, OLGA)


def test_a_supervisor_stays_on_the_line_from_call_to_call(stage: Stage) -> None:
    _, _, boss = _listening(stage)
    hears(boss, CITIZEN)
    stage.network.hang_up(stage.citizen)
    until(lambda: stage.ledger().state == "wrap_up")
    hears_not(boss, CITIZEN)
    hears(boss, OLGA)


def _listening(stage: Stage) -> tuple[int, str, Telephone]:
    """A supervisor at the operator's line, whose page is a telephone of the network."""
    seat = stage.house.seat(stage.operator_id)
    assert seat.room_ref is not None
    with stage.house.sessions() as session:
        user = User(username="jefa", full_name="Sofía Prueba", password="x", fs_uniquifier="jefa")
        session.add(user)
        session.flush()
        leg = f"sup-{user.id}-0a0b0c0d"
        listening = Listening(user_id=user.id, operator_id=seat.id, mode="listen", ref=f"local/{leg}")
        session.add(listening)
        session.commit()
    number = "+525577770099"
    stage.house.carrier.ask("local", actions.dial(
        UUID(int=0), 1, number, "", seconds=5, to=("supervisor", "listen"),
        variables={"CONVOCA_TARGET": seat.room_ref.partition("/")[2], "CONVOCA_SPY": ""}, channel_id=leg,
    ))  # fmt: skip
    until(lambda: _is_up(stage, listening.id))
    boss = stage.telephone(number)
    boss.tone = BOSS
    return listening.id, f"local/{leg}", boss


def _change(stage: Stage, listening_id: int, mode: str) -> None:
    with stage.house.sessions() as session:
        listening = session.get_one(Listening, listening_id)
        supervision.change(session, listening.user_id, mode)
        session.commit()
    run_jobs()


def _is_up(stage: Stage, listening_id: int) -> bool:
    with stage.house.sessions() as session:
        return session.get_one(Listening, listening_id).heard_at is not None


def _ended(stage: Stage, listening_id: int) -> bool:
    with stage.house.sessions() as session:
        return session.get_one(Listening, listening_id).ended_at is not None


def _newest_inbound(house: House) -> UUID | None:
    with house.sessions() as session:
        return session.scalar(select(Call.id).where(Call.direction == "in").order_by(Call.answered_at.desc()).limit(1))
