"""Pages of people: list, person, and the public page on which anybody opts out."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import calendar, consent, contacts, suppressions, trunks
from callcenter.base import audit, auth, navigation
from callcenter.base.auth import access
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import web_settings
from callcenter.contacts import Contact
from callcenter.gate import rulebook
from callcenter.gate.house_rules import PURPOSE_LABELS
from callcenter.people import (
    attributes,
    contact_edit,
    contact_history,
    contact_notes,
    contact_search,
    duplicates,
    merges,
    structure_views,
)
from callcenter.people.contact_search import Search
from callcenter.phones import normalise
from callcenter.queueing import person_waits, withdrawals
from callcenter.tables.table_files import csv_line

blueprint = Blueprint("contacts", "callcenter", template_folder="templates")

READERS = ("administrator", "strategist", "supervisor", "data_clerk")
WRITERS = ("administrator", "supervisor", "data_clerk")
SEE_PHONES = frozenset(WRITERS)
PAGE_SIZE = 50

CHANNELS: dict[str, LazyString] = {"call": _l("Call"), "sms": _l("SMS"), "whatsapp": _l("WhatsApp"),
                                   "telegram": _l("Telegram"), "email": _l("E-mail")}  # fmt: skip


@blueprint.context_processor
def words() -> dict[str, Any]:
    """What the templates of people's pages need."""
    return {
        "sexes": contacts.SEXES, "consents": contacts.CONSENTS, "answer_sources": contacts.SOURCES,
        "line_kinds": contacts.LINE_KINDS,
        "channels": CHANNELS, "purposes": PURPOSE_LABELS,
        "masked": contacts.masked,
        "sees_phones": sees_phones(),
        "may_write": current_user.is_authenticated and auth.may(frozenset(WRITERS)),
        "may_open_case": navigation.is_open("privacy.new"),
        "is_open": navigation.is_open,
        "rules": duplicates.RULES,
        "languages": contact_edit.LANGUAGES,
        "note_length": contact_notes.LENGTH,
    }  # fmt: skip


@blueprint.get("/contacts/")
@access(*READERS)
def index() -> ResponseReturnValue:
    session, search = web_session(), _search()
    if search.phone or search.name:
        # What was looked for is personal data: the audit says that somebody looked, and how.
        audit.record(session, current_user.id, "contacts.search", "contacts", by="phone" if search.phone else "name")
        session.commit()
    after = request.args.get("after", 0, type=int)
    people = contact_search.find(session, search, after=after, limit=PAGE_SIZE + 1)
    return render_template(
        "callcenter/contacts/index.html",
        people=people[:PAGE_SIZE],
        next_after=people[PAGE_SIZE - 1].id if len(people) > PAGE_SIZE else None,
        total=contact_search.count(session, search),
        sources=contact_search.sources(session),
        search=search,
        asked=request.args,
        is_large=contact_search.is_large(session),
    )


def _search() -> Search:
    asked = request.args
    phone = ""
    if asked.get("phone", "").strip() and sees_phones():
        numbers = normalise(asked["phone"]).numbers
        phone = numbers[0].e164 if numbers else asked["phone"].strip()
    return Search(
        name=asked.get("name", "")[:100],
        phone=phone[:40],
        section=asked.get("section", type=int),
        consent=asked.get("consent", "")[:20],
        source=asked.get("source", "")[:200],
        import_id=asked.get("import", type=int),
    )


@blueprint.get("/contacts/export.csv")
@access("administrator")
def export() -> ResponseReturnValue:
    session, search = web_session(), _search()
    rows = contact_search.count(session, search, at_most=10_000_000)
    audit.record(session, current_user.id, "contacts.export", "contacts", rows=rows)
    session.commit()
    return Response(
        stream_with_context(_export_lines(session, search)),
        mimetype="text/csv",
        headers={"Content-Disposition": "attachment; filename=contacts.csv", "Cache-Control": "no-store"},
    )


def _export_lines(session: Session, search: Search) -> Iterator[str]:
    fields = ("id", "name", "sex", "age", "phone", "extension", "line_kind", "neighborhood", "municipality",
              "section_number", "promoter", "consent", "source")  # fmt: skip
    yield "\ufeff" + csv_line(fields)
    for contact in contact_search.stream(session, search):
        yield csv_line(getattr(contact, field) for field in fields)


@blueprint.get("/contacts/<int:contact_id>")
@access(*READERS)
def show(contact_id: int) -> ResponseReturnValue:
    """A person, whole. Somebody who was merged is found at who they are now."""
    session = web_session()
    kept_id = merges.into_whom(session, contact_id)
    if kept_id is not None:
        flash(_("Number %(id)s was merged into this person.", id=contact_id), "info")
        return redirect(url_for("contacts.show", contact_id=kept_id))
    return person_page(session, contact_id)


def person_page(session: Session, contact_id: int, **more: Any) -> str:
    """The page of a person, audited: who looked at whom. `more`: what a form on it has to say."""
    contact = contacts.get(session, contact_id)
    audit.record(session, current_user.id, "contacts.look_up", f"contact/{contact_id}")
    session.commit()
    kind, before = request.args.get("kind", ""), _moment(request.args.get("before", ""))
    return render_template(
        "callcenter/contacts/show.html",
        contact=contact,
        **_verdict(session, contact, "survey"),
        **structure_views.pledges_part(session, contact_id),
        card=contact_edit.values(session, contact),
        attributes=attributes.all_attributes(session),
        evidence=consent.evidence(session, contact_id),
        history=contact_history.read(session, contact_id, kind=kind if kind in contact_history.kinds() else "",
                                     before=before),
        kinds=contact_history.kinds(),
        kind=kind,
        notes=contact_notes.of_person(session, contact_id),
        pairs=duplicates.of_person(session, contact_id),
        merged=merges.of_person(session, contact_id),
        household=contacts.household(session, contact),
        is_election_day=is_election_day(session, contact.state),
        has_voted=withdrawals.has_voted(session, contact_id),
        is_suppressed=any(
            suppressions.find(session, phone)
            for phone in (contact.phone, *(extra.phone for extra in contact.extra_phones))
        ),
        **more,
    )  # fmt: skip


def is_election_day(session: Session, state: int | None) -> bool:
    """Is today's the election of who lives in this state?"""
    today = campaign_now(session).astimezone(ZONE).date()
    return rulebook.read(session).is_election_day(today, state)


def _moment(said: str) -> datetime | None:
    """The time at which a page of the history begins; nonsense is the newest page."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo else None


@blueprint.get("/contacts/<int:contact_id>/verdict")
@access(*READERS)
def verdict(contact_id: int) -> ResponseReturnValue:
    """«¿Por qué no?»: for each purpose and channel whether, and for one purpose what each rule of the gate says."""
    session = web_session()
    contact = contacts.get(session, contact_id)
    return render_template(
        "callcenter/contacts/verdict.html",
        contact=contact,
        **_verdict(session, contact, request.args.get("purpose", "survey")),
    )


def _verdict(session: Session, contact: Contact, purpose: str) -> dict[str, Any]:
    """What contacts/verdict.html shows; `purpose`: the one told in full. Raises InvalidInput."""
    if purpose not in calendar.PURPOSES:
        raise InvalidInput(_("There is no purpose %(purpose)s.", purpose=purpose))
    simulated = dict.fromkeys(consent.CHANNELS, web_settings().is_drill)
    simulated["call"] = trunks.reach_invented(session, web_settings().carrier)
    by_channel = {
        channel: consent.verdicts(
            session, contact.id, channel, calendar.PURPOSES, phone=contact.phone, simulated=is_drill
        )
        for channel, is_drill in simulated.items()
    }
    asked = {code: {channel: said[code] for channel, said in by_channel.items()} for code in calendar.PURPOSES}
    waits = person_waits.of_person(session, contact, simulated=simulated["call"])
    return {"asked": asked, "purpose": purpose, "waits": waits}


@blueprint.post("/contacts/<int:contact_id>/opt-out")
@access(*WRITERS)
def opt_out(contact_id: int) -> ResponseReturnValue:
    session = web_session()
    contact = contacts.get(session, contact_id)
    for phone in (contact.phone, *(extra.phone for extra in contact.extra_phones)):
        consent.opt_out(
            session, phone, reason="administrator", proof=f"user/{current_user.id}", source=f"contact/{contact_id}"
        )
    audit.record(session, current_user.id, "contacts.opt_out", f"contact/{contact_id}")
    session.commit()
    flash(_("Nobody will be contacted at this person's phones again."), "success")
    return redirect(url_for("contacts.show", contact_id=contact_id))


def sees_phones() -> bool:
    """May the current person read phones whole, and search by them?"""
    return current_user.is_authenticated and auth.may(SEE_PHONES)
