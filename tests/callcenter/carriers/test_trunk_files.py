"""What of a trunk reaches a switch's configuration: as headers, in one piece, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.errors import ProviderError
from callcenter.carriers.asterisk import actions, trunk_files
from callcenter.carriers.asterisk.actions import Action, BadAction
from callcenter.carriers.asterisk.client import Answer
from callcenter.carriers.asterisk.packets import Packet
from callcenter.carriers.asterisk.trunk_files import TrunkFile

TRUNK = TrunkFile(7, "sip.example.com", 5060, "udp", "cuenta1", "clave,1=2", registers=True, asks_alive=True)


class Switch:
    """Answers GetConfig and lists as an Asterisk does, and keeps what it is asked."""

    def __init__(self, categories: Sequence[str] = (), lists: Mapping[str, list[dict[str, str]]] | None = None) -> None:
        self.asked: list[Action] = []
        self._categories, self._lists = categories, lists or {}

    def __call__(self, action: Action) -> Answer:
        actions.packed(action, "1")  # everything fits the wire
        self.asked.append(action)
        names = tuple((f"Category-{number:06}", name) for number, name in enumerate(self._categories))
        events = tuple(Packet(tuple(row.items())) for row in self._lists.get(str(action["Action"]), []))
        return Answer(Packet((("Response", "Success"), *names)), events)


def written(action: Action) -> dict[str, str]:
    """Key → value of what an UpdateConfig appends."""
    numbers = [header.removeprefix("Var-") for header in action if header.startswith("Var-")]
    return {str(action[f"Var-{number}"]): str(action[f"Value-{number}"]) for number in numbers}


def test_a_new_trunk_is_one_section_of_the_template() -> None:
    switch = Switch(["trunk-wiz", "trunk-70"])
    trunk_files.write(switch, TRUNK)
    update = switch.asked[-1]
    assert (update["Action"], update["DstFilename"], update["Reload"]) == (
        "UpdateConfig", "pjsip_trunks.conf", "res_pjsip.so",
    )  # fmt: skip
    assert (update["Action-000000"], update["Cat-000000"], update["Options-000000"]) == (
        "NewCat", "trunk-7", 'inherit="trunk-wiz"',
    )  # fmt: skip
    lines = written(update)
    assert lines["remote_hosts"] == "sip.example.com:5060"
    assert (lines["outbound_auth/username"], lines["outbound_auth/password"]) == ("cuenta1", "clave,1=2")
    assert (lines["sends_registrations"], lines["aor/qualify_frequency"]) == ("yes", "30")


def test_a_known_trunk_is_replaced_and_a_deleted_one_taken_out_once() -> None:
    switch = Switch(["trunk-wiz", "trunk-7"])
    trunk_files.write(switch, TRUNK)
    _looked, update, again = switch.asked
    assert (update["Action-000000"], update["Action-000001"]) == ("DelCat", "NewCat")
    assert again == {"Action": "PJSIPRegister", "Registration": "trunk-7-reg-0"}  # with the new password, at once
    trunk_files.remove(switch, 7)
    assert switch.asked[-1]["Action-000000"] == "DelCat"
    asked = len(switch.asked)
    trunk_files.remove(switch, 8)
    assert len(switch.asked) == asked + 1  # it looked, and there was nothing to do


def test_a_trunk_that_is_known_by_its_address_has_no_account() -> None:
    lines = dict(trunk_files.section(replace(TRUNK, username=None, secret=None, registers=False, asks_alive=False)))
    assert not [name for name in lines if name.startswith(("outbound_auth", "registration"))]
    assert (lines["sends_auth"], lines["sends_registrations"], lines["aor/qualify_frequency"]) == ("no", "no", "0")


def test_a_trunk_over_tls_takes_protected_sound() -> None:
    lines = dict(trunk_files.section(replace(TRUNK, transport="tls")))
    assert (lines["transport"], lines["endpoint/media_encryption"]) == ("transport-tls", "sdes")


@pytest.mark.parametrize(
    "damage",
    [
        {"host": "a b"}, {"host": "x\r\nAction: Originate"}, {"port": 0}, {"port": 70000}, {"transport": "ws"},
        {"username": "a\r\nb"}, {"username": "a b"}, {"secret": "a;b"}, {"secret": "a\nb"}, {"secret": "\\a"},
    ],
)  # fmt: skip
def test_what_got_past_the_form_stops_here(damage: dict[str, object]) -> None:
    switch = Switch()
    with pytest.raises(BadAction):
        trunk_files.write(switch, replace(TRUNK, **damage))  # type: ignore[arg-type]  # damaged on purpose
    assert [action["Action"] for action in switch.asked] == ["GetConfig"]


@given(st.text(), st.text(), st.text())
def test_no_text_adds_a_line_to_the_file(host: str, username: str, secret: str) -> None:
    try:
        lines = trunk_files.section(replace(TRUNK, host=host, username=username, secret=secret))
    except ProviderError:
        return
    assert all(value.isprintable() and ";" not in value and "\\" not in value for _key, value in lines)


def test_the_switch_tells_how_its_trunks_stand() -> None:
    switch = Switch(lists={
        "PJSIPShowRegistrationsOutbound": [
            {"Event": "OutboundRegistrationDetail", "ObjectName": "trunk-7-reg-0", "Status": "Registered"},
            {"Event": "OutboundRegistrationDetail", "ObjectName": "trunk-8-reg-0", "Status": "Rejected"},
            {"Event": "OutboundRegistrationDetail", "ObjectName": "trunk-9-reg-0", "Status": "Unregistered"},
            {"Event": "AuthDetail", "ObjectName": "trunk-8-oauth"},
        ],
        "PJSIPShowContacts": [
            {"Event": "ContactList", "ObjectName": "trunk-7;@a9b1", "Status": "Reachable"},
            {"Event": "ContactList", "ObjectName": "trunk-70;@a9b1", "Status": "Unreachable"},
            {"Event": "ContactList", "ObjectName": "op-3;@77", "Status": "Unreachable"},
        ],
    })  # fmt: skip
    found = {(one.trunk, one.what): one.is_well for one in trunk_files.look(switch)}
    assert found == {(7, "registered"): True, (8, "registered"): False, (7, "reachable"): True,
                     (70, "reachable"): False}  # fmt: skip
