import pytest

from callcenter.carriers.asterisk import actions
from callcenter.ledger import apologies


def test_an_apology_says_who_called() -> None:
    assert "Le llamamos de parte de Casa Encuestadora. En este" in apologies.words("Casa Encuestadora.")


def test_without_a_name_it_names_nobody() -> None:
    assert "de parte de" not in apologies.words("  ")


@pytest.mark.parametrize("caller", ["", "Ñandú, S. A. de C. V.", "../../etc/passwd\r\nAction: Originate"])
def test_whatever_the_callers_name_a_switch_gets_a_harmless_file_name(caller: str) -> None:
    assert actions.sound(apologies.name(caller)) == apologies.name(caller)


def test_two_callers_have_two_files() -> None:
    assert apologies.name("Casa") != apologies.name("Cosa")
