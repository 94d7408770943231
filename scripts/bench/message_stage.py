"""Invented people, and a campaign of messages to them, in the database of a running product."""

import contextlib
from collections.abc import Iterator

from sqlalchemy import text

import wsgi
from callcenter.base import clock, db, outbox
from callcenter.base.settings import Settings, read_settings
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessagePlan
from campaigns.segments import Segment
from scripts import embedded
from scripts.bench.product import Product, environment

SENDER = "+525512340001"
FASTEST = 2_000.0  # parts a second: what the machine can do is measured, not what a sender may
TEXT = "Hola {given_names|vecina}, este es un mensaje de prueba. Responda BAJA para no recibir otro."
FIRST_PHONE = 9_220_000_000
_PEOPLE = """
    INSERT INTO contacts (name, given_names, name_key, phone, line_kind, municipality, state, section_number, source,
        language, consent, invented)
    SELECT 'Persona Inventada ' || g, 'Persona', 'persona inventada ' || g, '+52' || :first + g, 'mobile',
        'Minatitlán', 30, 45, 'bench', 'es', 'opted_in', true
    FROM generate_series(1, :people) g
"""


@contextlib.contextmanager
def beside(product: Product) -> Iterator[Settings]:
    """This process connected to the product's own database and Redis, as one of its commands would be."""
    places = embedded.make_places(product.var)
    own = {"DATABASE_URL": places.database_url, "REDIS_URL": places.redis_url}
    settings = read_settings(environment(product.var, own))
    wsgi.import_models()
    db.connect(settings.database_url)
    outbox.connect(settings.redis_url)
    wsgi.compose(settings)
    try:
        yield settings
    finally:
        db.engine().dispose()


def people(count: int) -> None:
    """So many people with a mobile phone each, who may be written to."""
    with db.engine().begin() as connection:
        connection.execute(text(_PEOPLE), {"first": FIRST_PHONE, "people": count})
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE contacts"))


def campaign(name: str) -> int:
    """A draft to everybody of `people`; returns its number. Its sender may carry all that the machine can."""
    with db.open_session() as session:
        clock.start_drill(session)
        segment = Segment(name=name, rule={"all": [{"field": "source", "op": "is", "value": "bench"}]})
        session.add(segment)
        session.flush()
        plan = MessagePlan(name, segment.id, "survey", TEXT, SENDER, "simulated", on_behalf_of="Prueba")
        made = campaigns.create(session, plan, None)
        session.execute(
            text("INSERT INTO senders (channel, address, carrier, parts_per_second, created_at)"
                 " VALUES ('sms', :address, 'simulated', :rate, now())"
                 " ON CONFLICT (channel, address, carrier) DO UPDATE SET parts_per_second = :rate"),
            {"address": SENDER, "rate": FASTEST},
        )  # fmt: skip
        session.commit()
        return made.id
