"""Pages of people: list, person, and the public page on which anybody opts out."""

from collections.abc import Iterator
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

from callcenter import calendar, consent, contact_history, contacts, suppressions
from callcenter.base import audit, auth
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import web_settings
from callcenter.contacts import Search
from callcenter.phones import normalise
from callcenter.table_files import csv_line

blueprint = Blueprint("contacts", __name__, template_folder="templates")

READERS = ("administrator", "strategist", "supervisor", "data_clerk")
SEE_PHONES = frozenset(("administrator", "supervisor", "data_clerk"))
PAGE_SIZE = 50

CHANNELS: dict[str, LazyString] = {"call": _l("Call"), "sms": _l("SMS"), "whatsapp": _l("WhatsApp")}
PURPOSES: dict[str, LazyString] = {
    "survey": _l("Survey"),
    "data_verification": _l("Verification of data"),
    "structure": _l("Structure"),
    "persuasion": _l("Promotion of the vote"),
    "neutral_reminder": _l("Neutral reminder"),
    "mobilization": _l("Mobilisation"),
    "citizen_care": _l("Citizen care"),
    "privacy_request": _l("Privacy request"),
}


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "sexes": contacts.SEXES, "consents": contacts.CONSENTS, "line_kinds": contacts.LINE_KINDS,
        "channels": CHANNELS, "purposes": PURPOSES,
        "masked": contacts.masked,
        "sees_phones": _sees_phones(),
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
    people = contacts.find(session, search, after=after, limit=PAGE_SIZE + 1)
    return render_template(
        "callcenter/contacts/index.html",
        people=people[:PAGE_SIZE],
        next_after=people[PAGE_SIZE - 1].id if len(people) > PAGE_SIZE else None,
        total=contacts.count(session, search),
        sources=contacts.sources(session),
        search=search,
        asked=request.args,
    )


def _search() -> Search:
    asked = request.args
    phone = ""
    if asked.get("phone", "").strip():
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
    rows = contacts.count(session, search, at_most=10_000_000)
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
    for contact in contacts.stream(session, search):
        yield csv_line(getattr(contact, field) for field in fields)


@blueprint.get("/contacts/<int:contact_id>")
@access(*READERS)
def show(contact_id: int) -> ResponseReturnValue:
    session = web_session()
    contact = contacts.get(session, contact_id)
    audit.record(session, current_user.id, "contacts.look_up", f"contact/{contact_id}")
    session.commit()
    return render_template(
        "callcenter/contacts/show.html",
        contact=contact,
        evidence=consent.evidence(session, contact_id),
        history=contact_history.read(session, contact_id).deeds,
        household=contacts.household(session, contact),
        is_suppressed=any(
            suppressions.find(session, phone)
            for phone in (contact.phone, *(extra.phone for extra in contact.extra_phones))
        ),
    )


@blueprint.get("/contacts/<int:contact_id>/verdict")
@access(*READERS)
def verdict(contact_id: int) -> ResponseReturnValue:
    """What the gate says of this person now, for each channel and the purpose asked for."""
    session = web_session()
    contact = contacts.get(session, contact_id)
    purpose = request.args.get("purpose", "survey")
    if purpose not in calendar.PURPOSES:
        raise InvalidInput(_("There is no purpose %(purpose)s.", purpose=purpose))
    simulated = web_settings().is_drill
    verdicts = {
        channel: consent.refusal(session, contact.id, channel, purpose, phone=contact.phone, simulated=simulated)
        for channel in consent.CHANNELS
    }
    return render_template("callcenter/contacts/verdict.html", verdicts=verdicts, purpose=purpose)


@blueprint.post("/contacts/<int:contact_id>/opt-out")
@access("administrator", "supervisor", "data_clerk")
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


def _sees_phones() -> bool:
    return current_user.is_authenticated and auth.may(SEE_PHONES)
