"""What a page says beside a text while it is written: its faults, its parts and their price, and what it would cost
otherwise; of some hundred people at once, of everybody when somebody asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from callcenter.base.clock import campaign_now
from callcenter.base.errors import InvalidInput, NotFound
from campaigns import audiences, channels, labels, messages, segments, wording
from campaigns.correspondence import survey_invitations
from campaigns.dispatch import message_texts, sender_choices
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.texts import link_addresses, wording_checks, wording_rules
from campaigns.texts.wording_checks import Tally

SAMPLE = 300  # people whose texts are written while somebody types
SHOWN = 5
LEAVE_BY_THEMSELVES = ("email",)  # channels whose messages always bring a way out


@dataclass(frozen=True)
class Way:
    """One way of writing the text: `code` is what its button posts, `parts` and `cost` (MXN) are of everybody."""

    code: str
    label: str
    parts: int
    cost: Decimal


@dataclass(frozen=True)
class Panel:
    """`tally` is of `sampled` people out of `people`; None while the text has faults or nobody was chosen. `longest`:
    the parts of the longest text among them, or of the bare text."""

    faults: list[str]
    notes: list[str]
    longest: wording.Parts
    tally: Tally | None
    people: int
    ways: list[Way]
    texts: list[str]
    as_of: datetime

    @property
    def sampled(self) -> int:
        return self.tally.people if self.tally else 0

    @property
    def is_estimate(self) -> bool:
        return self.sampled < self.people


def look(session: Session, given: Mapping[str, str], name: str = "text") -> Panel:
    """Of what a form holds (`text`, `is_plain`, `segment_id`, `purpose`, `on_behalf_of`, `unit_price`, `channel`,
    `sender`; none is needed), at a glance. `name`: which field is the wording."""
    text, is_plain, rule = given.get(name, ""), bool(given.get("is_plain")), _rule(session, given)
    shown = wording.clean(message_texts.shown(session, None, text))
    faults, people, sample = _faults(session, given, text), 0, []
    if rule is not None:
        people = segments.count(session, rule, purpose=given.get("purpose") or None).count
        found = segments.sample(session, rule, SAMPLE)
        sample = [messages.values_of(one) for one in found if one.line_kind != "landline" and one.extension is None]
    is_sound = not wording.check(shown)
    tally = (
        wording_checks.count(shown, sample, is_plain=is_plain, is_cut=_is_cut(given)) if sample and is_sound else None
    )
    texts = _texts(shown, sample, is_plain=is_plain) if is_sound else []
    return Panel(
        faults, _notes(text), max((wording.parts(one) for one in texts or [shown]), key=lambda parts: parts.units),
        tally, people, _ways(tally, people, _price(given), is_plain=is_plain), texts[:SHOWN], campaign_now(session),
    )  # fmt: skip


def look_at_everybody(session: Session, given: Mapping[str, str], name: str = "text") -> Panel | None:
    """The same, exact: of everybody who would be written to. None while the text has faults or nobody was chosen."""
    text, rule = given.get(name, ""), _rule(session, given)
    if rule is None or wording.check(text, more=(wording.SURVEY_LINK,)):
        return None
    campaign = _campaign(session, given, text)
    tally = next(iter(wording_checks.of_campaign(session, campaign).values()))
    glance = look(session, given, name)
    ways = _ways(tally, tally.people, _price(given), is_plain=campaign.is_plain)
    return Panel(glance.faults, glance.notes, glance.longest, tally, tally.people, ways, glance.texts, glance.as_of)


def plain(text: str) -> str:
    """The wording without accents, its addresses as they were."""
    named = link_addresses.addresses(text)
    bare = wording.without_accents(link_addresses.template(text, dict(zip(named, range(1, 100), strict=False))))
    for place, address in enumerate(named, start=1):
        bare = bare.replace(f"{{link_{place}}}", address)
    return bare


def _faults(session: Session, given: Mapping[str, str], text: str) -> list[str]:
    found = wording_rules.faults(
        text, given.get("on_behalf_of", ""), purpose=given.get("purpose", ""),
        is_alphanumeric=sender_choices.is_alphanumeric(session, given.get("channel") or "sms", given.get("sender", "")),
        has_own_way_out=given.get("channel") in LEAVE_BY_THEMSELVES,
    )  # fmt: skip
    found += survey_invitations.fault(text, given.get("survey_id"))
    return [labels.fault(fault) for fault in found]


def _notes(text: str) -> list[str]:
    """What is no fault, and should be known."""
    found = []
    if hidden := wording.invisible(text):
        found.append(ngettext("%(num)s invisible mark is taken out.", "%(num)s invisible marks are taken out.", hidden))
    places = link_addresses.places([text])
    for address, place in places.items():
        short = link_addresses.short("x" * link_addresses.CODE, place)
        found.append(_("%(address)s leaves as %(short)s: one link for each person.", address=address, short=short))
    if places:
        found.append(_("Some operators in Mexico hold back messages with links: try it on a few phones first."))
    return found


def _rule(session: Session, given: Mapping[str, str]) -> dict[str, object] | None:
    """Of whom the form chose; None where it chose nobody, or a list that is not there any more."""
    try:
        segment_id, frozen_id = audiences.read(given.get("segment_id", ""))
        segment = audiences.check(session, segment_id, frozen_id)
    except (ValueError, NotFound, InvalidInput):
        return None
    return audiences.frozen_rule(frozen_id) if frozen_id else segment.rule


def _campaign(session: Session, given: Mapping[str, str], text: str) -> MessageCampaign:
    """A campaign to look at; never added to the session."""
    segment_id, frozen_id = audiences.read(given["segment_id"])
    return MessageCampaign(
        name="", channel=given.get("channel") or "sms", purpose=given.get("purpose") or "survey", text=text, sender="",
        carrier="", segment_id=segment_id, frozen_segment_id=frozen_id, is_plain=bool(given.get("is_plain")),
        segment=segments.get(session, segment_id),
    )  # fmt: skip


def _texts(text: str, sample: list[Mapping[str, str | None]], *, is_plain: bool) -> list[str]:
    found = []
    for values in sample:
        try:
            found.append(wording.render(text, values, is_plain=is_plain))
        except wording.MissingValue:
            continue
    return found


def _ways(tally: Tally | None, people: int, price: Decimal, *, is_plain: bool) -> list[Way]:
    """As it is, and the ways that would cost less."""
    if tally is None or not tally.people:
        return []

    def way(code: str, label: str, parts: int) -> Way:
        total = parts * people // tally.people if tally.people < people else parts
        return Way(code, label, total, total * price)

    found = [way("", _("As it is written"), tally.part_count)]
    if tally.plain_text_parts < tally.part_count:
        found.append(way("text", _("Without accents in the text"), tally.plain_text_parts))
    if not is_plain and tally.plain_parts < tally.plain_text_parts:
        found.append(way("all", _("Without accents in the text and in names"), tally.plain_parts))
    return found


def _is_cut(given: Mapping[str, str]) -> bool:
    name = given.get("channel") or "sms"
    return name not in channels.NAMES or channels.facts(name).is_cut_into_parts


def _price(given: Mapping[str, str]) -> Decimal:
    try:
        price = Decimal(given.get("unit_price") or "0")
    except InvalidOperation:
        return Decimal(0)
    return price if price.is_finite() else Decimal(0)
