"""Merging two rows of one person, and taking it back: everything follows, and everything comes back."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

import wsgi
from callcenter import calls, consent, contacts, queues, suppressions
from callcenter.attempts import Attempt
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base, Sessions
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.settings import Settings
from callcenter.consent import Consent
from callcenter.contacts import Contact, ContactPhone
from callcenter.people import contact_notes, merge_fields, merge_moves, merges
from callcenter.people.duplicates import DuplicatePair
from callcenter.people.merges import ContactAlias, ContactMerge
from callcenter.queues import QueueEntry
from campaigns import person_moves
from tests.callcenter import cast


@pytest.fixture(autouse=True)
def _movers() -> None:
    merge_moves.compose()
    person_moves.compose()


@pytest.fixture
def ana(session: Session) -> Contact:
    return cast.person(session, "Ana López Cruz", "+529221110001", sex="M", age=None, section_number=45)


@pytest.fixture
def twin(session: Session) -> Contact:
    return cast.person(session, "López Cruz Ana", "+529221110002", age=31, attributes={"casa": "azul"})


def everything(session: Session) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but who did what and what copies are told."""
    left_out = {"removed_people", "audit_entries", "contact_merges", "drill_clock", "alembic_version", "leases"}
    session.flush()
    found = {}
    for name in sorted(set(Base.metadata.tables) - left_out):
        rows = session.scalars(text(f"SELECT to_jsonb(t) - 'change_id' - 'updated_at' FROM {name} t"))
        found[name] = sorted(rows, key=repr)
    return found


def tried(session: Session, who: Contact, *, outcome: str = "no_answer") -> Attempt:
    attempt = Attempt(
        id=uuid4(), channel="call", purpose="survey", contact_id=who.id, phone=who.phone, at=campaign_now(session),
        deadline_at=real_now(), closed_at=real_now(), outcome=outcome,
    )  # fmt: skip
    session.add(attempt)
    session.flush()
    return attempt


def said(session: Session, who: Contact, kind: str, days_ago: int = 0, channel: str = "all") -> Consent:
    row = Consent(
        contact_id=who.id, kind=kind, proof="form 1", source="test", channel=channel,
        at=campaign_now(session) - timedelta(days=days_ago),
    )  # fmt: skip
    session.add(row)
    if channel == "all":
        who.consent = kind
    session.flush()
    return row


def fresh(session: Session, contact_id: int) -> Contact:
    session.expire_all()
    return contacts.get(session, contact_id)


def phones(session: Session, contact_id: int) -> list[str]:
    person = fresh(session, contact_id)
    return [person.phone, *(extra.phone for extra in person.extra_phones)]


def test_the_kept_person_gets_what_they_lack_and_every_phone(session: Session, ana: Contact, twin: Contact) -> None:
    session.add(ContactPhone(contact_id=twin.id, position=1, phone="+529221110003"))
    merges.merge(session, ana.id, twin.id, user_id=None)
    kept = fresh(session, ana.id)
    assert (kept.name, kept.sex, kept.age, kept.attributes) == ("Ana López Cruz", "M", 31, {"casa": "azul"})
    assert phones(session, ana.id) == ["+529221110001", "+529221110002", "+529221110003"]
    with pytest.raises(NotFound):
        contacts.get(session, twin.id)
    assert merges.into_whom(session, twin.id) == ana.id


def test_by_hand_the_values_of_either_are_chosen(session: Session, ana: Contact, twin: Contact) -> None:
    ana.age = 29
    session.flush()
    merges.merge(session, ana.id, twin.id, user_id=None, take=("name", "age", "phone"))
    kept = fresh(session, ana.id)
    assert (kept.name, kept.age, kept.phone) == ("López Cruz Ana", 31, "+529221110002")
    assert phones(session, ana.id) == ["+529221110002", "+529221110001"]


def test_tries_evidence_and_notes_follow_and_the_refusing_answer_holds(
    session: Session, ana: Contact, twin: Contact
) -> None:
    tried(session, twin)
    said(session, ana, "opted_in")
    said(session, twin, "opted_out", days_ago=9)
    contact_notes.write(session, twin.id, "Llamar por la tarde", None)
    merges.merge(session, ana.id, twin.id, user_id=None)
    assert fresh(session, ana.id).consent == "opted_out"
    evidence = consent.evidence(session, ana.id)
    assert [row.kind for row in evidence] == ["opted_out", "opted_in", "opted_out"]
    assert evidence[0].source == "merge"
    assert session.scalars(select(Attempt.contact_id)).all() == [ana.id]
    assert [note.text for note in contact_notes.of_person(session, ana.id)] == ["Llamar por la tarde"]


def gate(session: Session, contact_id: int, channel: str) -> str | None:
    phone = fresh(session, contact_id).phone
    refusal = consent.refusal(session, contact_id, channel, "survey", phone=phone, simulated=True)
    return refusal.code if refusal and refusal.code != "hours" else None


@pytest.mark.parametrize("refuses_as_kept", [True, False])
def test_a_refusal_of_one_channel_survives_a_newer_acceptance_of_the_other(
    session: Session, ana: Contact, twin: Contact, *, refuses_as_kept: bool
) -> None:
    refusing, willing = (ana, twin) if refuses_as_kept else (twin, ana)
    said(session, refusing, "opted_out", 9, "sms")
    said(session, willing, "opted_in", 1)
    before = everything(session)
    made = merges.merge(session, ana.id, twin.id, user_id=None)
    assert [gate(session, ana.id, channel) for channel in ("call", "sms")] == [None, "opted_out"]
    merges.undo(session, made.id, None)
    assert everything(session) == before


def test_a_refusal_of_everything_survives_a_newer_acceptance_of_one_channel(
    session: Session, ana: Contact, twin: Contact
) -> None:
    said(session, ana, "opted_out", 9)
    said(session, twin, "opted_in", 1, "sms")
    merges.merge(session, ana.id, twin.id, user_id=None)
    assert {gate(session, ana.id, channel) for channel in consent.CHANNELS} == {"opted_out"}


def test_a_refusal_of_one_channel_since_the_merge_holds_for_both(session: Session, ana: Contact, twin: Contact) -> None:
    made = merges.merge(session, ana.id, twin.id, user_id=None)
    said(session, fresh(session, ana.id), "opted_out", 0, "sms")
    merges.undo(session, made.id, None)
    assert [gate(session, who, "sms") for who in (ana.id, twin.id)] == ["opted_out", "opted_out"]
    assert [gate(session, who, "call") for who in (ana.id, twin.id)] == [None, None]


def test_nobody_stands_twice_in_a_queue_and_who_was_done_stays_done(
    session: Session, ana: Contact, twin: Contact
) -> None:
    both, other = cast.queue(session, ana, twin), cast.queue(session, twin)
    entry = session.scalars(select(QueueEntry).filter_by(contact_id=twin.id, queue_id=both.id)).one()
    entry.state, entry.reason, entry.attempts = "done", "completed", 2
    session.flush()
    merges.merge(session, ana.id, twin.id, user_id=None)
    session.expire_all()
    rows = session.scalars(select(QueueEntry).order_by(QueueEntry.queue_id)).all()
    assert [(row.queue_id, row.contact_id) for row in rows] == [(both.id, ana.id), (other.id, ana.id)]
    assert (rows[0].state, rows[0].reason, rows[0].attempts) == ("done", "completed", 2)


@pytest.mark.parametrize(
    ("mine", "theirs", "state"),
    [("waiting", "excluded", "excluded"), ("excluded", "done", "done"), ("done", "waiting", None)],
)
def test_of_two_places_in_a_queue_the_stronger_holds(mine: str, theirs: str, state: str | None) -> None:
    blank = {"reason": None, "not_before": None, "is_callback": False, "callback_operator_id": None, "attempts": 0,
             "priority": 0}  # fmt: skip
    assert merge_moves.together({**blank, "state": mine}, {**blank, "state": theirs}).get("state") == state


def test_the_suppression_of_the_first_phone_is_told_anew(session: Session, ana: Contact, twin: Contact) -> None:
    suppressions.add(session, twin.phone, reason="call", source="test", at=campaign_now(session))
    merges.merge(session, ana.id, twin.id, user_id=None, take=("phone",))
    assert fresh(session, ana.id).suppressed


def test_an_undo_brings_back_exactly_what_was_there(session: Session, ana: Contact, twin: Contact) -> None:
    carla = cast.person(session, "Carla Ruiz", ana.phone)
    queue = cast.queue(session, ana, twin, carla)
    cast.queue(session, twin)
    call_id = cast.planned(session, queue)
    calls.record_event(session, call_id, calls.Event("claimed", "claimed"))
    calls.record_event(session, call_id, calls.Event("busy", "busy"))
    for who in (ana, twin, carla):
        tried(session, who)
        said(session, who, "opted_in")
        contact_notes.write(session, who.id, "Prefiere la mañana", None)
    said(session, twin, "opted_out")
    session.add_all([
        ContactPhone(contact_id=ana.id, position=1, phone=twin.phone),
        ContactPhone(contact_id=twin.id, position=1, phone=ana.phone),
        ContactPhone(contact_id=twin.id, position=2, phone="+529221110009", extension="12"),
        DuplicatePair(first_id=twin.id, second_id=carla.id, rule="one_letter", certain=True, state="distinct"),
        DuplicatePair(first_id=ana.id, second_id=carla.id, rule="one_letter", certain=False),
    ])  # fmt: skip
    before = everything(session)
    made = merges.merge(session, ana.id, twin.id, user_id=None, take=("name", "phone"))
    assert everything(session) != before
    merges.undo(session, made.id, None)
    assert everything(session) == before
    kept = session.get_one(ContactMerge, made.id)
    assert (kept.removed, kept.moved, kept.undone_at is None) == ({}, {}, False)


def test_a_pair_whose_merge_was_undone_is_for_people_to_decide(session: Session, ana: Contact, twin: Contact) -> None:
    session.add(DuplicatePair(first_id=ana.id, second_id=twin.id, rule="same_words", certain=True))
    session.flush()
    made = merges.merge(session, ana.id, twin.id, user_id=None, rule="same_words")
    merges.undo(session, made.id, None)
    session.expire_all()
    pair = session.scalars(select(DuplicatePair)).one()
    assert (pair.state, pair.certain, pair.decided_at is None) == ("open", False, False)


def test_what_came_after_the_merge_stays_with_the_kept_person(session: Session, ana: Contact, twin: Contact) -> None:
    made = merges.merge(session, ana.id, twin.id, user_id=None)
    later = tried(session, fresh(session, ana.id))
    kept = fresh(session, ana.id)
    kept.age = 40  # somebody corrected it
    merges.undo(session, made.id, None)
    assert session.get_one(Attempt, later.id).contact_id == ana.id
    assert (fresh(session, ana.id).age, fresh(session, twin.id).age) == (40, 31)


def test_a_refusal_since_the_merge_holds_for_both(session: Session, ana: Contact, twin: Contact) -> None:
    made = merges.merge(session, ana.id, twin.id, user_id=None)
    consent.opt_out(session, ana.phone, reason="call", proof="call/x", source="operator")
    merges.undo(session, made.id, None)
    assert {fresh(session, who).consent for who in (ana.id, twin.id)} == {"opted_out"}
    assert consent.evidence(session, twin.id)[0].proof == "call/x"


def test_merges_into_one_person_are_undone_newest_first(session: Session, ana: Contact, twin: Contact) -> None:
    third = cast.person(session, "Ana Lopez Crus", "+529221110005")
    before = everything(session)
    first = merges.merge(session, twin.id, third.id, user_id=None)
    second = merges.merge(session, ana.id, twin.id, user_id=None)  # who was kept is merged themself
    assert [made.id for made in merges.of_person(session, ana.id)] == [second.id, first.id]
    assert merges.into_whom(session, third.id) == ana.id
    with pytest.raises(Refused, match="newest") as refused:
        merges.undo(session, first.id, None)
    assert refused.value.code == "not_newest"
    merges.undo(session, second.id, None)
    merges.undo(session, first.id, None)
    assert everything(session) == before
    with pytest.raises(Refused):
        merges.undo(session, first.id, None)


def test_a_list_that_brought_the_person_anew_stops_the_undo(session: Session, ana: Contact, twin: Contact) -> None:
    phone, key = twin.phone, twin.name_key
    made = merges.merge(session, ana.id, twin.id, user_id=None)
    assert session.get_one(ContactAlias, (phone, key)).contact_id == ana.id
    again = cast.person(session, "López Cruz Ana", phone)
    again.name_key = key
    session.flush()
    with pytest.raises(Refused) as refused:
        merges.undo(session, made.id, None)
    assert refused.value.code == "taken"
    assert merges.into_whom(session, twin.id) == ana.id  # nothing was half undone


def test_a_live_call_on_either_refuses_both_ways(session: Session, ana: Contact, twin: Contact) -> None:
    made = merges.merge(session, ana.id, twin.id, user_id=None)
    third = cast.person(session, "Ana Lopez", "+529221110005")
    cast.planned(session, cast.queue(session, fresh(session, ana.id)))
    for kept, removed in ((ana.id, third.id), (third.id, ana.id)):
        with pytest.raises(Refused) as refused:
            merges.merge(session, kept, removed, user_id=None)
        assert refused.value.code == "in_call"
    with pytest.raises(Refused):
        merges.undo(session, made.id, None)


def test_blocked_and_invented_people_and_oneself_are_refused(session: Session, ana: Contact, twin: Contact) -> None:
    with pytest.raises(InvalidInput):
        merges.merge(session, ana.id, ana.id, user_id=None)
    with pytest.raises(Refused, match="no longer"):
        merges.merge(session, ana.id, 999_999, user_id=None)
    twin.invented = False
    with pytest.raises(Refused, match="invented"):
        merges.merge(session, ana.id, twin.id, user_id=None)
    twin.blocked_at = real_now()
    with pytest.raises(Refused, match="blocked"):
        merges.merge(session, ana.id, twin.id, user_id=None)


def test_merging_and_undoing_are_audited(session: Session, ana: Contact, twin: Contact) -> None:
    made = merges.merge(session, ana.id, twin.id, user_id=None, rule="same_words")
    merges.undo(session, made.id, None)
    rows = session.execute(select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id)).all()
    assert [tuple(row) for row in rows] == [
        ("contacts.merge", f"contact/{ana.id}"), ("contacts.merged_into", f"contact/{twin.id}"),
        ("contacts.undo_merge", f"contact/{ana.id}"),
    ]  # fmt: skip


def test_of_two_who_merge_one_pair_at_once_one_does(committed: Sessions) -> None:
    with committed() as session:
        ids = [cast.person(session, "Ana Cruz").id, cast.person(session, "Cruz Ana").id]
        session.commit()
    start, outcomes = threading.Barrier(2), []

    def work(kept: int, removed: int) -> None:
        with committed() as session:
            start.wait()
            try:
                merges.merge(session, kept, removed, user_id=None)
                session.commit()
                outcomes.append("merged")
            except Refused as refused:
                outcomes.append(refused.code)

    threads = [threading.Thread(target=work, args=pair) for pair in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("merged") == 1
    assert set(outcomes) <= {"merged", "gone", "busy"}
    with committed() as session:
        assert len(session.scalars(select(Contact.id)).all()) == 1
        assert len(session.scalars(select(ContactMerge.id)).all()) == 1


def test_a_merge_gives_way_to_who_is_about_to_call(committed: Sessions) -> None:
    with committed() as session:
        ana, twin = cast.person(session, "Ana Cruz"), cast.person(session, "Cruz Ana")
        queue = cast.queue(session, ana, twin)
        session.commit()
    with committed() as dialer, committed() as clerk:
        assert len(queues.claim(dialer, queue.id, 1)) == 1
        with pytest.raises(Refused) as refused:
            merges.merge(clerk, ana.id, twin.id, user_id=None)
        assert refused.value.code == "busy"


@pytest.mark.parametrize("is_first", [True, False])
def test_an_opposition_during_a_merge_reaches_who_is_kept(
    committed: Sessions, settings: Settings, *, is_first: bool
) -> None:
    suppressions.configure(settings.suppression_key)
    with committed() as session:
        ana, twin = cast.person(session, "Ana Cruz"), cast.person(session, "Cruz Ana")
        session.add(ContactPhone(contact_id=twin.id, position=1, phone="+529221110009"))
        kept, phone = ana.id, twin.phone if is_first else "+529221110009"
        session.commit()
    faults: list[Exception] = []

    def oppose() -> None:
        with committed() as session:
            try:
                consent.opt_out(session, phone, reason="sms_reply", proof="message/1", source="sms")
                session.commit()
            except Exception as fault:  # noqa: BLE001  # told by the test, not by the thread
                faults.append(fault)

    with committed() as clerk:
        merges.merge(clerk, kept, twin.id, user_id=None)
        thread = threading.Thread(target=oppose)
        thread.start()
        while not clerk.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            pass
        clerk.commit()
        thread.join()
    assert faults == []
    with committed() as session:
        assert contacts.get(session, kept).consent == "opted_out"
        assert suppressions.find(session, phone) is not None


def test_every_table_that_points_to_a_person_has_a_mover(settings: Settings) -> None:
    """A table without one would lose its rows at a merge: ON DELETE CASCADE or SET NULL."""
    wsgi.import_models()
    wsgi.compose(settings)
    pointing = {
        name
        for name, table in Base.metadata.tables.items()
        for key in table.foreign_keys
        if key.column.table.name == "contacts"
    }
    assert pointing - merges.kinds() == set()


ROWS = st.fixed_dictionaries({
    "name": st.sampled_from(["Ana", "Eva"]), "given_names": st.just("Ana"), "name_key": st.sampled_from(["ana", "eva"]),
    "phone": st.sampled_from(["+521", "+522"]), "phone_raw": st.none(), "extension": st.none(),
    "line_kind": st.sampled_from(["mobile", "unknown"]), "line_kind_source": st.none(),
    "sex": st.sampled_from([None, "H", "M"]), "age": st.none() | st.integers(18, 99), "state": st.none() | st.just(30),
    "section_number": st.none() | st.integers(1, 9), "section_id": st.none(), "neighborhood": st.none() | st.text(),
    "municipality": st.none() | st.text(), "promoter": st.none(), "promoter_id": st.none(),
    "organization_id": st.none(),
    "language": st.just("es"), "consent": st.sampled_from(["opted_in", "opted_out", "unknown"]),
    "is_member": st.booleans(), "holds_post": st.booleans(),
    "attributes": st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 3)),
})  # fmt: skip


@given(ROWS, ROWS, st.sets(st.sampled_from([*merge_fields.GROUPS, "attr:a", "attr:b"])))
@examples(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_combining_loses_no_value_and_no_refusal_and_is_undone(
    kept: dict[str, Any], removed: dict[str, Any], take: set[str]
) -> None:
    changes = merge_fields.combined(kept, removed, take)
    after = {**kept, **changes}
    for columns in merge_fields.GROUPS.values():
        if any(row[column] for row in (kept, removed) for column in columns):
            assert take or any(after[column] for column in columns)
    assert ("opted_out" in (kept["consent"], removed["consent"])) == (after["consent"] == "opted_out")
    assert set(after["attributes"]) == {*kept["attributes"], *removed["attributes"]}
    before = {column: kept[column] for column in changes}
    assert {**after, **merge_fields.restored(before, changes, after)} == kept
