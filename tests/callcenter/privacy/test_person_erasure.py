"""After a deletion no table holds the person, in any spelling; and a list does not bring back who opposed."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from callcenter import calls, consent, imports, suppressions
from callcenter.attempts import Attempt
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.calls import Event
from callcenter.cli import import_contacts
from callcenter.consent import Consent
from callcenter.contacts import Contact, ContactPhone, name_key
from callcenter.imports import ImportBatch, RefusedRow
from callcenter.ledger.outcome_corrections import OutcomeCorrection
from callcenter.lists.import_undo import ImportChange
from callcenter.people.contact_notes import ContactNote
from callcenter.people.merges import ContactAlias
from callcenter.people.pledges import Pledge
from callcenter.privacy import person_erasure, person_register
from callcenter.privacy.arco import Asked, open_case
from callcenter.privacy.public_requests import leave
from callcenter.queues import QueueEntry
from campaigns import inbox, segments
from campaigns.channels import Reply
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message, MessageReceipt
from campaigns.segmenting.frozen_segments import FrozenMember, FrozenSegment
from campaigns.segments import Segment
from campaigns.texts.clicks import MessageClick
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Questionnaire, Survey
from tests.callcenter.cast import call, connected, operator, person, queue

NAME, PHONE, SECOND, RAW = "Zenaida Xóchitl Quirarte", "+529222550177", "+529222550178", "044 (922) 255-0177"


def everything(session: Session) -> str:
    """Every row of every table as one text."""
    session.flush()
    tables = inspect(session.connection()).get_table_names()
    rows = [str(row) for table in tables for row in session.execute(text(f'SELECT t::text FROM "{table}" t'))]
    return "\n".join(rows)


@pytest.fixture
def zenaida(app: Flask, session: Session) -> Contact:
    """A person of whom every floor holds something."""
    who = person(session, NAME, PHONE, phone_raw=RAW)
    who.name_key = name_key(NAME)
    session.add(ContactPhone(contact_id=who.id, position=1, phone=SECOND, phone_raw="922 255 0178"))
    session.add(Consent(contact_id=who.id, kind="opted_in", proof=f"folio de {NAME}", at=campaign_now(session),
                        source="test"))  # fmt: skip
    session.add(ContactNote(contact_id=who.id, text=f"Hablar con {NAME}", hits=[], review="none",
                            at=campaign_now(session)))  # fmt: skip
    session.add(ContactAlias(phone=SECOND, name_key=name_key(NAME), contact_id=who.id))
    session.add(Pledge(contact_id=who.id, series="x", form_id="7", proof=f"caja 3, {NAME}", source="test"))
    _call(session, who)
    _list(session, who)
    _messages(session, who)
    asked = Asked("cancellation", NAME, "quirarte@example.org", PHONE, f"Soy {NAME}, mi número es {RAW}")
    case = open_case(session, asked, None, contact_id=who.id)
    leave(session, "opt_out", PHONE)
    session.flush()
    assert case.contact_id == who.id
    return who


def _call(session: Session, who: Contact) -> None:
    operator(session)
    asked = queue(session, who)
    call_id = connected(session, asked)
    calls.record_event(session, call_id, Event("hung_up", "hung_up", {"To": PHONE, "CallerName": NAME}))
    made = call(session, call_id)
    calls.dispose(session, call_id, made.operator_id or 0, "completed", note=f"Pidió que le digan {NAME}")
    session.add(OutcomeCorrection(call_id=call_id, was="completed", now="refused", is_followed=True,
                                  reason=f"{NAME} no quiso"))  # fmt: skip
    survey = Survey(name="Sondeo")
    session.add(survey)
    session.flush()
    form = Questionnaire(survey_id=survey.id, version=1, file_name="x", sha256="x", form="", items={
        "languages": ["es"], "default_language": "es",
        "items": [{"name": "open", "type": "text", "label": {"": "¿Algo más?"}, "choices": []},
                  {"name": "vote", "type": "select_one", "label": {"": "¿Irá a votar?"},
                   "choices": [{"name": "1", "label": {"": "Sí"}}]}]})  # fmt: skip
    session.add(form)
    session.flush()
    interview = Interview(id=uuid4(), survey_id=survey.id, questionnaire_id=form.id, call_id=call_id, state="complete",
                          seed=1, hidden={"section": "2301"}, at=campaign_now(session))  # fmt: skip
    session.add(interview)
    session.flush()
    session.add(Answer(interview_id=interview.id, item="open", value=f"soy {NAME.lower()}, llámenme al 922-255-0177"))
    session.add(Answer(interview_id=interview.id, item="vote", value="1"))


def _list(session: Session, who: Contact) -> None:
    batch = ImportBatch(source="Lista 1", file_name="lista.csv", file="x", file_sha256="x", state="done")
    waiting = ImportBatch(source="Lista 2", file_name="otra.csv", file="x", file_sha256="y", state="mapping",
                          preview={"rows": [["1", NAME, "922 255 01 77"]]})  # fmt: skip
    session.add_all([batch, waiting])
    session.flush()
    who.import_id = batch.id
    session.add(ImportChange(import_id=batch.id, contact_id=who.id, before={"name": NAME, "phone_raw": RAW}, phones=[]))
    cells = {"NOMBRE": "ZENAIDA XÓCHITL", "AP_PATERNO": "QUIRARTE", "TEL": "2281"}
    session.add(RefusedRow(import_id=batch.id, row_number=7, reason="too_short", cells=cells))
    session.add(RefusedRow(import_id=batch.id, row_number=8, reason="extra", cells={"TEL": "(922) 255 0177 y otro"}))
    session.add(RefusedRow(import_id=batch.id, row_number=9, reason="too_short", cells={"NOMBRE": "Otra Persona"}))


def _messages(session: Session, who: Contact) -> None:
    segment = Segment(name="Todos", rule={"all": []})
    session.add(segment)
    session.flush()
    sent, planned = (
        MessageCampaign(
            name=name, purpose="survey", segment_id=segment.id, text="Hola", sender="+52", carrier="simulated"
        )
        for name in ("Aviso", "Próximo")
    )
    session.add_all([sent, planned])
    session.flush()
    tried = Attempt(id=uuid4(), channel="sms", purpose="survey", contact_id=who.id, phone=PHONE,
                    at=campaign_now(session), created_at=real_now() - timedelta(hours=1),
                    deadline_at=real_now())  # fmt: skip
    session.add(tried)
    session.flush()
    session.add(Message(id=tried.id, campaign_id=sent.id, contact_id=who.id, phone=PHONE, state="accepted",
                        body=f"Hola {NAME}", provider_ref="SM1"))  # fmt: skip
    session.add(Message(id=uuid4(), campaign_id=planned.id, contact_id=who.id, phone=PHONE))
    session.flush()
    session.add(MessageReceipt(message_id=tried.id, key="k", payload={"To": PHONE}))
    reply = Reply(
        provider_ref="IN1", channel="sms", phone=PHONE, address=PHONE, text=f"gracias, {NAME}", payload={"From": PHONE}
    )
    assert inbox.receive(session, reply)
    frozen = FrozenSegment(segment_id=segment.id, segment_name="Todos", segment_version=1, rule={"all": []}, people=1,
                           as_of=campaign_now(session))  # fmt: skip
    session.add(frozen)
    session.flush()
    session.add(FrozenMember(frozen_id=frozen.id, contact_id=who.id))
    session.add(MessageClick(contact_id=who.id, message_id=tried.id, at=campaign_now(session)))


def traces(session: Session) -> list[str]:
    """What of her the database still says."""
    dump = everything(session)
    marks = [PHONE, SECOND, PHONE[-10:], RAW, NAME, NAME.upper(), name_key(NAME), "Quirarte", "quirarte", "QUIRARTE"]
    return [mark for mark in marks if mark in dump]


def test_before_her_deletion_the_tables_are_full_of_her(zenaida: Contact, session: Session) -> None:
    assert {PHONE, SECOND, RAW, NAME} <= set(traces(session))


def test_after_her_deletion_no_table_holds_her(zenaida: Contact, session: Session, people: dict[str, User]) -> None:
    admin = people["administrator"].id
    number = zenaida.id
    person_erasure.block(session, number, "Lo pidió", admin)
    counts = person_erasure.delete(session, number, admin, reason="Lo pidió por escrito", keep_off_lists=True)
    assert traces(session) == []
    assert counts["contacts"] == 1
    assert counts["refused_rows"] == 2
    assert session.scalar(select(RefusedRow.row_number)) == 9
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "contacts.erase")).one()
    assert (entry.subject, entry.user_id) == (f"contact/{number}", admin)


@pytest.mark.parametrize("with_texts", [True, False])
def test_what_statistics_need_stays_without_her(zenaida: Contact, session: Session, with_texts: bool) -> None:
    def counted() -> list[Any]:
        tables = ("attempts", "calls", "messages", "interviews", "answers", "inbound_messages")
        return [session.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables]

    before = counted()
    person_erasure.erase(session, [zenaida.id], with_texts=with_texts)
    assert counted() == before
    assert session.scalar(select(Interview.call_id)) is None
    values = dict(session.execute(select(Answer.item, Answer.value)).all())
    assert values == {"open": "…", "vote": "1"}


def test_who_opposed_stays_out_when_the_same_list_comes_again(
    zenaida: Contact, session: Session, people: dict[str, User]
) -> None:
    admin = people["administrator"].id
    person_erasure.block(session, zenaida.id, "Lo pidió", admin)
    person_erasure.delete(session, zenaida.id, admin, reason="Ya", keep_off_lists=True)
    again = person(session, NAME, PHONE)
    refusal = consent.refusal(session, again.id, "call", "survey", phone=PHONE, simulated=True)
    assert refusal is not None
    assert refusal.code == "suppressed"


def test_a_list_does_not_bring_her_back(
    zenaida: Contact, session: Session, app: Flask, tmp_path: Path, people: dict[str, User]
) -> None:
    """The whole way: imported, opposed, deleted, and imported again."""
    person_erasure.block(session, zenaida.id, "Lo pidió", None)
    person_erasure.delete(session, zenaida.id, None, reason="Ya", keep_off_lists=True)
    session.commit()
    path = tmp_path / "lista.csv"
    path.write_text(f"NOMBRE,TELEFONO\n{NAME},{RAW}\nOtra Persona,2281234567\n")
    done = app.test_cli_runner().invoke(import_contacts, [str(path), "--source", "Lista otra vez"])
    assert done.exit_code == 0, done.output
    again = session.scalars(select(Contact).where(Contact.name_key == name_key(NAME))).one()
    assert again.suppressed
    refusal = consent.refusal(session, again.id, "sms", "survey", phone=again.phone, simulated=True)
    assert refusal is not None
    assert refusal.code == "suppressed"


@pytest.mark.parametrize(("column", "cell"), [("NO LLAMAR", "SI"), ("AVISO DE PRIVACIDAD", "NO")])
def test_a_list_itself_opts_people_out(session: Session, app: Flask, tmp_path: Path, column: str, cell: str) -> None:
    path = tmp_path / "lista.csv"
    path.write_text(f"NOMBRE,TELEFONO,{column}\n{NAME},{RAW},{cell}\nOtra Persona,2281234567,\n")
    done = app.test_cli_runner().invoke(import_contacts, [str(path), "--source", "Lista"])
    assert done.exit_code == 0, done.output
    who = session.scalars(select(Contact).where(Contact.name_key == name_key(NAME))).one()
    assert who.consent == "opted_out"
    refusal = consent.refusal(session, who.id, "call", "survey", phone=who.phone, simulated=True)
    assert refusal is not None
    assert refusal.code in ("opted_out", "suppressed")
    assert session.scalars(select(Consent.kind).where(Consent.contact_id == who.id)).all() == ["opted_out"]


@pytest.mark.parametrize("is_hers_alone", [True, False])
def test_who_refused_in_her_own_words_is_not_brought_back_after_a_purge(
    session: Session, *, is_hers_alone: bool
) -> None:
    who = person(session, NAME, PHONE)
    if not is_hers_alone:
        person(session, "Otra Persona", PHONE)
    said = consent.Evidence("opted_out", "all", "carta 4", campaign_now(session), "carta")
    consent.record(session, who.id, said, None)
    person_erasure.erase(session, [who.id], with_texts=False)
    assert (suppressions.find(session, PHONE) is not None) == is_hers_alone


def test_blocking_takes_her_out_of_everything_that_waits(zenaida: Contact, session: Session) -> None:
    waiting = queue(session, zenaida)
    waited = person_erasure.block(session, zenaida.id, "Lo pidió", None)
    entry = session.scalars(select(QueueEntry).where(QueueEntry.queue_id == waiting.id)).one()
    session.refresh(entry)
    assert (entry.state, entry.reason) == ("excluded", "blocked")
    assert session.scalar(select(Message.state).where(Message.refusal == "blocked")) == "excluded"
    assert waited == 3  # in a queue, for a message, and for an answer
    with pytest.raises(Refused):
        person_erasure.block(session, zenaida.id, "Otra vez", None)


def test_blocked_people_are_in_no_segment_and_pass_no_gate(app: Flask, session: Session) -> None:
    who = person(session)
    person_erasure.block(session, who.id, "Lo pidió", None)
    refusal = consent.refusal(session, who.id, "call", "survey", phone=who.phone, simulated=True)
    assert refusal is not None
    assert refusal.code == "blocked"
    person_erasure.unblock(session, who.id, "Se equivocó", None)
    assert segments.count(session, {"all": []}).count >= 1


def test_nothing_is_deleted_that_is_in_use(app: Flask, session: Session) -> None:
    who = person(session)
    with pytest.raises(Refused, match="Block"):
        person_erasure.delete(session, who.id, None, reason="Ya")


def test_blocked_data_wait_before_they_are_deleted_without_a_reason(app: Flask, session: Session) -> None:
    who = person(session)
    person_erasure.block(session, who.id, "Lo pidió", None)
    with pytest.raises(InvalidInput, match="15 days"):
        person_erasure.delete(session, who.id, None)
    who.blocked_at = real_now() - timedelta(days=15, minutes=1)
    session.flush()
    assert person_erasure.delete(session, who.id, None)["contacts"] == 1


def test_nobody_is_deleted_in_mid_call(app: Flask, session: Session) -> None:
    who = person(session)
    operator(session)
    connected(session, queue(session, who))
    person_erasure.block(session, who.id, "Lo pidió", None)
    with pytest.raises(Refused, match="at this moment"):
        person_erasure.delete(session, who.id, None, reason="Ya")


def test_who_shares_the_phone_keeps_what_is_theirs(app: Flask, session: Session) -> None:
    ana, eva = person(session, "Ana Ruiz Uno", PHONE), person(session, "Eva Ruiz Dos", PHONE)
    reply = Reply(provider_ref="IN2", channel="sms", phone=PHONE, address=PHONE, text="gracias", payload={})
    received = inbox.receive(session, reply)
    assert received is not None
    received.contact_id = eva.id
    session.flush()
    person_erasure.erase(session, [ana.id])
    assert session.get(Contact, eva.id).phone == PHONE  # type: ignore[union-attr]
    assert session.get(inbox.InboundMessage, received.id).text == "gracias"  # type: ignore[union-attr]


def test_the_export_shows_everything_before_it_is_erased(zenaida: Contact, session: Session) -> None:
    sheets = {sheet.name: sheet for sheet in person_register.export(session, zenaida.id)}
    assert set(sheets) >= {"person", "calls", "interviews", "messages", "replies", "lists", "consents",
                           "contact_phones", "imports", "privacy_requests"}  # fmt: skip
    said = str([sheet.rows for sheet in sheets.values()])
    for mark in (
        PHONE,
        SECOND,
        RAW,
        NAME,
        "¿Irá a votar?",
        "Sí",
        f"Hola {NAME}",
        "Lista 1",
        f"Pidió que le digan {NAME}",
    ):
        assert mark in said
    assert all(len(row) == len(sheet.columns) for sheet in sheets.values() for row in sheet.rows)


@pytest.mark.parametrize(
    ("preview", "state"),
    [
        ({"rows": [{"name": "Zenaida Cruz"}, {"name": "Xóchitl Paz"}, {"cells": ["Eva", "Quirarte"]}]}, "mapping"),
        ({"rows": [{"name": "Eva Paz"}, {"cells": ["Quirarte", "ZENAIDA XOCHITL", "4"]}]}, "cancelled"),
        ({"rows": [], "samples": {"3": ["Zenaida", "Xóchitl"], "4": ["Quirarte"]}}, "mapping"),
        ({"rows": [], "samples": {"3": ["Eva", "Quirarte, Zenaida Xóchitl"]}}, "cancelled"),
        ({"rows": [{"name": "", "phones": [PHONE]}], "samples": {}}, "cancelled"),
    ],
)
def test_a_waiting_list_is_cancelled_for_a_row_that_names_them_and_not_for_their_names_apart(
    app: Flask, session: Session, preview: dict[str, Any], state: str
) -> None:
    who = person(session, NAME, PHONE)
    batch = ImportBatch(source="x", file_name="x", file="x", file_sha256="", state="mapping", preview=preview)
    session.add(batch)
    session.flush()
    person_erasure.erase(session, [who.id])
    assert imports.get(session, batch.id).state == state
