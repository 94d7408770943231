from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.carriers.asterisk import actions
from callcenter.carriers.asterisk.actions import BadAction

CALL = UUID("6f1d0f4e-1111-4222-8333-444455556666")


def order(number: str = "+525512345678", shows: str = "5512340000") -> actions.Action:
    return actions.dial(
        CALL, 3, number, shows, seconds=25, to=("citizen", "wait"), variables={"CONVOCA_CALL": str(CALL)}
    )


def lines(action: actions.Action) -> list[str]:
    return actions.packed(action, "id").decode().removesuffix("\r\n\r\n").split("\r\n")


def test_an_order_to_call_carries_our_id_three_times_and_goes_straight_to_the_trunk() -> None:
    said = lines({**order(), "Variable": ["CONVOCA_CALL=1", "CONVOCA_ROOM=op-7"]})
    assert said[:2] == ["Action: Originate", "ActionID: id"]
    assert order()["ActionID"] == order()["ChannelId"] == str(CALL)
    assert "Channel: PJSIP/+525512345678@trunk-3" in said
    assert {"Async: true", "Timeout: 25000", "Context: citizen", "Exten: wait", "CallerID: 5512340000"} <= set(said)
    assert said[-2:] == ["Variable: CONVOCA_CALL=1", "Variable: CONVOCA_ROOM=op-7"]


@pytest.mark.parametrize(
    "number", ["", "+", "55 1234", "5512345678@evil", "55123456&PJSIP/9", "${SHELL(id)}", "55\r\n12", "١٢٣٤", "5" * 40]
)
def test_a_number_with_anything_but_digits_never_reaches_a_switch(number: str) -> None:
    with pytest.raises(BadAction) as caught:
        order(number)
    assert caught.value.permanent
    assert number not in str(caught.value) or not number


@given(st.dictionaries(st.sampled_from(["Channel", "Variable", "Value"]), st.text(max_size=60)))
def test_whatever_a_value_holds_the_packet_has_one_line_a_header_and_ends_once(values: dict[str, str]) -> None:
    sent = actions.packed({"Action": "Setvar", **values}, "id")
    assert sent.count(b"\r\n\r\n") == 1
    assert sent.endswith(b"\r\n\r\n")
    body = sent.removesuffix(b"\r\n\r\n").split(b"\r\n")
    assert len(body) == 2 + len(values)
    assert not any(byte < 32 or byte == 127 for line in body for byte in line)


@pytest.mark.parametrize(
    "action",
    [
        {"Action": "Command", "Command": "core stop now"},
        {"Action": "Originate", "Application": "System", "Data": "rm"},
        {"Action": "Setvar\r\nAction: Command"},
        {"Action": "UpdateConfig", "Action-1": "NewCat"},
        {},
    ],
)
def test_what_is_not_on_the_list_is_not_said(action: dict[str, str]) -> None:
    with pytest.raises(BadAction):
        actions.packed(action, "id")


def test_a_line_that_asterisk_would_refuse_is_refused_here() -> None:
    fits = actions.packed({"Action": "Setvar", "Value": "é" * 507}, "id")
    assert max(len(line) for line in fits.split(b"\r\n")) == 1021
    with pytest.raises(BadAction, match="longer"):
        actions.packed({"Action": "Setvar", "Value": "é" * 510}, "id")


def test_a_browsers_account_is_one_edit_of_one_file_and_its_reload() -> None:
    said = lines(actions.add_account("pjsip_accounts.conf", "browser-wiz", "op-7", "geheim", anew=True))
    assert [line for line in said if "00000" in line] == [
        "Action-000000: DelCat", "Cat-000000: op-7",
        "Action-000001: NewCat", "Cat-000001: op-7", 'Options-000001: inherit="browser-wiz"',
        "Action-000002: Append", "Cat-000002: op-7", "Var-000002: inbound_auth/username", "Value-000002: op-7",
        "Action-000003: Append", "Cat-000003: op-7", "Var-000003: inbound_auth/password", "Value-000003: geheim",
    ]  # fmt: skip
    assert {"SrcFilename: pjsip_accounts.conf", "DstFilename: pjsip_accounts.conf", "Reload: res_pjsip.so"} <= set(said)


def test_names_of_accounts_rooms_and_keys_are_ours_or_refused() -> None:
    for bad in ("op-7]\n[evil", "trunk", "op-", "OP-7"):
        with pytest.raises(BadAction):
            actions.remove_account("pjsip_accounts.conf", bad)
        with pytest.raises(BadAction):
            actions.movement("leg", bad)
    with pytest.raises(BadAction):
        actions.keys("12;")


def test_a_citizen_a_supervisor_and_a_place_without_a_room_are_moved_each_in_their_way() -> None:
    room, redirect = actions.movement("leg", "op-7")
    assert (room["Value"], redirect["Context"], redirect["Exten"]) == ("op-7", "citizen", "room")
    assert actions.movement("sup-3-aa", "op-7")[1]["Context"] == "supervisor"
    (hold,) = actions.movement("leg", "hold")
    assert (hold["Context"], hold["Exten"]) == ("citizen", "hold")
