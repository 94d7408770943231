"""The report of a message campaign: its sums, its groups, its certificate and its costs."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.clock import campaign_now, real_now
from callcenter.contacts import Contact
from campaigns import reports
from campaigns.figures import (
    message_breakdowns,
    message_certificates,
    message_costs,
    message_people,
    message_prices,
    message_responses,
)
from campaigns.figures.message_people import Wanted
from campaigns.figures.message_prices import NewPrice
from campaigns.figures.message_responses import Responses
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import MessageReceipt
from campaigns.texts.clicks import MessageClick
from tests.campaigns.cast import LUPITA, Campaign, Cast, person
from tests.campaigns.message_ends import beside_the_list, end

Answer = Callable[..., InboundMessage]


def answer(session: Session, phone: str, contact: Contact, *, after: timedelta, is_opt_out: bool = False) -> None:
    """A reply `after` the five minutes ago at which the message left."""
    number = session.scalar(select(InboundMessage.id).order_by(InboundMessage.id.desc()).limit(1)) or 0
    at = real_now() - timedelta(minutes=5) + after
    session.add(InboundMessage(
        provider_ref=f"SMin{number}", channel="sms", phone=phone, contact_id=contact.id, text="…", at=at,
        received_at=at, is_opt_out=is_opt_out,
    ))  # fmt: skip
    session.flush()


def test_every_sum_is_the_list_and_nothing_else(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    end(session, cast.lupita, "delivered", provider_parts=2, unit_price=Decimal("0.5"))
    end(session, cast.mario, "failed", error_code="21614")
    beside_the_list(session, made, "delivered", wave=2)
    beside_the_list(session, made, "delivered", turn=1, contact_id=cast.mario.id, phone="+529221110002")
    funnel = reports.funnel(session, made)
    assert (funnel.planned, funnel.left, funnel.by_state["delivered"], funnel.by_state["excluded"]) == (4, 2, 1, 2)
    assert (funnel.parts, funnel.cost) == (2, Decimal("1.0"))  # a refusal at once costs nothing
    assert reports.message_counts(session, [made.id])[made.id]["planned"] == 4
    found = message_certificates.read(session, made.id)
    assert found.planned == sum(found.by_kind.values()) == 4
    assert (found.tests, found.conversations) == (1, 1)
    assert found.by_reason == {"household": 1, "landline": 1}
    assert found.by_error == {"21614": 1}
    assert found.is_closed


def test_a_certificate_is_open_while_somebody_has_no_end(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    end(session, cast.lupita, "unknown")
    found = message_certificates.read(session, made.id)
    assert (found.without_state, found.unknown, found.unknown_share, found.is_closed) == (1, 1, 0.25, False)
    assert not message_certificates.read(session, made.id + 1).is_closed  # nobody is on it


def test_what_speaks_against_a_certificate_is_found(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    lupita = end(session, cast.lupita, "delivered")
    mario = end(session, cast.mario, "sent")
    assert message_certificates.check(session, made.id).hold
    mario.provider_ref = lupita.provider_ref
    session.add(MessageReceipt(message_id=lupita.id, key="sent", payload={"MessageSid": "SMother"}))
    session.flush()
    found = message_certificates.check(session, made.id)
    assert (found.names_shared, found.names_second, found.hold) == (1, 1, False)


def test_the_rows_of_the_certificate_hold_no_person(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    end(session, cast.lupita, "delivered")
    beside_the_list(session, made, "delivered", wave=2)
    rows = list(message_certificates.rows(session, made.id))
    assert {len(row) for row in rows} == {len(message_certificates.COLUMNS)}
    assert sorted(row[1] for row in rows) == ["list"] * 4 + ["test"]
    told = str(rows)
    assert LUPITA not in told
    assert "Guadalupe" not in told
    assert "Hola" not in told


def test_answers_count_once_each_for_the_last_message_before_them(
    session: Session, cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    message = end(session, cast.lupita, "delivered", wording="B")
    end(session, cast.mario, "delivered")
    answer(session, LUPITA, cast.lupita, after=timedelta(minutes=1))
    answer(session, LUPITA, cast.lupita, after=timedelta(minutes=2), is_opt_out=True)
    answer(session, "+529221110002", cast.mario, after=timedelta(minutes=-1))  # before anything was sent
    for _ in range(2):
        session.add(MessageClick(contact_id=cast.lupita.id, message_id=message.id, at=campaign_now(session)))
    session.flush()
    made.launched_at = real_now() - timedelta(hours=1)
    assert message_responses.by_wording(session, made) == {"B": Responses(1, 1, 1)}
    lines = {line.letter: line for line in message_breakdowns.by_wording(session, made)}
    assert (lines["A"].left, lines["B"].left, lines["B"].by_kind) == (1, 1, {"delivered": 1})
    assert lines["B"].responses.replied == 1


def test_groups_of_few_people_are_never_told(session: Session, cast: Cast, campaign: Campaign) -> None:
    crowd = [person(f"Persona {n}", f"+5292221{n:05}") for n in range(30)]
    for n, one in enumerate(crowd):
        one.sex, one.age, one.section_number = "HM"[n % 2], 20 + n, 45 if n < 24 else 46
    session.add_all(crowd)
    session.flush()
    made = campaign()
    for one in crowd[:20]:
        end(session, one, "delivered")
    found = message_breakdowns.of_people(session, made, "section")
    told = [n for line in found.lines for n in (line.total, *line.cells.values()) if n is not None]
    assert found.lines
    assert all(n == 0 or n >= 5 for n in told)
    assert sum(line.total for line in found.lines) == 34
    by_age = message_breakdowns.of_people(session, made, "age")
    assert by_age.lines[0].label.startswith("18")
    assert message_breakdowns.of_people(session, made, "sex").lines


def test_costs_stand_by_day_price_and_contract(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    end(session, cast.lupita, "delivered", provider_parts=3, unit_price=Decimal("0.5"))
    end(session, cast.mario, "undelivered", error_code="30007", unit_price=None)
    today = message_costs.today()
    lines = message_costs.lines(session, today, today)
    assert [(line.campaign_id, line.unit_price, line.parts, line.amount, line.contract) for line in lines] == [
        (made.id, Decimal("0.35"), 1, Decimal("0.35"), None),
        (made.id, Decimal("0.5"), 3, Decimal("1.5"), None),
    ]
    price = NewPrice("simulated", "sms", "Contrato 7", Decimal("0.5"), today - timedelta(days=1))
    message_prices.add(session, price, None)
    assert {line.contract for line in message_costs.lines(session, today, today, made.id)} == {"Contrato 7"}
    assert message_costs.sums(lines).amount == Decimal("1.85")
    assert message_costs.lines(session, today - timedelta(days=9), today - timedelta(days=2)) == []


def test_what_was_never_taken_costs_nothing(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    end(session, cast.lupita, "failed", error_code="never_taken")
    end(session, cast.mario, "failed", error_code="21610")
    today = message_costs.today()
    (line,) = message_costs.lines(session, today, today, made.id)
    assert (line.messages, line.parts, line.amount) == (2, 0, Decimal(0))


def test_the_people_behind_a_figure(session: Session, cast: Cast, campaign: Campaign) -> None:
    made: MessageCampaign = campaign()
    end(session, cast.mario, "failed", error_code="30003")

    def names(wanted: Wanted) -> set[str]:
        return {row.name for row in message_people.listed(session, made.id, wanted)}

    assert names(Wanted("failed", error="30003")) == {"Mario Cruz"}
    assert names(Wanted("failed", error="30007")) == set()
    assert names(Wanted("excluded", reason="landline")) == {"Rosa Pérez"}
    assert len(names(Wanted())) == 4
