"""The check of a wording against everybody who would get it: parts, cost, missing values, and what accents cost.

The database groups people by the shape of their values (how long, in which alphabet); one text of each shape is then
written and cut by `wording` itself. Who has unusual values is written one by one: so the sums are those of the truth.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, any_, func, literal, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from callcenter.contacts import Contact
from campaigns import channels, messages, wording
from campaigns.dispatch import message_texts
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.texts import wording_columns, wordings
from campaigns.texts.wording_columns import ACCENTED, GSM, STUBBORN, UNUSUAL

_LETTERS = {ACCENTED: "á", STUBBORN: "ŋ"}  # one of each alphabet stands for all of it
AT_ONCE = 5_000  # people with unusual values held in memory


@dataclass
class Tally:
    """What a wording comes to for everybody. Counts are of people, part counts of parts.

    `missing`: field → who lacks it and gets nothing. `spilled`: who needs more parts than the shortest text would,
    because of the wording's own accents, because of their own values' accents, because their values are long; a person
    may be in several. `plain_text_parts`: were the wording written without accents, `plain_parts`: names, too."""

    people: int = 0
    by_parts: Counter[int] = field(default_factory=Counter)
    in_ucs2: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    too_long: int = 0
    plain_text_parts: int = 0
    plain_parts: int = 0
    spilled: Counter[str] = field(default_factory=Counter)
    outside: str = ""
    _plain_by_parts: Counter[int] = field(default_factory=Counter)

    @property
    def part_count(self) -> int:
        return sum(parts * people for parts, people in self.by_parts.items())

    @property
    def written(self) -> int:
        """Who would get a message."""
        return sum(self.by_parts.values())

    @property
    def most_parts(self) -> int:
        return max(self.by_parts, default=0)

    def refused(self) -> Counter[str]:
        """Refusal code → people."""
        return +Counter({"missing_value": sum(self.missing.values()), "too_long": self.too_long})


def tally(session: Session, text: str, who: Select[Any], *, is_plain: bool = False, is_cut: bool = True) -> Tally:
    """Check `text`, a wording without faults whose addresses are stood in for (`message_texts.shown`), against the
    contacts whose ids `who` selects. One pass over their rows; some seconds for a million and a half. `is_cut`: into
    parts; else a message is one, however long."""
    found = Tally(outside=wording.parts(_bare(text)).outside)
    fields = [name for name in wording.fields(text) if name in wording.FIELDS]
    ways = _Ways(text, is_plain=is_plain, is_cut=is_cut)
    if not wording_columns.is_regular(text):
        one_by_one = _one_by_one(session, fields, Contact.id.in_(who))
    else:
        unusual: list[int] = []
        for lengths, alphabet, people, ids in _shapes(session, fields, who):
            if alphabet == UNUSUAL:
                unusual += ids
            else:
                _add(found, ways, _stand_for(fields, lengths, alphabet), people)
        one_by_one = _in_turns(session, fields, unusual)
    for values, people in one_by_one:
        _add(found, ways, values, people)
    return _settled(found)


def of_campaign(session: Session, campaign: MessageCampaign) -> dict[str, Tally]:
    """Of each of its wordings, by letter: what it comes to for everybody whom the campaign would write to, before the
    gate is asked."""
    who, is_cut = to_write(session, campaign), channels.facts(campaign.channel).is_cut_into_parts
    texts = wordings.texts(session, campaign.id) if campaign.id else {wordings.FIRST: campaign.text}
    return {
        letter: tally(
            session, message_texts.shown(session, campaign.id, text), who, is_plain=campaign.is_plain, is_cut=is_cut
        )
        for letter, text in texts.items()
    }


def count(
    text: str, people: Iterable[Mapping[str, str | None]], *, is_plain: bool = False, is_cut: bool = True
) -> Tally:
    """The same check of people whose values are at hand: a sample."""
    found, ways = Tally(outside=wording.parts(_bare(text)).outside), _Ways(text, is_plain=is_plain, is_cut=is_cut)
    for values in people:
        _add(found, ways, values, 1)
    return _settled(found)


def to_write(session: Session, campaign: MessageCampaign) -> Select[Any]:
    """The contact ids of those whom the campaign would write to, before the gate is asked."""
    people = messages.people(session, campaign)
    return select(people.c.contact_id).where(people.c.refusal.is_(None))


class _Ways:
    """The ways in which one wording may be written: as it is, without its accents, without any."""

    def __init__(self, text: str, *, is_plain: bool, is_cut: bool) -> None:
        self.text, self.is_plain, self.is_cut = text, is_plain, is_cut
        self.plain_text = wording.without_accents(text)

    def write(self, values: Mapping[str, str | None]) -> str:
        """As it is. Raises MissingValue."""
        return wording.render(self.text, values, is_plain=self.is_plain)

    def cut(self, body: str, values: Mapping[str, str | None]) -> tuple[wording.Parts, int, int]:
        """Parts of what `write` wrote; their count with the wording's accents taken away, and with all."""
        written = wording.parts(body)
        if not self.is_cut:
            return replace(written, count=1), 1, 1
        if written.encoding == "GSM-7":  # accents cost nothing where there are none
            return written, written.count, written.count
        plain_text = wording.parts(wording.render(self.plain_text, values, is_plain=self.is_plain)).count
        plain = wording.parts(wording.render(self.text, values, is_plain=True)).count
        return written, plain_text, plain


def _add(found: Tally, ways: _Ways, values: Mapping[str, str | None], people: int) -> None:
    found.people += people
    try:
        body = ways.write(values)
    except wording.MissingValue as lacking:
        found.missing[lacking.field] += people
        return
    if len(body) > wording.MAX_CHARACTERS:
        found.too_long += people
        return
    written, plain_text, plain = ways.cut(body, values)
    found.by_parts[written.count] += people
    found.in_ucs2 += people * (written.encoding != "GSM-7")
    found.plain_text_parts += plain_text * people
    found.plain_parts += plain * people
    found.spilled["text"] += people * (plain_text < written.count)
    found.spilled["values"] += people * (plain < plain_text)
    found._plain_by_parts[plain] += people


def _settled(found: Tally) -> Tally:
    """Who is long by their values alone is known only when everybody was seen."""
    least = min(found._plain_by_parts, default=0)
    found.spilled["length"] = sum(people for parts, people in found._plain_by_parts.items() if parts > least)
    found.spilled = +found.spilled
    return found


def _shapes(
    session: Session, fields: list[str], who: Select[Any]
) -> Iterator[tuple[list[int], int, int, list[int]]]:  # fmt: skip
    """(lengths of the values, their alphabet, people, their ids where it is unusual) of every shape that occurs."""
    lengths = [func.length(wording_columns.value(name)).label(f"n_{name}") for name in fields]
    alphabet = wording_columns.alphabet(fields).label("alphabet")
    each = select(*lengths, alphabet, Contact.id).select_from(Contact).where(Contact.id.in_(who)).subquery()
    *shape, contact_id = each.c
    ids = func.array_agg(contact_id).filter(each.c.alphabet == UNUSUAL)
    # A household's first is found by a window, of which the planner expects a thousand people: it would look up each.
    session.execute(sql("SET LOCAL enable_nestloop = off"))
    rows = session.execute(select(*shape, func.count(), ids).group_by(*shape)).all()
    session.execute(sql("SET LOCAL enable_nestloop TO DEFAULT"))
    for row in rows:
        yield list(row[: len(fields)]), row[-3], row[-2], row[-1] or []


def _stand_for(fields: list[str], lengths: list[int], alphabet: int) -> dict[str, str]:
    """Values of this shape. A letter of the widest alphabet stands in one of them, which is as good as in all."""
    values = {name: "x" * length for name, length in zip(fields, lengths, strict=True)}
    if alphabet != GSM:
        longest = max(values, key=lambda name: len(values[name]))
        values[longest] = _LETTERS[alphabet] + values[longest][1:]
    return values


def _in_turns(
    session: Session, fields: list[str], ids: list[int]
) -> Iterator[tuple[Mapping[str, str | None], int]]:  # fmt: skip
    """(values, people) of these people."""
    for begin in range(0, len(ids), AT_ONCE):
        asked = any_(literal(ids[begin : begin + AT_ONCE], ARRAY(BigInteger)))
        yield from _one_by_one(session, fields, Contact.id == asked)


def _one_by_one(
    session: Session, fields: list[str], which: ColumnElement[bool]
) -> Iterator[tuple[Mapping[str, str | None], int]]:
    """(values, people) of everybody whom the condition means; those who are alike together."""
    columns = [wording_columns.value(name).label(name) for name in fields]
    each = select(*columns, literal(1).label("one")).select_from(Contact).where(which).subquery()
    alike = select(*each.c, func.count().label("people")).group_by(*each.c)
    for row in session.execute(alike, execution_options={"yield_per": AT_ONCE}):
        yield {name: row._mapping[name] for name in fields}, row.people


def _bare(text: str) -> str:
    """The wording's own words, and what it falls back on."""
    return wording.PLACEHOLDER.sub(lambda match: match[2] or "", text)
