from collections import Counter

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, make_transient

from callcenter.contacts import Contact
from campaigns import messages, wording
from campaigns.mailings import message_campaigns
from campaigns.segments import Segment
from campaigns.texts import wording_checks, wordings
from campaigns.texts.wordings import Wording
from tests.campaigns.cast import Cast, person
from tests.campaigns.texts.test_wording_columns import people, templates

EVERY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
ALL = select(Contact.id)


def one_by_one(session: Session, text: str, *, is_plain: bool) -> tuple[Counter[int], Counter[str], int, int, int]:
    """parts → people, missing field → people, too long, parts without the text's accents, without any"""
    by_parts, missing = Counter[int](), Counter[str]()
    too_long = plain_text = plain = 0
    for who in session.scalars(select(Contact)):
        values = messages.values_of(who)
        try:
            body = wording.render(text, values, is_plain=is_plain)
        except wording.MissingValue as lacking:
            missing[lacking.field] += 1
            continue
        if len(body) > wording.MAX_CHARACTERS:
            too_long += 1
            continue
        by_parts[wording.parts(body).count] += 1
        bare = wording.render(wording.without_accents(text), values, is_plain=is_plain)
        is_gsm = wording.parts(body).encoding == "GSM-7"
        plain_text += wording.parts(body if is_gsm else bare).count
        plain += wording.parts(body if is_gsm else wording.render(text, values, is_plain=True)).count
    return by_parts, missing, too_long, plain_text, plain


@EVERY
@given(templates(), st.lists(people(), min_size=1, max_size=6), st.booleans())
def test_the_check_of_everybody_is_the_sum_of_all_texts(
    session: Session, text: str, everybody: list[Contact], is_plain: bool
) -> None:
    assume(text and not wording.check(text))
    for place, who in enumerate(everybody):
        who.phone = f"+52922111{place:04}"
    with session.begin_nested() as moment:
        session.add_all(everybody)
        session.flush()
        found = wording_checks.tally(session, text, ALL, is_plain=is_plain)
        expected = one_by_one(session, text, is_plain=is_plain)
        moment.rollback()
    for who in everybody:
        make_transient(who)
    said = (found.by_parts, found.missing, found.too_long, found.plain_text_parts, found.plain_parts)
    assert said == expected
    assert found.people == len(everybody)


def everybody(session: Session, *names: str) -> None:
    for place, name in enumerate(names):
        who = person("Nadie", f"+52922111{place:04}")
        who.given_names, who.neighborhood = name, "Centro" if place % 2 else None
        session.add(who)
    session.flush()


def test_it_says_why_people_spill_into_more_parts(session: Session) -> None:
    everybody(session, "Ana", "María", "Maximiliana Guadalupe de los Remedios")
    text = "Hola {given_names}, " + "a" * 130
    found = wording_checks.tally(session, text, ALL)
    assert found.by_parts == {1: 1, 2: 1, 3: 1}
    assert found.spilled == {"values": 1, "length": 1}
    assert (found.part_count, found.plain_text_parts, found.plain_parts) == (6, 6, 4)
    accented = wording_checks.tally(session, "Sí, {given_names}" + "a" * 70, ALL)
    assert accented.outside == "í"
    assert accented.spilled == {"text": 2, "values": 1}  # María's í costs what the text's does


def test_without_accents_nobody_spills_because_of_a_name(session: Session) -> None:
    everybody(session, "Ana", "María")
    text = "Hola {given_names}, " + "a" * 130
    assert wording_checks.tally(session, text, ALL, is_plain=True).by_parts == {1: 2}


def test_who_lacks_a_value_is_counted_by_field_and_gets_nothing(session: Session) -> None:
    everybody(session, "Ana", "", "Eva", "")
    found = wording_checks.tally(session, "Hola {given_names} de {neighborhood}", ALL)
    assert found.missing == {"given_names": 2, "neighborhood": 2}
    assert found.refused() == {"missing_value": 4}
    assert (found.written, found.part_count) == (0, 0)


def test_a_channel_that_is_not_cut_counts_one_part_a_message(session: Session) -> None:
    everybody(session, "Ana", "Eva")
    assert wording_checks.tally(session, "á" * 500, ALL, is_cut=False).by_parts == {1: 2}


def test_a_sample_is_counted_as_everybody_is(session: Session) -> None:
    everybody(session, "Ana", "María", "")
    values = [messages.values_of(who) for who in session.scalars(select(Contact))]
    text = "Hola {given_names}, " + "a" * 130
    assert wording_checks.count(text, values) == wording_checks.tally(session, text, ALL)


def test_each_wording_of_a_campaign_is_checked_with_those_it_would_be_sent_to(session: Session, cast: Cast) -> None:
    segment = Segment(name="Everybody", rule={"all": []})
    session.add(segment)
    session.flush()
    plan = message_campaigns.MessagePlan(
        "Two", segment.id, "survey", "Hola {given_names} " + "a" * 160, "+525512340001", "simulated"
    )
    made = message_campaigns.create(session, plan, None, [
        Wording(wordings.FIRST, plan.text, 50), Wording(wordings.SECOND, "https://encuesta.example/una-pagina", 50)
    ])  # fmt: skip
    found = wording_checks.of_campaign(session, made)
    assert {letter: one.by_parts for letter, one in found.items()} == {"A": {2: 2}, "B": {1: 2}}
