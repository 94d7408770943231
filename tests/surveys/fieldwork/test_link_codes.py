"""The address of a link: short, readable, and nobody can make one."""

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surveys.fieldwork import link_codes

pytestmark = pytest.mark.usefixtures("app")
MOST = len(link_codes.ALPHABET) ** link_codes.NUMBER - 1
quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@quick
@given(st.integers(1, MOST))
def test_a_code_names_its_link_in_sixteen_signs(number: int) -> None:
    code = link_codes.code(number)
    assert len(code) == 16
    assert link_codes.read(code) == number


@quick
@given(st.integers(1, MOST), st.integers(0, 15), st.sampled_from(link_codes.ALPHABET))
def test_a_code_with_another_sign_is_nobodys(number: int, place: int, sign: str) -> None:
    code = link_codes.code(number)
    other = code[:place] + sign + code[place + 1 :]
    assert link_codes.read(other) == (number if other == code else None)


@quick
@given(st.text(max_size=40))
def test_nonsense_is_read_as_no_link(text: str) -> None:
    assert link_codes.read(text) is None


def test_every_address_is_as_long_as_the_one_that_stands_in_for_it(app: Flask) -> None:
    lengths = {len(link_codes.url(number)) for number in (1, 49, 10**6, MOST)}
    assert lengths == {len(link_codes.stand_in())}
    assert link_codes.url(1).startswith("http://convoca.test/e/")


def test_a_number_beyond_all_links_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond"):
        link_codes.code(MOST + 1)
