"""A person's page: what it shows and to whom, and how it is corrected without losing anybody's work."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, contacts
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import ROLES, access_roles, is_open_to_all
from callcenter.base.clock import campaign_now, real_now
from callcenter.calls import Event
from callcenter.consent import Consent
from callcenter.contacts import Contact, ContactPhone, name_key
from callcenter.people import attributes, contact_history, merges
from callcenter.people.merges import ContactAlias
from callcenter.suppressions import add as suppress
from callcenter.territory import Section
from tests.callcenter import cast
from tests.callcenter.people.test_contact_views import post
from tests.conftest import ClientAs

PHONE = "+522281234567"


@pytest.fixture
def ana(session: Session) -> Contact:
    who = cast.person(session, "Ana López Cruz", PHONE, sex="M", age=30)
    who.name_key = name_key(who.name)
    session.commit()
    return who


def form_of(client: FlaskClient, contact_id: int, **typed: str) -> dict[str, Any]:
    """The edit form as the page filled it, with what somebody typed over it."""
    page = client.get(f"/contacts/{contact_id}/edit").text.partition("<main")[2]
    fields = {}
    for tag in re.findall(r"<input [^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            fields[name[1]] = value[1] if value else ""
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    fields.pop("csrf_token", None)
    return {**fields, **typed}


def save(client: FlaskClient, contact_id: int, form: dict[str, Any]) -> Any:
    return post(client, f"/contacts/{contact_id}/edit", f"/contacts/{contact_id}/edit", **form)


def fresh(session: Session, who: Contact) -> Contact:
    session.expire_all()
    return contacts.get(session, who.id)


def test_a_person_is_corrected_and_the_audit_names_the_fields_only(
    session: Session, client_as: ClientAs, ana: Contact
) -> None:
    clerk = client_as("data_clerk")
    form = form_of(clerk, ana.id, name="Ana  López Ruiz", age="41", neighborhood="Centro", promoter="Rosa Gil",
                   organization="Vecinos", is_member="yes")  # fmt: skip
    assert save(clerk, ana.id, form).status_code == 302
    kept = fresh(session, ana)
    assert (kept.name, kept.name_key, kept.age, kept.neighborhood) == ("Ana López Ruiz", "ana lopez ruiz", 41, "Centro")
    assert (kept.is_member, kept.promoter, kept.promoter_id is None, kept.organization_id is None) == (
        True, "Rosa Gil", False, False,
    )  # fmt: skip
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "contacts.edit")).one()
    assert entry.detail == {"fields": ["name", "age", "neighborhood", "promoter", "organization", "is_member"]}
    assert session.get_one(ContactAlias, (PHONE, "ana lopez cruz")).contact_id == ana.id  # the list finds her still
    assert save(clerk, ana.id, form_of(clerk, ana.id)).status_code == 302  # nothing changed, nothing written
    assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "contacts.edit")).all()) == 1


def test_a_stale_form_writes_nothing_and_keeps_what_was_typed(
    session: Session, client_as: ClientAs, ana: Contact
) -> None:
    clerk = client_as("data_clerk")
    form = form_of(clerk, ana.id, name="Ana López Ruiz")
    fresh(session, ana).age = 55
    session.commit()
    answer = save(clerk, ana.id, form)
    assert answer.status_code == 422
    assert 'value="Ana López Ruiz"' in answer.text
    assert re.search(r"alert-danger[^<]*(Age|Edad)", answer.text)
    assert fresh(session, ana).name == "Ana López Cruz"
    seen = re.search(r'name="seen" value="([^"]*)"', answer.text)
    assert seen
    assert save(clerk, ana.id, {**form, "seen": seen[1]}).status_code == 302  # looked at, and saved again
    assert fresh(session, ana).name == "Ana López Ruiz"


@pytest.mark.parametrize(
    "typed",
    [{"name": " "}, {"age": "7"}, {"age": "treinta"}, {"sex": "F"}, {"state": "33"}, {"section": "0"},
     {"name": "x" * 201}],
)  # fmt: skip
def test_each_fault_is_shown_at_its_field(
    session: Session, client_as: ClientAs, ana: Contact, typed: dict[str, str]
) -> None:
    clerk = client_as("data_clerk")
    answer = save(clerk, ana.id, form_of(clerk, ana.id, neighborhood="Centro", **typed))
    assert answer.status_code == 422
    (field,) = typed
    assert f'id="{field}-fault"' in answer.text
    assert 'value="Centro"' in answer.text
    assert fresh(session, ana).neighborhood is None


def test_a_section_is_one_of_ours_once_we_have_any(session: Session, client_as: ClientAs, ana: Contact) -> None:
    clerk = client_as("data_clerk")
    section = Section(state=30, number=45, kind="U", municipality_code=1, nominal_list=1, men=1, women=0)
    session.add(section)
    session.commit()
    assert save(clerk, ana.id, form_of(clerk, ana.id, section="46")).status_code == 422
    assert save(clerk, ana.id, form_of(clerk, ana.id, section="45")).status_code == 302
    assert fresh(session, ana).section_id == section.id


def test_attributes_are_typed_shown_and_checked(session: Session, client_as: ClientAs, ana: Contact) -> None:
    for key, kind, choices in (("hijos", "number", []), ("ingreso", "date", []), ("auto", "yes_no", []),
                               ("zona", "choice", ["Norte", "Sur"])):  # fmt: skip
        attributes.define(session, key, key.title(), kind, choices, user_id=None)
    ana.attributes = {"viejo": "queda"}  # of an attribute that is not defined
    session.commit()
    clerk = client_as("data_clerk")
    wrong = form_of(clerk, ana.id, **{"attr:hijos": "dos"})
    answer = save(clerk, ana.id, wrong)
    assert (answer.status_code, 'id="attr:hijos-fault"' in answer.text) == (422, True)
    typed = {"attr:hijos": "2", "attr:ingreso": "2024-02-29", "attr:auto": "no", "attr:zona": "Sur"}
    assert save(clerk, ana.id, form_of(clerk, ana.id, **typed)).status_code == 302
    assert fresh(session, ana).attributes == {
        "viejo": "queda", "hijos": 2, "ingreso": "2024-02-29", "auto": False, "zona": "Sur",
    }  # fmt: skip
    assert {"2024-02-29", "Sur"} <= set(re.findall(r">([^<>]+)</dd>", clerk.get(f"/contacts/{ana.id}").text))
    assert form_of(clerk, ana.id)["attr:auto"] == "no"


def test_a_name_that_makes_two_people_one_offers_to_merge_them(
    session: Session, client_as: ClientAs, ana: Contact
) -> None:
    other = cast.person(session, "Ana Ruiz", PHONE)
    other.name_key = "ana ruiz"
    session.commit()
    clerk = client_as("data_clerk")
    answer = save(clerk, ana.id, form_of(clerk, ana.id, name="Ana Ruiz"))
    assert answer.status_code == 409
    assert f"compare?one={ana.id}&amp;other={other.id}" in answer.text
    assert fresh(session, ana).name == "Ana López Cruz"


def test_phones_are_added_made_first_and_removed(session: Session, client_as: ClientAs, ana: Contact) -> None:
    clerk, page = client_as("data_clerk"), f"/contacts/{ana.id}"
    suppress(session, "+529221110009", reason="call", source="x", at=campaign_now(session))
    session.commit()
    assert post(clerk, f"{page}/phones", page, phone="044 922 111 0009 / 922 111 0008").status_code == 302
    extras = fresh(session, ana).extra_phones
    assert [extra.phone for extra in extras] == ["+529221110009", "+529221110008"]
    first, last = (extra.id for extra in extras)
    assert post(clerk, f"{page}/phones/{first}/first", page).status_code == 302
    kept = fresh(session, ana)
    assert (kept.phone, kept.suppressed, kept.extra_phones[0].phone) == ("+529221110009", True, PHONE)
    assert post(clerk, f"{page}/phones/{last}/remove", page).status_code == 302
    assert [extra.phone for extra in fresh(session, ana).extra_phones] == [PHONE]
    assert post(clerk, f"{page}/phones/{last}/remove", page).status_code == 404


@pytest.mark.parametrize("said", ["1111111111", "12345678", "hola", PHONE, ""])
def test_what_is_no_phone_or_known_is_refused_with_the_reason(
    session: Session, client_as: ClientAs, ana: Contact, said: str
) -> None:
    clerk, page = client_as("data_clerk"), f"/contacts/{ana.id}"
    answer = post(clerk, f"{page}/phones", page, phone=said)
    assert answer.status_code == 422
    assert f'value="{said}"' in answer.text
    assert fresh(session, ana).extra_phones == []


def test_a_phone_that_makes_two_people_one_offers_to_merge_them(
    session: Session, client_as: ClientAs, ana: Contact
) -> None:
    other = cast.person(session, "Ana López Cruz", "+529221110002")
    other.name_key = ana.name_key
    extra = ContactPhone(contact_id=ana.id, position=1, phone=other.phone)
    session.add(extra)
    session.commit()
    page = f"/contacts/{ana.id}"
    answer = post(client_as("data_clerk"), f"{page}/phones/{extra.id}/first", page)
    assert answer.status_code == 409
    assert f"compare?one={ana.id}&amp;other={other.id}" in answer.text


def test_blocked_data_are_shown_as_such_and_not_changed(session: Session, client_as: ClientAs, ana: Contact) -> None:
    clerk, page = client_as("data_clerk"), f"/contacts/{ana.id}"
    form = form_of(clerk, ana.id, age="50")
    fresh(session, ana).blocked_at = real_now()
    session.commit()
    assert save(clerk, ana.id, form).status_code == 409
    assert post(clerk, f"{page}/phones", page, phone="9221110009").status_code == 409
    shown = clerk.get(page).text
    assert "alert-danger" in shown
    assert f"{page}/edit" not in shown


def test_the_history_is_paged_by_time_and_narrowed_to_a_kind(
    session: Session, client_as: ClientAs, ana: Contact
) -> None:
    client = client_as("supervisor")
    now = campaign_now(session)
    for minutes in range(60):
        session.add(Consent(contact_id=ana.id, kind="opted_in", proof=f"form-{minutes:02}", source="test",
                            at=now - timedelta(minutes=minutes // 2)))  # fmt: skip  # two at each instant
    call_id = cast.planned(session, cast.queue(session, ana))
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("busy", "busy"))
    session.commit()
    seen: list[str] = []
    before = None
    for _page in range(20):
        page = contact_history.read(session, ana.id, before=before, limit=7)
        seen += [deed.outcome for deed in page.deeds]
        before = page.before
        if before is None:
            break
    told = [re.findall(r"form-\d\d", said) for said in seen]
    assert sorted(one[0] for one in told if one) == [f"form-{n:02}" for n in range(60)]
    only_calls = client.get(f"/contacts/{ana.id}?kind=calls").text.partition('id="history"')[2]
    assert "Sondeo" in only_calls
    assert "form-00" not in only_calls
    assert "before=" in client.get(f"/contacts/{ana.id}").text
    assert client.get(f"/contacts/{ana.id}?kind=nothing&before=yesterday").status_code == 200


def test_every_rule_of_the_gate_is_shown_with_what_lifts_it(
    session: Session, client_as: ClientAs, ana: Contact
) -> None:
    ana.consent = "opted_out"
    session.commit()
    page = client_as("strategist").get(f"/contacts/{ana.id}/verdict?purpose=survey").text
    assert page.count("<tr") == 1 + 8  # a row for each purpose
    assert page.count("<details") == 5  # one a channel
    assert "proved" in page or "comprobar" in page or "probar" in page


def test_a_merged_person_is_found_at_who_they_are_now_and_comes_back(
    session: Session, client_as: ClientAs, ana: Contact
) -> None:
    other = cast.person(session, "López Cruz Ana", "+529221110002", age=30, neighborhood="Centro").id
    session.commit()
    clerk = client_as("data_clerk")
    compared = clerk.get(f"/contacts/duplicates/compare?one={ana.id}&other={other}").text
    assert "López Cruz Ana" in compared
    chosen = {"one": ana.id, "other": other, "kept": ana.id, "from-name": other, "from-phone": ana.id}
    assert post(clerk, "/contacts/duplicates/merge", "/contacts/", **chosen).status_code == 302
    kept = fresh(session, ana)
    assert (kept.name, kept.phone, kept.neighborhood) == ("López Cruz Ana", PHONE, "Centro")
    moved = clerk.get(f"/contacts/{other}")
    assert (moved.status_code, moved.headers["Location"]) == (302, f"/contacts/{ana.id}")
    page = clerk.get(f"/contacts/{ana.id}").text
    (made,) = merges.of_person(session, ana.id)
    assert f"/contacts/merges/{made.id}/undo" in page
    assert post(clerk, f"/contacts/merges/{made.id}/undo", "/contacts/").status_code == 302
    assert (fresh(session, ana).name, clerk.get(f"/contacts/{other}").status_code) == ("Ana López Cruz", 200)
    again = post(clerk, f"/contacts/merges/{made.id}/undo", "/contacts/")
    assert again.status_code == 409


def test_duplicates_are_decided_on_their_pages(session: Session, client_as: ClientAs, ana: Contact) -> None:
    other = cast.person(session, "López Cruz Ana", PHONE, age=70)
    session.commit()
    supervisor, clerk = client_as("supervisor"), client_as("data_clerk")
    assert post(supervisor, "/contacts/duplicates/search", "/contacts/duplicates").status_code == 302
    assert "every 2s" in clerk.get("/contacts/duplicates").text  # it runs, and shows how far it is
    assert post(supervisor, "/contacts/duplicates/search", "/contacts/duplicates").status_code == 409
    for act in ("search", "merge-certain"):
        assert post(clerk, f"/contacts/duplicates/{act}", "/contacts/duplicates").status_code == 403
    assert post(supervisor, "/contacts/duplicates/merge-certain", "/contacts/duplicates").status_code == 409
    apart = {"one": ana.id, "other": other.id}
    assert post(clerk, "/contacts/duplicates/set-apart", "/contacts/duplicates", **apart).status_code == 302
    unchosen = post(clerk, "/contacts/duplicates/merge", "/contacts/duplicates", **apart, kept=999)
    assert unchosen.status_code == 422
    assert client_as("strategist").get("/contacts/duplicates").status_code == 403


@pytest.mark.parametrize(
    ("role", "finds"), [("administrator", True), ("supervisor", True), ("data_clerk", True), ("strategist", False)]
)
def test_only_who_sees_phones_finds_people_by_them(
    session: Session, client_as: ClientAs, ana: Contact, role: str, finds: bool
) -> None:
    cast.person(session, "Beto Gil", "+529221110002")
    session.commit()
    page = client_as(role).get(f"/contacts/?phone={PHONE}").text.partition("<tbody")[2]
    assert "Ana López Cruz" in page
    assert ("Beto Gil" not in page) == finds  # who may not search by phone is not told whose it is
    assert (PHONE in page) == finds


@pytest.mark.parametrize("role", ["operator", "strategist", "pollster"])
def test_no_page_of_these_roles_holds_a_whole_phone(
    session: Session, app: Flask, client_as: ClientAs, ana: Contact, role: str
) -> None:
    """Every address without parts of its own, and the person's: during and after a call the phone is masked."""
    queue = cast.queue(session, ana)
    call_id = cast.planned(session, queue)
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("busy", "busy"))
    session.commit()
    client = client_as(role)
    asked = 0
    for rule in app.url_map.iter_rules():
        if rule.methods is None or "GET" not in rule.methods or is_open(app, rule.endpoint, role) is False:
            continue
        if rule.arguments - {"contact_id"}:
            continue
        answer = client.get(rule.rule.replace("<int:contact_id>", str(ana.id)), buffered=True)
        asked += answer.status_code == 200
        assert not re.search(r"(\+?52)?[\s-]*228[\s-]*123[\s-]*4567", answer.text), rule.rule
    assert asked > 2


def is_open(app: Flask, endpoint: str, role: str) -> bool:
    assert role in ROLES
    with app.test_request_context():
        streams = endpoint.startswith(("live.", "hooks.")) or "stream" in endpoint
        return not streams and not is_open_to_all(endpoint) and role in access_roles(endpoint)


def test_everybody_who_looks_at_a_person_is_in_the_audit(session: Session, client_as: ClientAs, ana: Contact) -> None:
    client_as("strategist").get(f"/contacts/{ana.id}")
    client_as("data_clerk").get(f"/contacts/duplicates/compare?one={ana.id}&other={ana.id}")
    looks = session.scalars(select(AuditEntry.subject).where(AuditEntry.action == "contacts.look_up")).all()
    assert set(looks) == {f"contact/{ana.id}"}
    assert len(looks) >= 2
