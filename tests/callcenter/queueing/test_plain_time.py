from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.calendar import hours_of
from callcenter.queueing.plain_time import FURTHEST, SENTENCES, Unclear, suggestions, understand

ZONE = ZoneInfo("America/Mexico_City")
# A Wednesday in the invented campaign, twenty past eleven in the morning.
NOW = datetime(2027, 5, 12, 11, 20, tzinfo=ZONE)


def at(day: int, hour: int, minute: int = 0, month: int = 5) -> datetime:
    return datetime(2027, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("mañana 6 pm", at(13, 18)),
        ("manana a las 6", at(13, 18)),
        ("Mañana a las 6:30 p.m.", at(13, 18, 30)),
        ("mañana a las 6 y media de la tarde", at(13, 18, 30)),
        ("mañana por la mañana", at(13, 10)),
        ("mañana en la mañana a las 9", at(13, 9)),
        ("mañana en la tarde", at(13, 16)),
        ("mañana al mediodía", at(13, 12)),
        ("pasado mañana a las 11", at(14, 11)),
        ("el jueves a las 10", at(13, 10)),
        ("jueves 10", at(13, 10)),
        ("el próximo viernes a las 5", at(14, 17)),
        ("el miércoles a las 12", at(19, 12)),
        ("sábado 10:30", at(15, 10, 30)),
        ("el lunes que entra a las cuatro", at(17, 16)),
        ("hoy a las 7", at(12, 19)),
        ("hoy en la noche", at(12, 19)),
        ("esta noche", at(12, 19)),
        ("esta tarde", at(12, 16)),
        ("a las 18:00", at(12, 18)),
        ("18 h", at(12, 18)),
        ("19hrs", at(12, 19)),
        ("a las 10", at(13, 10)),
        ("6pm", at(12, 18)),
        ("en 2 horas", at(12, 13, 20)),
        ("en media hora", at(12, 11, 50)),
        ("en una hora", at(12, 12, 20)),
        ("en una hora y media", at(12, 12, 50)),
        ("dentro de 45 minutos", at(12, 12, 5)),
        ("en 3 días", at(15, 11, 20)),
        ("en una semana", at(19, 11, 20)),
        ("mañana", at(13, 11, 30)),
        ("el 25 de mayo a las 10 am", at(25, 10)),
        ("25/5 a las 17:15", at(25, 17, 15)),
        ("el jueves 20 de mayo a la 1", at(20, 13)),
        ("1 de junio 12 pm", at(1, 12, month=6)),
        ("tomorrow 6 pm", at(13, 18)),
        ("tomorrow at 10", at(13, 10)),
        ("tomorrow morning", None),
        ("Thursday at 10", at(13, 10)),
        ("next friday at noon", at(14, 12)),
        ("the day after tomorrow at 5:45 pm", at(14, 17, 45)),
        ("tonight", at(12, 19)),
        ("in 2 hours", at(12, 13, 20)),
        ("in half an hour", at(12, 11, 50)),
        ("in an hour and a half", at(12, 12, 50)),
        ("May 25th at 4pm", at(25, 16)),
        ("in the afternoon", at(12, 16)),
    ],
)
def test_what_people_say_is_understood(words: str, meant: datetime | None) -> None:
    assert understand(words, NOW, hours_of) == (meant or at(13, 10))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("", "empty"),
        ("  . ", "empty"),
        ("cuando pueda", "not_understood"),
        ("mañana 6 pm o 7 pm", "not_understood"),
        ("mañana 25:00", "no_such_time"),
        ("mañana a las 14 pm", "no_such_time"),
        ("31 de junio a las 10", "no_such_time"),
        ("hoy a las 9 am", "past"),
        ("en 90 días", "too_far"),
        ("mañana a las 6 am", "closed"),
        ("mañana a las 8 pm", "closed"),
        ("el domingo a las 9 am", "closed"),
        ("hoy a las 11 pm", "closed"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_reason(words: str, code: str) -> None:
    with pytest.raises(Unclear) as caught:
        understand(words, NOW, hours_of)
    assert caught.value.code == code
    assert SENTENCES[code]


def test_the_answer_is_in_the_zone_of_the_person_called() -> None:
    tijuana = NOW.astimezone(ZoneInfo("America/Tijuana"))
    assert understand("hoy a las 5 pm", tijuana, hours_of).utcoffset() == timedelta(hours=-7)


@given(st.text(max_size=60))
def test_any_text_gives_a_time_to_come_inside_calling_hours_or_a_known_reason(text: str) -> None:
    _assert_kept(text)


_words = st.sampled_from(
    ("mañana", "hoy", "el", "jueves", "a", "las", "en", "2", "10", "18:00", "pm", "am", "y", "media", "horas", "por",
     "la", "tarde", "noche", "pasado", "25", "de", "mayo", "in", "at")
)  # fmt: skip


@given(st.lists(_words, max_size=7).map(" ".join))
def test_any_heap_of_time_words_gives_a_time_to_come_or_a_known_reason(text: str) -> None:
    _assert_kept(text)


def _assert_kept(text: str) -> None:
    try:
        found = understand(text, NOW, hours_of)
    except Unclear as unclear:
        SENTENCES[unclear.code]
        return
    opens, closes = hours_of(found.date())
    assert NOW < found <= NOW + FURTHEST
    assert opens <= found.time() < closes


@given(st.datetimes(datetime(2027, 1, 1), datetime(2027, 12, 30)))  # noqa: DTZ001  # the zone is put on below
def test_suggested_times_are_to_come_in_order_and_inside_calling_hours(moment: datetime) -> None:
    now = moment.replace(tzinfo=ZONE)
    found = suggestions(now, hours_of)
    assert found
    assert found == sorted(set(found))
    assert all(now < each and hours_of(each.date())[0] <= each.time() < hours_of(each.date())[1] for each in found)


def test_a_narrower_day_is_kept() -> None:
    def short(day: date) -> tuple[time, time]:
        return time(10), time(11)

    with pytest.raises(Unclear):
        understand("mañana 6 pm", NOW, short)
