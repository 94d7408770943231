import pytest
from sqlalchemy.orm import Session

from callcenter.base.errors import InvalidInput
from callcenter.people import attributes
from campaigns.channels import channel_addresses
from campaigns.channels.email import is_address
from campaigns.correspondence import address_intake
from tests.base.conftest import post
from tests.campaigns.cast import Cast
from tests.conftest import ClientAs

PAGE = "/campaigns/messages/channels"


@pytest.fixture
def cells(session: Session, cast: Cast) -> Cast:
    """Lists brought a column of e-mail addresses."""
    attributes.define(session, "correo", "Correo", "text", user_id=None)
    cast.lupita.attributes = {"correo": " Lupita@Example.org "}
    cast.beto.attributes = {"correo": "lupita@example.org"}
    cast.mario.attributes = {"correo": "no tiene"}
    cast.rosa.attributes = {"correo": "rosa@example.org"}
    session.flush()
    return cast


def test_addresses_of_lists_are_taken_over_once(session: Session, cells: Cast) -> None:
    assert address_intake.take(session, "correo", None) == {"taken": 2, "no_address": 1}
    assert address_intake.take(session, "correo", None) == {"taken": 0, "no_address": 1}
    everybody = [cells.lupita.id, cells.beto.id, cells.mario.id, cells.rosa.id]
    assert channel_addresses.usable(session, "email", everybody) == {
        cells.lupita.id: "lupita@example.org", cells.rosa.id: "rosa@example.org",
    }  # fmt: skip
    assert channel_addresses.known(session, "email") == 2


def test_who_unsubscribed_stays_so_whatever_list_brings_them_back(session: Session, cells: Cast) -> None:
    channel_addresses.unsubscribe(session, "email", "rosa@example.org")
    session.query(channel_addresses.ChannelAddress).delete()
    address_intake.take(session, "correo", None)
    assert channel_addresses.usable(session, "email", [cells.rosa.id]) == {}


@pytest.mark.parametrize("cell", ["a@b.mx", "a@b", "a..b@c.mx", "a b@c.mx", "a@b.mx; c@d.mx", "ñ@b.mx", "x" * 300])
def test_the_database_reads_an_address_as_the_channel_does(session: Session, cast: Cast, cell: str) -> None:
    attributes.define(session, "correo", "Correo", "text", user_id=None)
    cast.mario.attributes = {"correo": cell}
    session.flush()
    assert address_intake.take(session, "correo", None)["taken"] == int(is_address(cell))


def test_only_an_attribute_that_exists_is_taken(session: Session, cast: Cast, client_as: ClientAs) -> None:
    with pytest.raises(InvalidInput):
        address_intake.begin(session, "correo", None)
    browser = client_as("administrator")
    assert post(browser, PAGE + "/addresses", {"attribute": "correo"}, page=PAGE).status_code == 422
    attributes.define(session, "correo", "Correo", "text", user_id=None)
    session.commit()
    assert "Correo" in browser.get(PAGE).text
    assert post(browser, PAGE + "/addresses", {"attribute": "correo"}, page=PAGE).status_code == 302
