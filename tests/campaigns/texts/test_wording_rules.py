import pytest

from callcenter.base.errors import Refused
from campaigns import labels
from campaigns.texts import wording_rules
from campaigns.wording import Fault

WHO = "Encuestas del Sur, A.C."


def faults(text: str, who: str = WHO, purpose: str = "survey", **more: bool) -> list[str]:
    return [fault.code for fault in wording_rules.faults(text, who, purpose=purpose, **more)]


@pytest.mark.parametrize(
    "text",
    [
        "Le escribe Encuestas del Sur. BAJA para no recibir",
        "ENCUESTAS DEL SUR A.C.: responda ALTO y no le escribimos",
        "Somos encuestas  del sur\nhttps://sur.example/baja",
        "Encuestas del Súr: envíe Stop",
    ],
)
def test_a_text_that_says_who_writes_and_how_to_leave_has_no_fault(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hola. BAJA para no recibir", "no_sender_name"),
        ("Hola {name|Encuestas del Sur}. BAJA para no recibir", "no_sender_name"),
        ("Encuestas del Sur: trabajaba bien", "no_way_out"),
        ("Encuestas del Sur, {name|BAJA}", "no_way_out"),
        ("Encuestas del Sur https://sur.example/{section} BAJA", "field_in_link"),
    ],
)
def test_what_is_missing_by_rule_is_named(text: str, code: str) -> None:
    assert faults(text) == [code]


def test_who_cannot_be_answered_needs_a_page() -> None:
    assert faults("Encuestas del Sur. BAJA", is_alphanumeric=True) == ["way_out_needs_link"]
    assert faults("Encuestas del Sur https://sur.example/baja", is_alphanumeric=True) == []


def test_a_channel_with_a_way_out_of_its_own_needs_no_word() -> None:
    assert faults("Encuestas del Sur le saluda", has_own_way_out=True) == []


def test_who_asked_us_knows_whom_they_asked() -> None:
    assert faults("Su respuesta esta lista.", purpose="privacy_request") == []
    assert faults("Su respuesta {", purpose="privacy_request") == ["loose_brace"]


def test_initials_name_a_long_name() -> None:
    assert faults("IES: responda BAJA", who="Instituto de Encuestas del Sur") == []
    assert faults("ES: responda BAJA", who="Encuestas Sur") == ["no_sender_name"]


def test_an_empty_text_has_one_fault() -> None:
    assert faults(" ") == ["empty"]


def test_a_launch_is_refused_with_the_code_and_what_to_do() -> None:
    with pytest.raises(Refused) as refused:
        wording_rules.require(["Encuestas del Sur. BAJA", "Encuestas del Sur"], WHO, purpose="survey")
    assert refused.value.code == "no_way_out"
    assert "BAJA" in str(refused.value)
    wording_rules.require(["Encuestas del Sur. BAJA"], WHO, purpose="survey")


@pytest.mark.parametrize(
    "code",
    ["no_sender_name", "no_way_out", "way_out_needs_link", "field_in_link", "link_too_long", "too_many_links"],
)
def test_every_fault_has_a_sentence(code: str) -> None:
    assert labels.fault(Fault(code, "x"))
