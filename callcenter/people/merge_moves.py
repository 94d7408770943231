"""The movers of the ground floor: how a person's phones, tries, evidence, notes and places in queues follow a merge."""

from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from callcenter import consent
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import Refused
from callcenter.consent import Consent
from callcenter.contacts import Contact, ContactPhone
from callcenter.gate import consents
from callcenter.ledger.call_ledger import Call
from callcenter.lists.import_undo import ImportChange
from callcenter.people import merges, row_memory
from callcenter.people.contact_notes import ContactNote
from callcenter.people.duplicates import DuplicatePair
from callcenter.people.merges import ContactAlias, ContactMerge
from callcenter.people.row_memory import Row
from callcenter.queues import QueueEntry

# Of two places in one queue: who was dealt with is not called again, who must not be called is not called.
_STRONGEST_FIRST = ("done", "excluded", "waiting")
_DECIDED = ("state", "decided_by", "decided_at")


def compose() -> None:
    """Register the movers of the ground floor. Notes and tries first: entries and evidence look at them."""
    merges.register_mover("attempts", *merges.column_mover(Attempt.contact_id))
    merges.register_mover("contact_notes", *merges.column_mover(ContactNote.contact_id))
    merges.register_mover("contact_merges", *merges.column_mover(ContactMerge.kept_id))
    merges.register_mover("contact_aliases", move_aliases, move_aliases_back)
    merges.register_mover("contact_phones", move_phones, move_phones_back)
    merges.register_mover("consents", move_consents, move_consents_back)
    merges.register_mover("queue_entries", move_entries, move_entries_back)
    merges.register_mover("duplicate_pairs", move_pairs, move_pairs_back)
    merges.register_mover("import_changes", drop_import_changes, bring_import_changes_back)


def move_aliases(session: Session, kept_id: int, removed_id: int) -> list[Row]:
    """Names under which somebody was merged into the removed person before."""
    rows = row_memory.remembered(session, ContactAlias, ContactAlias.contact_id == removed_id)
    session.execute(update(ContactAlias).where(ContactAlias.contact_id == removed_id).values(contact_id=kept_id))
    return rows


def move_aliases_back(session: Session, kept_id: int, removed_id: int, rows: list[Row]) -> None:
    for row in rows:
        session.execute(
            update(ContactAlias)
            .where(ContactAlias.phone == row["phone"], ContactAlias.name_key == row["name_key"])
            .where(ContactAlias.contact_id == kept_id)
            .values(contact_id=removed_id)
        )


def drop_import_changes(session: Session, _kept_id: int, removed_id: int) -> list[Row]:
    """What an import changed of the removed row cannot be taken back from the kept one: it is theirs no longer."""
    rows = row_memory.remembered(session, ImportChange, ImportChange.contact_id == removed_id)
    session.execute(delete(ImportChange).where(ImportChange.contact_id == removed_id))
    return rows


def bring_import_changes_back(session: Session, _kept_id: int, _removed_id: int, rows: list[Row]) -> None:
    row_memory.put_back(session, ImportChange, rows)


def move_phones(session: Session, kept_id: int, removed_id: int) -> dict[str, Any]:
    """Every phone of both is the kept person's, each once, in the order to try them. The merge takes out the one that
    is called first when it knows which."""
    both = select(Contact).where(Contact.id.in_((kept_id, removed_id)))
    people = {row.id: row for row in session.scalars(both.execution_options(populate_existing=True))}
    rows = row_memory.remembered(session, ContactPhone, ContactPhone.contact_id.in_((kept_id, removed_id)))
    rows.sort(key=lambda row: (row["contact_id"] != kept_id, row["position"]))
    firsts = [_as_extra(people[kept_id]), _as_extra(people[removed_id])]
    own = [row for row in rows if row["contact_id"] == kept_id]
    session.execute(delete(ContactPhone).where(ContactPhone.id.in_([row["id"] for row in rows])))
    wanted: dict[str, Row] = {}
    for row in (firsts[0], *own, firsts[1], *(row for row in rows if row["contact_id"] == removed_id)):
        wanted.setdefault(row["phone"], row)
    added = []
    for position, row in enumerate(wanted.values(), start=1):
        phone = ContactPhone(
            contact_id=kept_id, position=position, phone=row["phone"], phone_raw=row["phone_raw"],
            extension=row["extension"], line_kind=row["line_kind"],
        )  # fmt: skip
        session.add(phone)
        session.flush()
        added.append(phone.id)
    return {"rows": rows, "added": added}


def move_phones_back(session: Session, kept_id: int, _removed_id: int, memory: dict[str, Any]) -> None:
    session.execute(
        delete(ContactPhone).where(ContactPhone.id.in_(memory["added"]), ContactPhone.contact_id == kept_id)
    )
    row_memory.put_back(session, ContactPhone, memory["rows"])


def move_consents(session: Session, kept_id: int, removed_id: int) -> dict[str, Any]:
    """The evidence of both stays whole, under the kept person. Where one refused, everything or a channel, and the
    newest rows would not say so, a row is added that does: of two answers the refusing one holds."""
    last = session.scalar(select(func.max(Consent.id))) or 0
    both = (kept_id, removed_id)
    rows = session.execute(select(Contact.id, Contact.consent).where(Contact.id.in_(both)))
    answers = {row.id: row.consent for row in rows}
    refused = {channel for who in both for channel in _refused(session, who, answers[who])}
    ids = row_memory.moved(session, Consent.contact_id, kept_id, of=removed_id)
    added = []
    if "opted_out" in answers.values() and _newest(session, kept_id) != "opted_out":
        added.append(_add_refusal(session, kept_id, "all", f"contact/{removed_id}"))
    together = "opted_out" if "opted_out" in answers.values() else answers[kept_id]
    for channel in sorted(refused - _refused(session, kept_id, together)):
        added.append(_add_refusal(session, kept_id, channel, f"contact/{removed_id}"))
    return {"ids": ids, "added": added, "last": max(last, *added) if added else last}


def _refused(session: Session, contact_id: int, answer: str) -> set[str]:
    """The channels that the person refuses. `answer`: what holds where no newer row is of that channel alone."""
    rows, refused = consent.evidence(session, contact_id), set()
    for channel in consent.CHANNELS:
        newest = next((row for row in rows if row.channel in ("all", channel)), None)
        said = answer if newest is None or newest.channel == "all" else newest.kind
        if said == "opted_out":
            refused.add(channel)
    return refused


def _add_refusal(session: Session, contact_id: int, channel: str, proof: str) -> int:
    refusal = Consent(
        contact_id=contact_id, kind="opted_out", channel=channel, proof=proof, source="merge", at=campaign_now(session)
    )
    session.add(refusal)
    session.flush()
    return refusal.id


def move_consents_back(session: Session, kept_id: int, removed_id: int, memory: dict[str, Any]) -> None:
    """A refusal that came since the merge was said by the one person there was: it holds for both."""
    session.execute(delete(Consent).where(Consent.id.in_(memory["added"])))
    row_memory.moved(session, Consent.contact_id, removed_id, of=kept_id, ids=memory["ids"])
    since = row_memory.remembered(session, Consent, Consent.contact_id == kept_id, Consent.id > memory["last"])
    since.sort(key=lambda row: (row["at"], row["id"]), reverse=True)
    for scope in consents.SCOPES:
        newest = next((row for row in since if row["channel"] in ("all", scope)), None)
        if newest is None or newest["channel"] != scope:
            continue
        if newest["kind"] == "opted_out":
            again = {column: newest[column] for column in ("kind", "channel", "text_version", "proof", "source")}
            session.add(Consent(contact_id=removed_id, at=campaign_now(session), **again))
        if scope == "all":
            who = (kept_id, removed_id) if newest["kind"] == "opted_out" else (kept_id,)
            session.execute(update(Contact).where(Contact.id.in_(who)).values(consent=newest["kind"]))


def move_entries(session: Session, kept_id: int, removed_id: int) -> dict[str, Any]:
    """Places in queues. Where both had one the kept person's stays, and becomes what both together mean."""
    rows = row_memory.remembered(session, QueueEntry, QueueEntry.contact_id.in_((kept_id, removed_id)))
    if any(row["state"] == "calling" for row in rows):
        raise Refused("in_call", str(merges.SENTENCES["in_call"]))
    own, other = aliased(QueueEntry), aliased(QueueEntry)
    same_queue = and_(own.queue_id == other.queue_id, own.contact_id == kept_id, other.contact_id == removed_id)
    shared = session.execute(select(own.id, other.id).join(other, same_queue)).all()
    by_id = {row["id"]: row for row in rows}
    joined = [_join_entries(session, by_id[mine], by_id[theirs]) for mine, theirs in shared]
    return {"ids": row_memory.moved(session, QueueEntry.contact_id, kept_id, of=removed_id), "joined": joined}


def _join_entries(session: Session, mine: Row, theirs: Row) -> dict[str, Any]:
    made = update(Call).where(Call.entry_id == theirs["id"]).values(entry_id=mine["id"]).returning(Call.id)
    calls = [str(one) for one in session.scalars(made.execution_options(synchronize_session=False))]
    session.execute(delete(QueueEntry).where(QueueEntry.id == theirs["id"]))
    after = together(mine, theirs)
    row_memory.write(session, QueueEntry, mine["id"], after)
    return {"removed": theirs, "calls": calls, "kept": mine["id"], "before": {key: mine[key] for key in after},
            "after": after}  # fmt: skip


def together(mine: Row, theirs: Row) -> Row:
    """The columns of an entry that change when the same person stood in the queue twice."""
    ranks = {state: rank for rank, state in enumerate(_STRONGEST_FIRST)}
    stronger = theirs if ranks[theirs["state"]] < ranks[mine["state"]] else mine
    if mine["state"] == theirs["state"] == "waiting" and theirs["is_callback"] and not mine["is_callback"]:
        stronger = theirs  # a promise to call back is kept
    after = {key: stronger[key] for key in ("state", "reason", "not_before", "is_callback", "callback_operator_id")}
    after["attempts"] = mine["attempts"] + theirs["attempts"]
    after["priority"] = max(mine["priority"], theirs["priority"])
    return {key: value for key, value in after.items() if value != mine[key]}


def move_entries_back(session: Session, kept_id: int, removed_id: int, memory: dict[str, Any]) -> None:
    row_memory.moved(session, QueueEntry.contact_id, removed_id, of=kept_id, ids=memory["ids"])
    for join in memory["joined"]:
        now = row_memory.remembered(session, QueueEntry, QueueEntry.id == join["kept"])
        if any(row["state"] == "calling" for row in now):
            raise Refused("in_call", str(merges.SENTENCES["in_call"]))
        if now and all(now[0][key] == value for key, value in join["after"].items()):
            row_memory.write(session, QueueEntry, join["kept"], join["before"])
        row_memory.put_back(session, QueueEntry, [join["removed"]])
        session.execute(
            update(Call).where(Call.id.in_(join["calls"])).values(entry_id=join["removed"]["id"])
            .execution_options(synchronize_session=False)
        )  # fmt: skip


def move_pairs(session: Session, kept_id: int, removed_id: int) -> dict[str, Any]:
    """Pairs of the removed person are pairs of the kept one; who is not the one is not the other either."""
    rows = row_memory.remembered(
        session, DuplicatePair, or_(DuplicatePair.first_id == removed_id, DuplicatePair.second_id == removed_id)
    )
    session.execute(delete(DuplicatePair).where(DuplicatePair.id.in_([row["id"] for row in rows])))
    added, apart = [], []
    for row in rows:
        other = row["second_id"] if row["first_id"] == removed_id else row["first_id"]
        if other == kept_id:
            continue
        first, second = sorted((kept_id, other))
        both = DuplicatePair.first_id == first, DuplicatePair.second_id == second
        known = row_memory.remembered(session, DuplicatePair, *both)
        if not known:
            copy = {**row, "first_id": first, "second_id": second, "certain": False}
            row_memory.put_back(session, DuplicatePair, [copy])
            added.append(row["id"])
        elif row["state"] == "distinct" and known[0]["state"] == "open":
            decided = {key: row[key] for key in _DECIDED}
            row_memory.write(session, DuplicatePair, known[0]["id"], {**decided, "certain": False})
            apart.append(known[0])
    return {"rows": rows, "added": added, "apart": apart}


def move_pairs_back(session: Session, kept_id: int, removed_id: int, memory: dict[str, Any]) -> None:
    """As it was, but for the pair of these two: a person has said that merging them was a mistake, so no rule does."""
    session.execute(delete(DuplicatePair).where(DuplicatePair.id.in_(memory["added"])))
    for row in memory["apart"]:
        row_memory.write(session, DuplicatePair, row["id"], {key: row[key] for key in (*_DECIDED, "certain")})
    row_memory.put_back(session, DuplicatePair, memory["rows"])
    first, second = sorted((kept_id, removed_id))
    these = update(DuplicatePair).where(DuplicatePair.first_id == first, DuplicatePair.second_id == second)
    session.execute(these.values(certain=False, decided_at=real_now()).execution_options(synchronize_session=False))


def _newest(session: Session, contact_id: int) -> str | None:
    said = select(Consent.kind).where(Consent.contact_id == contact_id, Consent.channel == "all")
    return session.scalar(said.order_by(Consent.at.desc(), Consent.id.desc()).limit(1))


def _as_extra(person: Contact) -> Row:
    return {"phone": person.phone, "phone_raw": person.phone_raw, "extension": person.extension,
            "line_kind": person.line_kind}  # fmt: skip
