"""What the gate must know of people to judge them, for a whole batch in one SELECT."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.attempts import COUNTED
from callcenter.gate.gate_rules import MOMENT, WEEK, Facts
from callcenter.places import zones

EVERY_TRY = (1, 1)
AREA = len("+52222")  # so much of a phone says where it is from
_NOBODY = (None, None, None, None, False, None, None)  # `state` to `holds_post` of who is not there
_NOTHING_SPECIAL = (False, False, False, False, None, 0, None, 0, None)  # from `is_suppressed` on


def read(
    session: Session,
    people: Sequence[tuple[int, str]],
    channel: str,
    *,
    now: datetime,
    own: Collection[UUID] = (),
    caps: tuple[int, int] = EVERY_TRY,
) -> Iterator[Facts]:
    """The facts of each (contact id, phone), in their order. `own`: tries that do not count. `caps` (in seven days, in
    all): the tries of a phone or a person who reaches neither may be left out, because they keep nobody waiting."""
    known, special = _look_up(session, people, channel, now, own, caps)
    for contact_id, phone in people:
        yield special.of(_plain(contact_id, phone, known.get(contact_id, _NOBODY)))


def read_alike(
    session: Session,
    people: Sequence[tuple[int, str]],
    channel: str,
    *,
    now: datetime,
    own: Collection[UUID] = (),
    caps: tuple[int, int] = EVERY_TRY,
) -> Iterator[tuple[Facts, list[int]]]:
    """As `read`, but once for all who are alike in everything that a rule looks at: the facts of one, and their ids."""
    known, special = _look_up(session, people, channel, now, own, caps)
    alike: dict[tuple[tuple[Any, ...], str], list[tuple[int, str]]] = defaultdict(list)
    for one in people:
        contact_id, phone = one
        if contact_id in special.noted or phone in special.noted:
            yield special.of(_plain(contact_id, phone, known.get(contact_id, _NOBODY))), [contact_id]
        else:  # of the phone nothing matters but its area
            alike[known.get(contact_id, _NOBODY), phone[:AREA]].append(one)
    for (person, _area), ones in alike.items():
        yield _plain(*ones[0], person), [contact_id for contact_id, _phone in ones]


def _look_up(
    session: Session,
    people: Sequence[tuple[int, str]],
    channel: str,
    now: datetime,
    own: Collection[UUID],
    caps: tuple[int, int],
) -> tuple[dict[int, tuple[Any, ...]], "_Special"]:
    """What stands in the people's own rows (`state` to `holds_post`), by id, and what is special about a few."""
    question = {
        # One text or row of bytes each, because a list of a thousand costs the driver more than the server's answer.
        "ids": ",".join([str(contact_id) for contact_id, _ in people]), "own": ",".join(map(str, own)),
        "phones": ",".join([phone for _, phone in people]),
        "hashes": b"".join([suppressions.phone_hash(phone) for _, phone in people]),
        "week_ago": now - WEEK, "moment_ago": now - MOMENT, "channel": channel, "per_week": caps[0], "in_all": caps[1],
    }  # fmt: skip
    said, *columns = session.execute(_FACTS, question).one()
    ids, *rest = (column or () for column in columns)
    return dict(zip(ids, zip(*rest, strict=True), strict=True)), _Special(json.loads(said), people, now)


def _plain(contact_id: int, phone: str, person: tuple[Any, ...]) -> Facts:
    return Facts._make((contact_id, phone, *person, *_NOTHING_SPECIAL))


class _Special:
    """What holds of few people of a batch: their phone is listed or just in use, or they were tried often.

    `noted`: the contacts and phones of which something is said."""

    def __init__(self, said: dict[str, Any], people: Sequence[tuple[int, str]], now: datetime) -> None:
        found: dict[str, list[Any]] = {name: rows or [] for name, rows in said.items()}
        self.suppressed, self.in_register = (
            {people[place - 1][1] for place in found[name]} for name in ("suppressed", "in_register")
        )
        self.consents: dict[int, str] = dict(found["consents"])
        self.tries: dict[int | str, tuple[int, list[datetime]]] = defaultdict(lambda: (0, []))
        for key, total, recent in found["at_phone"] + found["of_person"]:
            self.tries[key] = total, [_moment(at) for at in recent or ()]
        for key, at, *_ in found["open_at_phone"] + found["open_of_person"]:
            total, recent = self.tries[key]
            self.tries[key] = total + 1, [*recent, _moment(at)] if _moment(at) > now - WEEK else recent
        # Calls that are open, and messages that have just left: (with whom, channel, when).
        self.in_use: dict[str, list[tuple[int | None, str, datetime]]] = defaultdict(list)
        for phone, at, contact_id, channel in found["open_at_phone"] + found["written"]:
            if channel == "call" or _moment(at) > now - MOMENT:
                self.in_use[phone].append((contact_id, channel, _moment(at)))
        self.noted = {*self.suppressed, *self.in_register, *self.consents, *self.tries, *self.in_use}

    def of(self, facts: Facts) -> Facts:
        """The facts with what is special about them."""
        uses = self.in_use.get(facts.phone, ())
        others = [(channel, at) for contact_id, channel, at in uses if contact_id != facts.contact_id]
        phone_total, phone_recent = self.tries.get(facts.phone, (0, None))
        person_total, person_recent = self.tries.get(facts.contact_id, (0, None))
        return facts._replace(
            consent=self.consents.get(facts.contact_id, facts.consent),
            is_suppressed=facts.phone in self.suppressed, is_in_register=facts.phone in self.in_register,
            is_being_called=any(channel == "call" for _, channel, _ in uses),
            is_other_called=any(channel == "call" for channel, _ in others),
            other_written_at=max((at for channel, at in others if channel != "call"), default=None),
            phone_total=phone_total, phone_recent=phone_recent,
            person_total=person_total, person_recent=person_recent,
        )  # fmt: skip


_moment = datetime.fromisoformat

# Each part is one walk along one index, and parts are put together in Python: a join of what was found would be planned
# for ten people, because PostgreSQL does not know how many are asked about, and could go through all of them for each.
# It sorts an array itself, and finds neighbours in an index in one step. `COUNTED` stands in the words of the partial
# indexes, so that closed tries are read from the index alone. The two lists of hashes are joined: a short one is read
# whole, a long one never (of `unnest` the planner expects ten rows, of `generate_series` a thousand).
_ASKED = """asked AS MATERIALIZED (
        SELECT CAST(string_to_array(:ids, ',') AS bigint[]) AS ids, string_to_array(:phones, ',') AS phones
    ), own AS MATERIALIZED (
        SELECT CAST(id AS uuid) AS id FROM unnest(string_to_array(:own, ',')) AS id
    ), hashes AS MATERIALIZED (
        SELECT substr(:hashes, 32 * place - 31, 32) AS hash, place
        FROM unnest(ARRAY(SELECT generate_series(1, length(:hashes) / 32))) AS place
    )"""
_IDS, _PHONES = "ANY(CAST((SELECT ids FROM asked) AS bigint[]))", "ANY(CAST((SELECT phones FROM asked) AS text[]))"
_OPEN = """{name} AS MATERIALIZED (
        SELECT phone, contact_id, channel, at FROM attempts
        WHERE {key} = {asked} AND closed_at IS NULL AND id NOT IN (SELECT id FROM own)
    )"""
# All tries where some are open: together they may be too many.
_CLOSED = f"""{{name}} AS (
        SELECT {{key}}, count(*) AS total, array_agg(at) FILTER (WHERE at > :week_ago) AS recent, max(at) AS newest
        FROM attempts WHERE {{key}} = {{asked}} AND {COUNTED.replace("{", "{{").replace("}", "}}")} GROUP BY {{key}}
        HAVING count(*) >= :in_all OR count(*) FILTER (WHERE at > :week_ago) >= :per_week OR max(at) > :moment_ago
            OR {{key}} IN (SELECT {{key}} FROM {{open}})
    )"""  # noqa: S608  # our own words only
# Messages that have just left and have their receipt already.
_WRITTEN = f"""written AS (
        SELECT phone, at, contact_id, channel FROM attempts
        WHERE phone = ANY(ARRAY(SELECT phone FROM at_phone WHERE newest > :moment_ago))
            AND at > :moment_ago AND {COUNTED} AND channel <> 'call'
    )"""  # noqa: S608  # our own words only
# What a person said of this channel alone, and whether they said something of all after it.
_SAID = f"""narrow AS (
        SELECT DISTINCT ON (contact_id) contact_id, kind, at, id FROM consents
        WHERE channel = :channel AND channel <> 'all' AND contact_id = {_IDS}
        ORDER BY contact_id, at DESC, id DESC
    ), said AS (
        SELECT contact_id, kind, CASE WHEN EXISTS (
            SELECT FROM consents wide WHERE wide.contact_id = narrow.contact_id AND wide.channel = 'all'
                AND (wide.at, wide.id) > (narrow.at, narrow.id)
        ) THEN 'past' ELSE 'holds' END AS state FROM narrow
    )"""  # noqa: S608  # our own words only
_PEOPLE = f"""
    SELECT CAST(json_build_object(
        'at_phone', (SELECT json_agg(json_build_array(phone, total, recent)) FROM at_phone),
        'of_person', (SELECT json_agg(json_build_array(contact_id, total, recent)) FROM of_person),
        'open_at_phone', (SELECT json_agg(json_build_array(phone, at, contact_id, channel)) FROM open_at_phone),
        'open_of_person', (SELECT json_agg(json_build_array(contact_id, at)) FROM open_of_person),
        'written', (SELECT json_agg(json_build_array(phone, at, contact_id, channel)) FROM written),
        'consents', (SELECT json_agg(json_build_array(contact_id, kind)) FROM said WHERE state = 'holds'),
        'suppressed', (SELECT json_agg(place) FROM hashes JOIN suppressions ON phone_hash = hash),
        'in_register', (SELECT json_agg(place) FROM hashes JOIN do_not_call_phones ON phone_hash = hash)
    ) AS text), array_agg(id), array_agg(state), array_agg(
        CASE WHEN state NOT IN ({", ".join(map(str, sorted(zones.DIVIDED_STATES)))}) AND municipality <> ''
        THEN '{zones.ANY_MUNICIPALITY}' ELSE municipality END
    ), array_agg(consent), array_agg(invented), array_agg(blocked_at IS NOT NULL), array_agg(is_member),
        array_agg(holds_post)
    FROM contacts WHERE id = {_IDS}"""  # noqa: S608  # our own words only


def _tries(key: str, asked: str, of: str) -> str:
    names = {"key": key, "asked": asked, "open": f"open_{of}"}
    return f"{_OPEN.format(name=names['open'], **names)}, {_CLOSED.format(name=of, **names)}"


_PARTS = (_ASKED, _tries("phone", _PHONES, "at_phone"), _tries("contact_id", _IDS, "of_person"), _WRITTEN, _SAID)
_FACTS = text(f"WITH {', '.join(_PARTS)} {_PEOPLE}")
