"""What an administrator may enter for a trunk, and what becomes of it."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base import sealed
from callcenter.base.audit import AuditEntry
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.telephony import trunk_book, trunk_edit, trunk_entry
from callcenter.telephony.trunk_book import Trunk
from tests.callcenter import cast
from tests.callcenter.trunk_cast import fresh, plan, trunk


def faults(session: Session, trunk_id: int | None = None, **fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        trunk_edit.save(session, plan(session, **fields), None, trunk_id=trunk_id)
    return refused.value.faults


def test_a_trunk_is_kept_out_of_use_with_its_password_sealed(session: Session) -> None:
    made = trunk_edit.save(session, plan(session), None)
    assert (made.is_enabled, made.is_written, made.host, made.port) == (False, False, "sip.example.com", 5060)
    assert made.secret_sealed is not None
    assert "clave-1" not in made.secret_sealed
    assert sealed.unseal(made.secret_sealed) == "clave-1"
    assert [(row.prefix, str(row.cost)) for row in made.prefixes] == [("52", "0.35")]
    assert [(row.number, row.area_codes) for row in made.numbers] == [("+525512340000", ["55", "56"])]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "trunks.save")).one()
    assert "clave-1" not in str(entry.detail)


def test_an_empty_password_keeps_the_old_one_and_no_user_forgets_it(session: Session) -> None:
    made = trunk_edit.save(session, plan(session), None)
    again = trunk_edit.save(session, plan(session, password="", port="5080"), None, trunk_id=made.id)
    assert again.port == 5080
    assert again.secret_sealed
    assert sealed.unseal(again.secret_sealed) == "clave-1"
    bare = plan(session, username="", password="", registers=False)
    assert trunk_edit.save(session, bare, None, trunk_id=made.id).secret_sealed is None


def test_a_kept_password_never_goes_to_another_host(session: Session) -> None:
    made = trunk_edit.save(session, plan(session), None)
    with pytest.raises(InvalidInput, match="Write the password"):
        trunk_edit.save(session, plan(session, password="", host="sip.elsewhere.example"), None, trunk_id=made.id)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("host", "sip example.com", "without spaces"),
        ("host", "sip.example.com\r\ntype=global", "without spaces"),
        ("host", "sip.example.com;x", "without spaces"),
        ("host", "300.1.2.3", "no host name"),
        ("host", "", "no host name"),
        ("port", "0", "1 to 65535"),
        ("port", "65536", "1 to 65535"),
        ("port", "５０６０", "1 to 65535"),
        ("port", "sip", "1 to 65535"),
        ("transport", "sctp", "UDP, TCP or TLS"),
        ("username", "cuenta 1", "without spaces"),
        ("username", "cuenta\r\n[trunk-9]", "without spaces"),
        ("username", "", "To register"),
        ("password", "cla;ve", "80 characters"),
        ("password", "clave\r\nendpoint/context=x", "80 characters"),
        ("password", ">clave", "80 characters"),
        ("password", "contraseña", "80 characters"),
        ("password", "", "gave you with the user"),
        ("name", "", "name"),
        ("name", "x" * 81, "name"),
        ("switch_id", "99999", "switch"),
        ("switch_id", "uno", "switch"),
        ("number_format", "roman", "how the provider"),
        ("channels", "0", "1 to 1000"),
        ("channels", "-3", "1 to 1000"),
        ("calls_per_second", "101", "1 to 100"),
        ("position", "x", "0 to 999"),
        ("numbers", "55 1234 0000\n55 CALL ME", "Line 2"),
        ("numbers", "55 1234 0000: 5", "5 is no area code"),
        ("prefixes", "52: 0.35\n52: 0.40", "stands there twice"),
        ("prefixes", "52: gratis", "Line 1: the price"),
        ("prefixes", "52: -1", "Line 1: the price"),
        ("prefixes", "52: NaN", "Line 1: the price"),
        ("prefixes", "mexico: 1", "Line 1: write the first digits"),
        ("prefixes", "\n".join(f"52{n}" for n in range(201)), "more than 200 lines"),
    ],
)
def test_what_cannot_be_is_said_in_words_beside_its_field(session: Session, field: str, value: str, says: str) -> None:
    fields: dict[str, Any] = {field: value}
    found = faults(session, **fields)
    assert says in found[field]
    assert session.scalars(select(Trunk)).all() == []


def test_every_fault_is_said_at_once(session: Session) -> None:
    found = faults(session, host="a b", port="0", channels="x", number_format="prefixed")
    assert set(found) == {"host", "port", "channels", "number_prefix"}


def test_a_name_is_used_once(session: Session) -> None:
    made = trunk_edit.save(session, plan(session), None)
    assert "already" in faults(session, name="PROVEEDOR")["name"]
    assert trunk_edit.save(session, plan(session), None, trunk_id=made.id).id == made.id


def test_prices_and_lines_may_be_written_as_people_do(session: Session) -> None:
    written = plan(session, prefixes="+52 $0,35\n\n 5255 : 0.9 \n1", numbers=" +52 228 123 0000 \n")
    lists = trunk_entry.read(session, written, None)
    assert {prefix: float(cost) for prefix, cost in lists.prefixes.items()} == {"52": 0.35, "5255": 0.9, "1": 0.0}
    assert lists.numbers == {"+522281230000": []}


def test_simulated_and_real_trunks_are_never_in_use_together(session: Session) -> None:
    drill, real = trunk(session, is_enabled=False), trunk(session, simulated=False, is_enabled=False)
    trunk_edit.enable(session, drill.id, None, on=True)
    with pytest.raises(Refused, match="never in use together"):
        trunk_edit.enable(session, real.id, None, on=True)
    assert trunk_book.lead_to_invented(session)
    with pytest.raises(Refused, match="out of use"):
        trunk_edit.save(session, plan(session, simulated=False), None, trunk_id=drill.id)
    trunk_edit.enable(session, drill.id, None, on=False)
    trunk_edit.enable(session, real.id, None, on=True)
    assert not trunk_book.lead_to_invented(session)
    assert [one.id for one in trunk_book.enabled(session)] == [real.id]


def test_a_trunk_without_a_number_to_show_is_not_taken_into_use(session: Session) -> None:
    line = trunk(session, numbers={}, is_enabled=False)
    with pytest.raises(Refused, match="which number"):
        trunk_edit.enable(session, line.id, None, on=True)


def test_a_trunk_in_use_or_with_calls_is_not_deleted_and_its_calls_outlive_it(session: Session) -> None:
    line = trunk(session)
    queue = cast.queue(session, cast.person(session), carrier="asterisk")
    call_id = cast.rung(session, queue)
    cast.call(session, call_id).trunk_id = line.id
    with pytest.raises(Refused, match="out of use"):
        trunk_edit.remove(session, line.id, None)
    trunk_edit.enable(session, line.id, None, on=False)
    with pytest.raises(Refused, match="Calls go through"):
        trunk_edit.remove(session, line.id, None)
    cast.call(session, call_id).state = "ended"
    session.flush()
    trunk_edit.remove(session, line.id, None)
    with pytest.raises(NotFound):
        trunk_book.find(session, line.id)
    assert cast.call(session, call_id).trunk_id is None


def test_a_change_counts_as_known_only_once_its_switch_knows_it(session: Session) -> None:
    line = trunk_edit.save(session, plan(session), None)
    seen = line.changed_at
    trunk_edit.note_written(session, line.id, seen, "unreachable")
    assert (fresh(session, line.id).is_written, fresh(session, line.id).write_fault) == (False, "unreachable")
    trunk_edit.save(session, plan(session, port="5070"), None, trunk_id=line.id)
    trunk_edit.note_written(session, line.id, seen, None)  # the job of the first change
    assert not fresh(session, line.id).is_written
    trunk_edit.note_written(session, line.id, fresh(session, line.id).changed_at, None)
    assert fresh(session, line.id).is_written
