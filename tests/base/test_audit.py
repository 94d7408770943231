"""The audit page: who did what, and who saw this person."""

from sqlalchemy.orm import Session

from callcenter.base import audit
from tests.base.conftest import MakePerson, SignIn


def test_entries_are_found_by_person_act_and_subject(
    session: Session, make_person: MakePerson, sign_in: SignIn
) -> None:
    ana, beto = make_person("supervisor", full_name="Ana Ruiz"), make_person("operator", full_name="Beto Díaz")
    audit.record(session, ana.id, "contact.seen", "contact/17")
    audit.record(session, beto.id, "contact.seen", "contact/18", fields=["a", "b"])
    audit.record(session, None, "import.finished", "import/3")
    session.commit()
    client = sign_in(make_person("administrator"))
    everything = client.get("/audit").text
    assert "contact/17" in everything
    assert "a, b" in everything
    assert "contact/18" not in client.get("/audit?who=ana").text
    assert "import/3" not in client.get("/audit?action=contact.").text
    assert "Ana Ruiz" in client.get("/audit?subject=contact/17").text
    assert "Beto Díaz" not in client.get("/audit?subject=contact/17").text


def test_only_the_administrator_reads_the_audit(make_person: MakePerson, sign_in: SignIn) -> None:
    assert sign_in(make_person("supervisor")).get("/audit").status_code == 403
