"""Vote intention from period to period: figures, what broke the comparison, pictures and the page."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput
from surveys import charts, responses, results
from surveys.fieldwork.interview_ledger import Interview
from surveys.questionnaire import Survey
from surveys.results import Filters
from surveys.sampling import waves
from surveys.vote import trend_words, trends, wave_charts
from surveys.vote.trends import Series
from surveys.weighting.intervals import lead_margin, margin
from tests.surveys.vote_cast import ask

ClientAs = Callable[[str], FlaskClient]
MAY, JUNE = datetime(2027, 5, 3, 18, tzinfo=UTC), datetime(2027, 6, 1, 18, tzinfo=UTC)
FIRST = ["azul"] * 10 + ["rojo"] * 6 + ["undecided"] * 4
SECOND = ["azul"] * 7 + ["rojo"] * 9 + ["undecided"] * 2


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    responses.forget()


@pytest.fixture
def page(app: Flask) -> Iterator[None]:
    """A request in English, outside of which flask_babel writes no date."""
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


def move(session: Session, ids: Sequence[UUID], at: datetime, *, wave: str | None = None, face: str = "screen") -> None:
    """These interviews were held on another day, in a wave and by another way."""
    for number in ids:
        interview = session.get_one(Interview, number)
        interview.at, interview.wave, interview.face = at, wave, face
    session.flush()


@pytest.fixture
def two_waves(session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User) -> None:
    for code, opens in (("o1", date(2027, 5, 1)), ("o2", date(2027, 6, 1))):
        waves.save(session, survey.id, waves.Given(code, f"Ola {code[1]}", opens), rosa.id)
    move(session, ask(session, new_call, rosa.id, FIRST), MAY, wave="o1")
    move(session, ask(session, new_call, rosa.id, SECOND), JUNE, wave="o2")
    session.commit()


def series(session: Session, survey: Survey, by: str = "wave") -> Series:
    return trends.read(session, responses.read(session, survey.id), by)


@pytest.mark.usefixtures("two_waves", "page")
def test_waves_stand_in_the_order_of_their_days_with_their_own_figures(session: Session, survey: Survey) -> None:
    found = series(session, survey)
    assert [(period.code, period.label, period.base) for period in found.periods] == [
        ("o1", "Ola 1", 20), ("o2", "Ola 2", 18),
    ]  # fmt: skip
    effective = [period.shares("effective") for period in found.periods]
    assert [shares.of["azul"].share for shares in effective if shares] == pytest.approx([10 / 16, 7 / 16])
    assert found.periods[0].breaks == found.periods[1].breaks == ()


@pytest.mark.usefixtures("two_waves", "page")
def test_a_change_has_the_margin_of_both_waves(session: Session, survey: Survey) -> None:
    found = series(session, survey)
    changes = {
        change.option.code: change
        for change in trend_words.changes(found, found.periods[0], found.periods[1], "effective")
    }
    change = changes["azul"]
    assert change.difference == pytest.approx(7 / 16 - 10 / 16)
    one, other = margin(15, 10 / 16), margin(15, 7 / 16)
    assert change.margin == pytest.approx((one**2 + other**2) ** 0.5)
    assert not change.is_clear
    assert trend_words.signed(found, change.difference) == "−18.8"
    assert changes["verde"].margin > 0


@pytest.mark.usefixtures("two_waves", "page")
def test_a_lead_is_a_waves_own(session: Session, survey: Survey) -> None:
    shares = series(session, survey).periods[0].shares("gross")
    assert shares is not None
    assert shares.lead is not None
    assert shares.lead.margin == pytest.approx(lead_margin(0.5, 0.3, 20))


@pytest.mark.usefixtures("page")
def test_what_cannot_be_compared_is_said_of_the_later_period(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    waves.save(session, survey.id, waves.Given("o2", "Ola 2", date(2027, 6, 1), None, "Otro marco"), rosa.id)
    move(session, ask(session, new_call, rosa.id, FIRST), MAY, wave="o1")
    move(session, ask(session, new_call, rosa.id, SECOND), JUNE, wave="o2", face="agi")
    found = series(session, survey)
    assert found.periods[0].breaks == ()
    reason, way = found.periods[1].breaks
    assert reason == "Otro marco"
    assert "in another way" in way
    picture = trend_words.trend_picture(found, "Title", "effective")
    assert picture.broken == ("Ola 2",)
    assert {point.segment for _name, points in picture.lines for point in points} == {0, 1}


@pytest.mark.usefixtures("page")
def test_another_wording_of_the_vote_question_breaks_the_line(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    from surveys.questionnaire import Questionnaire, current

    first = ask(session, new_call, rosa.id, FIRST)
    move(session, first, MAY)
    old = current(session, survey.id)
    items = old.items | {
        "items": [
            item | ({"label": {"es": "¿Y hoy por quién votaría?"}} if item["name"] == "vote" else {})
            for item in old.items["items"]
        ]
    }
    session.add(
        Questionnaire(survey_id=survey.id, version=2, file_name="b", sha256="b", form=old.form, items=items)
    )  # fmt: skip
    session.flush()
    move(session, ask(session, new_call, rosa.id, SECOND), JUNE)
    found = series(session, survey, "week")
    assert [len(period.breaks) for period in found.periods] == [0, 1]
    assert "worded" in found.periods[1].breaks[0]


@pytest.mark.usefixtures("page")
def test_small_periods_are_marked_or_hidden(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    for days, people in ((0, 9), (7, 12), (14, 30)):
        move(
            session, ask(session, new_call, rosa.id, ["azul", "rojo", "dk"] * (people // 3)), MAY + timedelta(days=days)
        )
    found = series(session, survey, "week")
    assert [period.cell for period in found.periods] == ["hidden", "small", "ok"]
    assert found.periods[0].shares("gross") is None
    assert found.periods[1].shares("effective") is None
    assert trend_words.base_words(found.periods[0]) == "n < 10"


@pytest.mark.usefixtures("page")
def test_periods_that_do_not_exist_are_named(session: Session, survey: Survey) -> None:
    with pytest.raises(InvalidInput, match="wave, week, day"):
        series(session, survey, "moon")
    assert series(session, survey).periods == ()


@pytest.mark.usefixtures("two_waves", "page")
def test_pictures_are_drawn_in_both_themes_and_told_in_words(session: Session, survey: Survey) -> None:
    found = series(session, survey)
    lines = trend_words.trend_picture(found, "Title", "effective")
    pair = trend_words.change_picture(found, "Title", found.periods[0], found.periods[1], "effective")
    assert "Ana Robles, Blue Party: Ola 1 62.5" in lines.description.replace("\xa0", " ")
    assert "−18.8 (±" in pair.description
    for theme in charts.THEMES:
        for spec in (wave_charts.trend(lines, theme), wave_charts.dumbbell(pair, theme)):
            assert charts.draw(spec, "svg").startswith(b"<svg")
    assert charts.draw(wave_charts.trend(lines), "png").startswith(b"\x89PNG")


@pytest.mark.usefixtures("two_waves")
def test_the_page_shows_lines_changes_and_their_tables(survey: Survey, client_as: ClientAs) -> None:
    url = f"/surveys/{survey.id}/trend"
    client = client_as("strategist")
    page = client.get(url, headers={"Accept-Language": "en"}).get_data(as_text=True)
    for words in ("Ola 1", "Ola 2", "−18.8", "within the margin", "n = 20"):
        assert words in page
    for query in ("?by=week", "?by=day&kind=gross", "?from=o2&to=o1", "?from=nothing"):
        assert client.get(url + query).status_code == 200
    for what in ("lines", "change"):
        assert client.get(f"{url}/{what}.svg?theme=dark").mimetype == "image/svg+xml"
        picture = client.get(f"{url}/{what}.png?download=1")
        assert picture.data.startswith(b"\x89PNG")
        assert "attachment" in picture.headers["Content-Disposition"]
    rows = client.get(f"{url}.csv").data.decode("utf-8-sig").splitlines()
    assert len(rows) == 1 + 2 * 10
    assert client.get(f"{url}?by=moon").status_code == 422
    assert client.get(f"{url}?kind=net").status_code == 404
    assert client.get(f"{url}/lines.svg?theme=pink").status_code == 404
    for role in ("operator", "data_clerk"):
        assert client_as(role).get(url).status_code == 403


@pytest.mark.usefixtures("two_waves")
def test_the_results_page_shows_one_wave_by_choice(session: Session, survey: Survey, client_as: ClientAs) -> None:
    url = f"/surveys/{survey.id}/results"
    client = client_as("pollster")
    headers = {"Accept-Language": "en"}
    assert 'value="o2" selected' not in client.get(url, headers=headers).get_data(as_text=True)
    page = client.get(f"{url}?wave=o2", headers=headers).get_data(as_text=True)
    assert 'value="o2" selected' in page
    assert ">18<" in page
    assert client.get(f"{url}?wave=o9").status_code == 200
    assert results.tally(session, survey.id, filters=Filters(wave="o1"))["base"].iloc[0] == 20


def test_one_period_is_no_trend(
    session: Session, survey: Survey, client_as: ClientAs, new_call: Callable[..., UUID], rosa: User
) -> None:
    ask(session, new_call, rosa.id, FIRST)
    session.commit()
    url = f"/surveys/{survey.id}/trend"
    assert "A trend needs two periods" in client_as("pollster").get(url, headers={"Accept-Language": "en"}).get_data(
        as_text=True
    )
    assert client_as("pollster").get(f"{url}/lines.svg").status_code == 404
