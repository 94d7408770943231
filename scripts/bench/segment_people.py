"""A seeded country for the bench of segments: people, calls and messages, made inside PostgreSQL from hashes."""

# ruff: noqa: S608  # the statements are put together of the words below, by nobody else

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from callcenter.queues import CallQueue
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.segments import Segment
from scripts.bench.database import loading

QUEUES, CAMPAIGNS = 10, 4
CALLS, MESSAGES = 5.0 / 5.57, 2.0 / 5.57  # a person
PEOPLE_A_SECTION = 80  # of our lists; a section has some 1,300 voters
LOADED = ("contacts", "attempts", "calls", "messages", "consents", "pledges")


def fill(engine: Engine, people: int, seed: int) -> None:
    """Write everything without indexes and foreign keys being looked at row by row, then make the indexes."""
    _targets(engine)
    with loading(engine, (*LOADED, "sections")) as connection:
        for statement in _STATEMENTS:
            connection.execute(text(statement), _values(statement, people, seed))


def _targets(engine: Engine) -> None:
    """The queues and campaigns, numbered from 1."""
    with Session(engine) as session:
        for number in range(QUEUES):
            session.add(CallQueue(name=f"Queue {number}", purpose="survey", carrier="simulated", caller_id="x",
                                  on_behalf_of="x", privacy_notice_url="x", state="paused"))  # fmt: skip
        segment = Segment(name="Everybody", rule={"all": []})
        session.add(segment)
        session.flush()
        for number in range(CAMPAIGNS):
            session.add(MessageCampaign(name=f"Campaign {number}", purpose="survey", segment_id=segment.id, text="x",
                                        sender="x", carrier="simulated", state="finished"))  # fmt: skip
        session.commit()


def _values(statement: str, people: int, seed: int) -> dict[str, int]:
    values = {
        "people": people, "seed": seed, "sections": max(people // PEOPLE_A_SECTION, 10), "calls": int(people * CALLS),
        "messages": int(people * MESSAGES),
    }  # fmt: skip
    return {name: value for name, value in values.items() if f":{name}" in statement}


def _one_of(*values: str, salt: int, by: str = "g") -> str:
    """SQL: one of some expressions by the hash of a number."""
    return f"(ARRAY[{', '.join(values)}])[1 + {_dice(len(values), salt, by)}]"


def _dice(sides: str | int, salt: int, by: str = "g") -> str:
    return f"((hashint8extended({by}, :seed * 100 + {salt}) & 2147483647) % {sides})::int"


_WORDS = ", ".join(f"'{word}'" for word in ("Centro", "Las Lomas", "El Roble", "San Juan", "La Palma", "Obrera"))
_STATEMENTS = (
    # Three in four sections are urban or mixed, as in the country.
    f"""INSERT INTO sections (state, number, municipality_code, kind, nominal_list, men, women, valid_from,
            federal_district, local_district)
        SELECT 1 + g % 32, 1 + g / 32, 1 + g % 200, {_one_of("'U'", "'U'", "'M'", "'R'", salt=1)}, 1300, 620, 680,
            '2017-01-01', 1 + g % 20, 1 + g % 30 FROM generate_series(1, :sections) g""",
    """INSERT INTO contact_attributes (key, label, kind, choices)
        VALUES ('team', 'Team', 'text', '[]'), ('score', 'Score', 'number', '[]')""",
    f"""INSERT INTO contacts (id, name, given_names, name_key, sex, age, phone, phone_raw, line_kind, neighborhood,
            municipality, state, section_number, section_id, promoter, language, source, attributes, consent,
            suppressed, blocked_at, created_at, updated_at)
        OVERRIDING SYSTEM VALUE
        SELECT g, 'Persona Inventada ' || g, 'Persona', 'persona inventada ' || g,
            {_one_of("'H'", "'M'", "'M'", "'H'", "NULL", salt=2)}, 18 + {_dice(70, 3)}, '+52' || 1000000000 + g,
            (1000000000 + g)::text, {_one_of("'mobile'", "'mobile'", "'landline'", "'unknown'", salt=4)},
            (ARRAY[{_WORDS}])[1 + {_dice(6, 5)}] || ' ' || {_dice(400, 6)}, 'Municipio ' || {_dice(200, 7)},
            1 + section.place % 32, 1 + section.place / 32, section.place,
            CASE WHEN {_dice(3, 9)} = 0 THEN 'Promotor ' || lpad({_dice(900, 10)}::text, 3, '0') END, 'es',
            CASE WHEN {_dice(10_000, 11)} < 2648 THEN 'lista-1' ELSE 'lista-' || 2 + {_dice(20, 12)} END,
            CASE WHEN {_dice(2, 13)} = 0 THEN jsonb_build_object('team', 'Equipo ' || {_dice(50, 14)}, 'score',
                {_dice(100, 15)}) ELSE '{{}}' END,
            {_one_of("'unknown'", "'unknown'", "'unknown'", "'opted_in'", "'opted_out'", salt=16)},
            {_dice(50, 17)} = 0, CASE WHEN {_dice(1000, 18)} = 0 THEN now() END,
            now() - {_dice(400, 19)} * interval '1 day', now()
        FROM generate_series(1, :people) g, LATERAL (SELECT 1 + {_dice(":sections", 8)} AS place) section""",
    "SELECT setval(pg_get_serial_sequence('contacts', 'id'), :people)",
    f"""INSERT INTO attempts (id, channel, purpose, contact_id, phone, at, created_at, deadline_at, closed_at, outcome)
        SELECT md5('call' || :seed + g)::uuid, 'call', {_one_of("'survey'", "'persuasion'", salt=21)},
            person.id, '+52' || 1000000000 + person.id, moment.at, moment.at, moment.at, moment.at,
            {_one_of("'completed'", "'no_answer'", "'no_answer'", "'voicemail'", "'refused'", "'busy'", salt=22)}
        FROM generate_series(1, :calls) g, LATERAL (SELECT 1 + {_dice(":people", 23)} AS id) person,
            LATERAL (SELECT now() - {_dice(5_184_000, 24)} * interval '1 second' AS at) moment""",
    f"""INSERT INTO calls (id, queue_id, script, carrier, caller_id, state)
        SELECT id, 1 + {_dice(QUEUES, 25, "hashtextextended(id::text, 0)")}, 'operator', 'simulated', 'x', 'ended'
        FROM attempts""",
    f"""INSERT INTO attempts (id, channel, purpose, contact_id, phone, at, created_at, deadline_at, closed_at, outcome)
        SELECT md5('sms' || :seed + g)::uuid, 'sms', 'survey', person.id,
            '+52' || 1000000000 + person.id, moment.at, moment.at, moment.at, moment.at,
            {_one_of("'delivered'", "'delivered'", "'delivered'", "'undelivered'", salt=31)}
        FROM generate_series(1, :messages) g, LATERAL (SELECT 1 + {_dice(":people", 32)} AS id) person,
            LATERAL (SELECT now() - {_dice(5_184_000, 33)} * interval '1 second' AS at) moment""",
    """INSERT INTO messages (id, campaign_id, contact_id, phone, state)
        SELECT id, 1 + (hashtext(phone) & 3), CASE WHEN place = 1 THEN contact_id END, phone,
            CASE WHEN place = 1 THEN 'delivered' ELSE 'excluded' END
        FROM (SELECT a.*, row_number() OVER (PARTITION BY phone) AS place FROM attempts a WHERE channel = 'sms') a""",
    """INSERT INTO consents (contact_id, kind, channel, proof, at, source)
        SELECT id, consent, 'all', 'x', created_at, source FROM contacts WHERE consent <> 'unknown'""",
    f"""INSERT INTO pledges (contact_id, series, form_id, state, source)
        SELECT id, 'x', id::text, {_one_of("'pending'", "'confirmed'", salt=41, by="id")}, source FROM contacts
        WHERE {_dice(5, 42, "id")} = 0""",
)
