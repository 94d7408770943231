"""A whole interview by telephone keys, through a real Asterisk: the answers stand where the console's would."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from callcenter import suppressions
from callcenter.base import db
from callcenter.base.settings import Settings
from callcenter.calls import Call
from callcenter.consent import Consent
from callcenter.sound import recording_files
from scripts import asterisk
from scripts.ivr.hall import Hall
from scripts.simulated_telephones import Network
from surveys import interviews, jobs
from surveys.fieldwork.recorded_calls import Keystrokes, RecordedCall
from surveys.interviews import Interview
from surveys.voice.voice_answers import VoiceAnswer
from tests.telephone.ivr.conftest import Citizen, NewCall
from tests.telephone.manager import until

Hallway = Callable[[Citizen], Hall]


def disposition(ledger: db.Sessions, call_id: UUID) -> str | None:
    with ledger() as session:
        return session.get_one(Call, call_id).disposition


def answers(ledger: db.Sessions, call_id: UUID) -> dict[str, str]:
    with ledger() as session:
        interview = interviews.of_call(session, call_id)
        trail = interviews.trail(session, interview.id) if interview else []
        return {answer.item: answer.value for answer in trail if answer.superseded_at is None}


def test_an_interview_is_answered_by_keys_and_its_answers_stand(
    ledger: db.Sessions, new_call: NewCall, hall: Hallway, network: Network
) -> None:
    hall(Citizen(network))
    call_id = new_call()
    until(lambda: disposition(ledger, call_id) is not None, seconds=90)
    with ledger() as session:
        interview = interviews.of_call(session, call_id)
        assert interview is not None
        given = {answer.item: answer for answer in interviews.trail(session, interview.id)}
        assert (interview.state, interview.face) == ("complete", "agi")
        assert given["age"].value == "34"
        assert given["problems"].value.count(" ") == 1
        assert given["vote"].choice_order is not None
        assert given["vote"].value == given["vote"].choice_order[0]
        assert session.get_one(Call, call_id).disposition == "completed"
        assert session.get_one(RecordedCall, call_id).met_challenge_at is not None
        pressed = session.scalars(select(Keystrokes).order_by(Keystrokes.id))
        strokes = {stroke.item: stroke for stroke in pressed}
        assert list(strokes)[:2] == ["consent", "age"]
        assert strokes["vote"].offered["1"] == given["vote"].value
        assert (strokes["vote"].keys, strokes["vote"].is_answer) == ("1", True)
        assert strokes["vote"].after_ms < 0 < (strokes["vote"].prompt_ms or 0)  # they did not wait for the end


def test_star_and_nine_leave_a_person_alone_for_good(
    ledger: db.Sessions, new_call: NewCall, hall: Hallway, network: Network
) -> None:
    hall(Citizen(network, keys={"sex": "*", "star": "9"}))
    call_id = new_call()
    until(lambda: disposition(ledger, call_id) is not None, seconds=60)
    with ledger() as session:
        assert disposition(ledger, call_id) == "do_not_call"
        assert suppressions.find(session, "+525512340099") is not None
        evidence = session.scalars(select(Consent).where(Consent.kind == "opted_out")).all()
        assert f"call/{call_id}" in {row.proof for row in evidence}
        assert session.scalars(select(Interview.state)).all() == ["partial"]
    until(lambda: network.calls[-1].state == "ended")


def test_a_line_on_which_nobody_presses_a_key_is_no_interview(
    ledger: db.Sessions, new_call: NewCall, hall: Hallway, network: Network
) -> None:
    hall(Citizen(network, "0014", keys={"challenge": None}))
    call_id = new_call("+525512340014")
    until(lambda: disposition(ledger, call_id) is not None, seconds=60)
    with ledger() as session:
        assert disposition(ledger, call_id) == "no_reply"
        assert session.scalars(select(Interview)).all() == []
        assert session.get_one(Call, call_id).attempt.outcome == "no_reply"


def test_who_hangs_up_leaves_what_they_answered(
    ledger: db.Sessions, new_call: NewCall, hall: Hallway, network: Network
) -> None:
    citizen = Citizen(network, keys={"registered": None})
    hall(citizen)
    call_id = new_call()
    citizen.await_step("item/registered")
    network.hang_up(network.calls[-1])
    until(lambda: disposition(ledger, call_id) == "partial")
    assert answers(ledger, call_id) == {"intro": "", "consent": "yes", "age": "34", "sex": "M"}


def test_a_voice_is_kept_after_agreement_and_can_be_heard(
    ledger: db.Sessions, new_call: NewCall, hall: Hallway, network: Network, settings: Settings,
    switch: asterisk.Instance,
) -> None:  # fmt: skip
    recording_files.configure(settings)
    citizen = Citizen(network, keys={"agreement": "1"})
    hall(citizen)
    call_id = new_call()
    citizen.await_step("system/speak", 90)
    until(lambda: any(file.stat().st_size > 20_000 for file in (switch.spool / "voices").glob("*.wav")), seconds=20)
    network.press(network.calls[-1], "#")
    until(lambda: disposition(ledger, call_id) is not None, seconds=60)
    with ledger() as session:
        voice = session.scalars(select(VoiceAnswer)).one()
        assert (voice.state, voice.item) == ("left", "why_voice")
        assert answers(ledger, call_id)["why_voice"] == str(voice.id)
        assert session.get_one(RecordedCall, call_id).agreed_to_voice
    jobs.keep_voice(str(voice.id))
    with ledger() as session:
        kept = session.get_one(VoiceAnswer, voice.id)
        assert kept.state == "kept"
        assert kept.storage is not None
        assert kept.size is not None
        assert b"".join(recording_files.storage(kept.storage).read(voice.id, 0, 4)) == b"fLaC"
    assert not Path(switch.spool / "voices" / f"{voice.id}.wav").exists()


def test_an_interview_goes_on_when_the_program_died_in_the_middle(
    ledger: db.Sessions, new_call: NewCall, hall: Hallway, network: Network
) -> None:
    first = Citizen(network, keys={"registered": None})
    dying = hall(first)
    call_id = new_call()
    first.await_step("item/registered")
    dying.close()  # it hears and says nothing any more, and closes nothing
    second = Citizen(network)
    hall(second)
    second.await_step("system/resumed")
    until(lambda: disposition(ledger, call_id) is not None, seconds=90)
    given = answers(ledger, call_id)
    assert (disposition(ledger, call_id), given["age"], given["registered"]) == ("completed", "34", "yes")
