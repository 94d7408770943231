"""What became of a message campaign by wording, and by section, age and sex of the people, few of them never told."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.contacts import SEXES, Contact
from callcenter.places import territory_counts
from callcenter.places.states import NAMES as STATES
from callcenter.tables import small_tables
from callcenter.tables.small_tables import Table
from campaigns.dispatch import message_rows as rows
from campaigns.figures import message_responses
from campaigns.figures.message_responses import Responses
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message

GROUPINGS: dict[str, LazyString] = {"section": _l("Section"), "age": _l("Age"), "sex": _l("Sex")}
SECTIONS = 10_000  # a section's number has four digits
KIND_LABELS: dict[str, LazyString] = {
    "delivered": _l("Delivered"),
    "failed": _l("Not delivered"),
    "excluded": _l("Excluded"),
    "stopped": _l("Not sent: stopped"),
    "open": _l("Waiting or on their way"),
    "unknown": _l("Unknown"),
}


@dataclass(frozen=True)
class Line:
    """One row of a table by group: `cells` by group of kinds (None: hidden)."""

    label: str
    total: int
    cells: dict[tuple[str, ...], int | None]


@dataclass(frozen=True)
class Breakdown:
    """`columns`: the kinds (message_rows.KINDS) that each adds up; `lines` by size or age, the last may be all groups
    of few people together (`few` of them). Nothing at all: the list is too small to tell of its groups."""

    by: str
    columns: list[tuple[str, ...]]
    lines: list[Line]
    few: int


@dataclass(frozen=True)
class WordingLine:
    """What became of one wording, tests left out. `cost`: MXN."""

    letter: str
    by_kind: dict[str, int]
    left: int
    cost: Decimal
    responses: Responses = field(default_factory=Responses)

    @property
    def planned(self) -> int:
        return sum(self.by_kind.values())


def of_people(session: Session, campaign: MessageCampaign, by: str) -> Breakdown:
    """The list by section, age or sex (a code of GROUPINGS), counted in one pass and hidden where few would be told."""
    key = _keys()[by]
    found = session.execute(
        select(key.label("key"), rows.kind().label("kind"), func.count())
        .select_from(Message).outerjoin(Contact, Contact.id == Message.contact_id)
        .where(rows.of_list(campaign.id)).group_by("key", "kind")
    )  # fmt: skip
    counts: dict[tuple[Any, str], int] = {(row[0], row[1]): row[2] for row in found}
    table = small_tables.hide(counts, list(rows.KINDS))
    return Breakdown(by, table.columns, _lines(table, by), table.few)


def by_wording(session: Session, campaign: MessageCampaign) -> list[WordingLine]:
    """One line a wording, A first; a draft has none."""
    found = session.execute(
        select(
            Message.wording, rows.kind().label("kind"), func.count().label("n"),
            func.count().filter(rows.was_left()).label("left"), func.sum(rows.cost(campaign.unit_price)).label("cost"),
        )
        .where(rows.of_list(campaign.id)).group_by(Message.wording, "kind")
    ).all()  # fmt: skip
    answers = message_responses.by_wording(session, campaign)
    return [
        WordingLine(
            letter, {row.kind: row.n for row in found if row.wording == letter},
            sum(row.left for row in found if row.wording == letter),
            sum((row.cost for row in found if row.wording == letter), Decimal(0)), answers.get(letter, Responses()),
        )
        for letter in sorted({row.wording for row in found})
    ]  # fmt: skip


def column_label(kinds: tuple[str, ...]) -> str:
    """The heading of a column; several kinds stand in one where some are of few people."""
    return " + ".join(str(KIND_LABELS[kind]) for kind in kinds)


def _keys() -> dict[str, Any]:
    return {
        "section": func.coalesce(Contact.state, 0) * SECTIONS + Contact.section_number,
        "age": territory_counts.age_band(),
        "sex": func.coalesce(Contact.sex, ""),
    }


def _lines(table: Table[Any, str], by: str) -> list[Line]:
    """Bands of age in the order of life, all else the largest first; what is not known and who is few come last."""
    known = sorted(table.rows.items(), key=lambda pair: (not pair[0], pair[0] if by == "age" else -pair[1].total))
    lines = [Line(_label(by, key), row.total, row.cells) for key, row in known]
    if table.rest is not None:
        lines.append(Line(str(_("Groups of few people, together")), table.rest.total, table.rest.cells))
    return lines


def _label(by: str, key: Any) -> str:
    if not key:
        return str(_("not known"))
    if by == "section":
        state, number = divmod(key, SECTIONS)
        return " · ".join(filter(None, (_("Section %(number)s", number=number), STATES.get(state))))
    return territory_counts.age_words(key) if by == "age" else str(SEXES.get(key, key))
