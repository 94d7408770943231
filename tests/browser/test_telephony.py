"""The page of one trunk, as an administrator sees it: accessible, by keyboard, and with what is wrong in words."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import switches
from callcenter.base import db, sealed
from callcenter.base.settings import read_settings
from callcenter.switches import Switch
from callcenter.telephony import trunk_book
from callcenter.telephony.trunk_book import TrunkNumber
from scripts import embedded
from scripts.bench.product import Product
from tests.browser.conftest import PageAs
from tests.browser.test_pages import _overflow, _serious, _watch
from tests.callcenter.trunk_cast import trunk


@pytest.fixture
def ill(running_product: Product) -> Iterator[int]:
    """A trunk that rests, and a switch that nobody has heard of."""
    url = embedded.make_places(running_product.var).database_url
    engine = db.engine_for(read_settings({"DATABASE_URL": url, "REDIS_URL": "unix:///none",
                                          "CONVOCA_VAR": str(running_product.var)}).database_url)  # fmt: skip
    sealed.configure("any")
    with Session(engine) as session:
        switches.register(session, "local", host="127.0.0.1", ami_port=9, ws_url="ws://127.0.0.1/ws", secrets={})
        made = trunk(session, faults=3, last_fault="sip 403", written_at=None, write_fault="wrong_password")
        assert [type(number) for number in made.numbers] == [TrunkNumber]
        session.commit()
        yield made.id
        session.delete(trunk_book.find(session, made.id))
        session.flush()
        session.delete(session.scalars(select(Switch)).one())
        session.commit()
    engine.dispose()


@pytest.mark.parametrize(("scheme", "language"), [("light", "es"), ("dark", "en")])
def test_the_pages_of_a_trunk_that_is_ill_are_sound(ill: int, page_as: PageAs, scheme: str, language: str) -> None:
    tab = page_as("administrator", scheme=scheme, language=language)
    faults = _watch(tab)
    for address in (f"/telephony/trunks/{ill}", "/telephony/"):
        tab.goto(address, wait_until="load")
        assert _serious(tab) == []
        tab.set_viewport_size({"width": 360, "height": 740})
        assert _overflow(tab) <= 0
    assert faults == []


def test_a_trunk_is_filled_in_and_tried_by_keyboard_and_faults_are_said(ill: int, page_as: PageAs) -> None:
    tab = page_as("administrator", language="en")
    tab.goto(f"/telephony/trunks/{ill}")
    tab.fill("#host", "sip example.com")
    tab.fill("#port", "0")
    tab.focus("#name")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#host-fault")
    assert "without spaces" in tab.inner_text("#host-fault")
    assert tab.input_value("#host") == "sip example.com"
    assert "port-fault" in (tab.get_attribute("#port", "aria-describedby") or "")
    assert _serious(tab) == []
    tab.fill("#test-number", "55 CALL ME")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#test-fault")
    assert "ten digits" in tab.inner_text("#test-fault")
    assert _serious(tab) == []
