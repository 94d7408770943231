"""What a merge does beyond names and phones: attributes, policies, promoters, trials, suppressed phones, pledges."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from callcenter import consent, imports, suppressions
from callcenter.base.clock import campaign_now, real_now, start_drill
from callcenter.contacts import Contact
from callcenter.imports import RefusedRow
from callcenter.lists import import_jobs, import_merge
from callcenter.people import attributes
from callcenter.people.structure import Organization, Promoter
from tests.callcenter.test_imports import EXPECTED, SAMPLE, run


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str, name: str = "lista.csv") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_promoters_and_organisations_are_one_however_the_list_spells_them(session: Session, write: Any) -> None:
    head = "NOMBRE,CELULAR,PROMOTOR,ORGANIZACION\n"
    run(session, write(head + "Ana,2281234567,Promotor 01,Café\nEva,2281234568,PROMOTOR  1,CAFE\nLuz,2281234569,,\n"))
    assert session.scalars(select(Promoter.name_key)).all() == ["promotor 1"]
    assert session.scalars(select(Organization.name_key)).all() == ["cafe"]
    people = session.execute(select(Contact.promoter_id, Contact.organization_id).order_by(Contact.name)).all()
    assert people[0] == people[1] != people[2] == (None, None)


def test_attributes_are_kept_by_their_kind_and_what_is_of_another_is_blank_and_counted(
    session: Session, write: Any
) -> None:
    attributes.define(session, "ninos", "Niños", "number", user_id=None)
    attributes.define(session, "color", "Color", "choice", ["Rojo", "Azul"], user_id=None)
    path = write("NOMBRE,CELULAR,NIÑOS,COLOR\nAna,2281234567,2,rojo\nEva,2281234568,dos,verde\nLuz,2281234569,,AZUL\n")
    mapping = {"0": "name", "1": "mobile", "2": "attr:ninos", "3": "attr:color"}
    counts = run(session, path, mapping=mapping)
    kept = session.scalars(select(Contact.attributes).order_by(Contact.name)).all()
    assert kept == [{"ninos": 2, "color": "Rojo"}, {}, {"color": "Azul"}]
    assert (counts["created"], counts["bad_values"]) == (3, {"color": 1, "ninos": 1})
    again = run(session, path, mapping=mapping)
    assert (again["updated"], again["unchanged"]) == (0, 3)


@pytest.mark.parametrize(
    ("policy", "known", "blank"),
    [
        ("overwrite", (31, "Sur"), (40, "Norte")),
        ("fill", (30, "Centro"), (40, "Norte")),
        ("keep", (30, "Centro"), (None, None)),
    ],
)
def test_a_column_overwrites_fills_blanks_or_is_kept(
    session: Session, write: Any, policy: str, known: tuple[Any, Any], blank: tuple[Any, Any]
) -> None:
    head = "NOMBRE,CELULAR,EDAD,COLONIA\n"
    run(session, write(head + "Ana,2281234567,30,Centro\nEva,2281234568,,\n"))
    path = write(head + "Ana,2281234567,31,Sur\nEva,2281234568,40,Norte\n", "b.csv")
    run(session, path, options={"policies": {"age": policy, "neighborhood": policy}})
    people = session.execute(select(Contact.age, Contact.neighborhood).order_by(Contact.name)).all()
    assert [tuple(row) for row in people] == [known, blank]


def test_the_policy_of_all_columns_and_of_attributes(session: Session, write: Any) -> None:
    for key in ("uno", "dos", "tres"):
        attributes.define(session, key, key, "text", user_id=None)
    mapping = {"0": "name", "1": "mobile", "2": "age", "3": "attr:uno", "4": "attr:dos", "5": "attr:tres"}
    head = "NOMBRE,CELULAR,EDAD,UNO,DOS,TRES\n"
    run(session, write(head + "Ana,2281234567,30,a,,\n"), mapping=mapping)
    options = {"default_policy": "keep", "policies": {"attr:uno": "fill", "attr:dos": "fill", "attr:tres": "keep"}}
    run(session, write(head + "Ana,2281234567,31,b,c,d\n", "b.csv"), mapping=mapping, options=options)
    person = session.scalars(select(Contact)).one()
    assert (person.age, person.attributes) == (30, {"uno": "a", "dos": "c"})


def test_a_trial_says_the_whole_outcome_and_keeps_nothing_but_the_refused_rows(
    session: Session, tmp_path: Path
) -> None:
    path = tmp_path / imports.UPLOADS / ("0" * 32)
    path.parent.mkdir()
    path.write_bytes(SAMPLE.read_bytes())
    batch = imports.create(session, path, source="lista", file_name="lista.csv")
    session.commit()
    import_jobs.inspect_import(batch.id)
    imports.start(session, batch.id, imports.get(session, batch.id).mapping, None, None, options={"dry_run": True})
    session.commit()
    import_jobs.run_import(batch.id)
    batch = imports.get(session, batch.id)
    assert {key: batch.counts[key] for key in EXPECTED} == EXPECTED
    assert (batch.state, batch.counts["dry_run"], path.exists()) == ("mapping", True, True)
    assert session.scalar(select(func.count()).select_from(Contact)) == 0
    assert session.scalar(select(func.count()).select_from(Promoter)) == 0
    assert session.scalar(select(func.count()).select_from(RefusedRow)) == sum(EXPECTED["rejected"].values())
    imports.start(session, batch.id, batch.mapping, None, None, options={"dry_run": False})
    session.commit()
    import_jobs.run_import(batch.id)
    batch = imports.get(session, batch.id)
    assert (batch.state, batch.counts["created"], path.exists()) == ("done", EXPECTED["created"], False)


def test_new_people_at_a_listed_phone_are_marked(session: Session, write: Any) -> None:
    suppressions.add(session, "+522281234567", reason="call", source="call", at=real_now())
    run(session, write("NOMBRE,CELULAR\nAna,2281234567\nEva,2281234568\n"))
    assert session.scalars(select(Contact.suppressed).order_by(Contact.name)).all() == [True, False]


def test_a_spelling_that_was_merged_means_the_person_it_was_merged_into(session: Session, write: Any) -> None:
    run(session, write("NOMBRE,CELULAR\nAna Peña,2281234567\n"))
    person = session.scalars(select(Contact.id)).one()
    alias = text("INSERT INTO contact_aliases (phone, name_key, contact_id) VALUES ('+525512345678', 'ana p', :person)")
    session.execute(alias, {"person": person})
    counts = run(session, write("NOMBRE,CELULAR\nAna P,5512345678\nAna Peña,2281234567\n", "b.csv"))
    assert (counts["created"], counts["unchanged"], counts["duplicates"]) == (0, 1, 1)


def test_a_signed_pledge_is_kept_once(session: Session, write: Any) -> None:
    path = write("NOMBRE,CELULAR,PROMOTOR,FOLIO_COMPROMISO\nAna,2281234567,Promotor 01,A-1\nEva,2281234568,,\n")
    for _ in range(2):
        run(session, path)
    pledge = session.execute(text("SELECT form_id, promoter_id, import_id FROM pledges")).one()
    assert (pledge.form_id, pledge.promoter_id is not None) == ("A-1", True)


def test_who_a_list_says_not_to_call_stays_off_every_later_list(session: Session, write: Any) -> None:
    start_drill(session)
    head = "NOMBRE,CELULAR,NO LLAMAR,ACEPTA_AVISO\n"
    rows = (
        "Ana,2281234567 / 2281234560,SI,SI\nEva,2281234568,NO,NO\nIda,2281234567,,\nLuz,2281234569,,\n"
        "Luz,2281234569,X,\n"
    )
    run(session, write("NOMBRE,CELULAR\nIda,2281234567\nOna,2281234560\n"))  # known at the phones already
    counts = run(session, write(head + rows, "b.csv"))
    listed = [f"+52228123456{digit}" for digit in range(10) if suppressions.find(session, f"+52228123456{digit}")]
    assert listed == ["+522281234560", "+522281234567", "+522281234569"]
    assert suppressions.counts(session) == {"import": 3}
    session.expire_all()
    people = {who.name: (who.consent, who.suppressed) for who in session.scalars(select(Contact))}
    assert people == {
        "Ana": ("opted_out", True), "Eva": ("opted_out", False), "Ida": ("unknown", True), "Luz": ("opted_out", True),
        "Ona": ("unknown", True),
    }  # fmt: skip
    assert (counts["created"], counts["updated"], counts["opted_out"]) == (3, 0, 3)
    session.execute(delete(Contact))
    run(session, write("NOMBRE,CELULAR,ACEPTA_AVISO\nAna,2281234567,SI\nEva,2281234568,SI\n", "c.csv"))
    again = {who.name: who for who in session.scalars(select(Contact))}
    refusals = {
        name: consent.refusal(session, who.id, "whatsapp", "survey", phone=who.phone, simulated=True)
        for name, who in again.items()
    }
    assert (refusals["Ana"], refusals["Eva"]) == (consent.Refusal("suppressed"), None)


def test_a_trial_puts_no_phone_on_the_list(session: Session, write: Any) -> None:
    path = write("NOMBRE,CELULAR,NO LLAMAR\nAna,2281234567,SI\n")
    run(session, path, options={"dry_run": True})
    assert suppressions.counts(session) == {}


def test_who_refuses_while_a_list_is_merged_has_refused(
    session: Session, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(session, write("NOMBRE,CELULAR,EDAD,ACEPTA_AVISO\nAna,2281234567,30,SI\n"))
    who = session.scalars(select(Contact)).one()
    find_changes = import_merge._Work.find_changes

    def refused_meanwhile(work: Any) -> int:
        found = find_changes(work)
        said = consent.Evidence("opted_out", "all", "letter 1", campaign_now(session), "letter")
        consent.record(session, who.id, said, None)
        return found

    monkeypatch.setattr(import_merge._Work, "find_changes", refused_meanwhile)
    run(session, write("NOMBRE,CELULAR,EDAD,ACEPTA_AVISO\nAna,2281234567,31,SI\n", "b.csv"))
    session.refresh(who)
    assert (who.age, who.consent) == (31, "opted_out")


def test_an_acceptance_in_a_list_lifts_no_refusal_of_a_channel(session: Session, write: Any) -> None:
    start_drill(session)
    run(session, write("NOMBRE,CELULAR\nAna,2281234567\n"))
    who = session.scalars(select(Contact)).one()
    session.add(consent.Consent(contact_id=who.id, kind="opted_out", channel="sms", proof="message/1", source="sms",
                                at=real_now() - timedelta(days=1)))  # fmt: skip
    session.flush()
    run(session, write("NOMBRE,CELULAR,ACEPTA_AVISO\nAna,2281234567,SI\n", "b.csv"))
    session.refresh(who)
    said = {
        channel: consent.refusal(session, who.id, channel, "privacy_request", phone=who.phone, simulated=True)
        for channel in ("whatsapp", "sms")
    }
    assert (who.consent, said) == ("opted_in", {"whatsapp": None, "sms": consent.Refusal("opted_out")})
