"""Results: counted from the answers that hold, every role apart, small groups hidden."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter import table_exports
from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput
from surveys import charts, interviews, report, results
from surveys.questionnaire import Survey
from surveys.results import Filters

VOTES = ["azul"] * 16 + ["rojo"] * 12 + ["undecided"] * 6 + ["refused"] * 4 + ["none"] * 2


@pytest.fixture
def page(app: Flask) -> Iterator[None]:
    """A request in English, outside of which flask_babel writes no date."""
    report._kept.clear()
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


@pytest.fixture
def answered(session: Session, new_call: Callable[..., UUID], rosa: User) -> None:
    """40 interviews: 28 of women (every candidate's voters alternate), 12 of men, ages 25 and 65."""
    for number, vote in enumerate(VOTES):
        interview = interviews.open_for_call(session, new_call(sex=None, age=None), rosa.id)
        given = {
            "consent": "yes", "age": "25" if number % 2 else "65", "sex": "H" if number % 10 < 3 else "M",
            "registered": "yes", "vote": vote,
        }  # fmt: skip
        for item, value in given.items():
            interviews.record_answer(session, interview.id, item, value)


@pytest.mark.usefixtures("answered")
def test_gross_shares_keep_every_answer_and_effective_ones_rebase_the_candidates(
    session: Session, survey: Survey
) -> None:
    frame = results.tally(session, survey.id).set_index("option")
    assert list(frame.index) == [
        "azul", "rojo", "verde", "indep", "none", "void", "wont_vote", "undecided", "dk", "refused",
    ]  # fmt: skip
    assert list(frame.loc["azul", ["n", "share", "effective"]]) == [16, 0.4, 16 / 28]
    assert list(frame.loc["verde", ["n", "share", "effective"]]) == [0, 0.0, 0.0]
    assert frame.loc["undecided", "share"] == 0.15
    assert frame["effective"].isna().tolist() == [False] * 4 + [True] * 6
    assert frame["share"].sum() == pytest.approx(1)
    assert frame["base"].unique().tolist() == [40]


@pytest.mark.usefixtures("answered")
def test_groups_add_up_to_the_whole_and_small_ones_are_marked(session: Session, survey: Survey) -> None:
    frame = results.tally(session, survey.id, "sex")
    groups = frame.groupby("group").first()
    assert groups["base"].to_dict() == {"H": 12, "M": 28}
    assert groups["cell"].to_dict() == {"H": "small", "M": "small"}
    assert frame["n"].sum() == 40
    ages = results.tally(session, survey.id, "age_band").groupby("group").first()
    assert ages["base"].to_dict() == {"18-29": 20, "60+": 20}
    assert results.tally(session, survey.id, "section_kind")["group"].unique().tolist() == ["R"]


@pytest.mark.usefixtures("answered")
def test_a_group_under_ten_shows_no_figure(session: Session, survey: Survey) -> None:
    frame = results.tally(session, survey.id, filters=Filters(sex="H", age_band="18-29"))
    assert frame["cell"].unique().tolist() == ["hidden"]
    assert frame["n"].isna().all()
    assert frame["share"].isna().all()
    assert frame["base"].iloc[0] < 10


@pytest.mark.usefixtures("answered")
def test_an_answer_that_no_longer_applies_is_not_counted(session: Session, survey: Survey) -> None:
    from sqlalchemy import select

    from surveys.interviews import Answer

    number = session.scalars(select(Answer.interview_id).where(Answer.item == "vote", Answer.value == "azul")).first()
    assert number is not None
    interviews.record_answer(session, number, "registered", "no")
    frame = results.tally(session, survey.id).set_index("option")
    assert frame.loc["azul", "n"] == 15
    interviews.record_answer(session, number, "consent", "no")
    assert results.tally(session, survey.id)["base"].iloc[0] == 39


def test_a_survey_without_answers_has_its_rows_and_no_figure(session: Session, survey: Survey) -> None:
    frame = results.tally(session, survey.id)
    assert len(frame) == 10
    assert frame["base"].unique().tolist() == [0]
    assert results.tally(session, survey.id, "sex").empty


def test_an_unknown_breakdown_or_filter_names_the_known_ones(session: Session, survey: Survey) -> None:
    with pytest.raises(InvalidInput, match="age_band"):
        results.tally(session, survey.id, "shoe_size")
    with pytest.raises(InvalidInput, match="60"):
        Filters(age_band="60-70")


@pytest.mark.usefixtures("answered", "page")
def test_the_report_has_lead_dates_and_one_version_for_the_same_numbers(session: Session, survey: Survey) -> None:
    report._kept.clear()
    found = report.read(session, survey.id, Filters())
    lead = found.lead
    assert lead is not None
    assert (lead[0].option, lead[1].option) == ("azul", "rojo")
    assert found.first_at is not None
    assert found.total.margin == pytest.approx(0.155, abs=1e-3)
    assert report.read(session, survey.id, Filters()) is found
    report._kept.clear()
    assert report.read(session, survey.id, Filters()).version == found.version


@pytest.mark.usefixtures("answered", "page")
def test_a_chart_is_drawn_in_both_themes_and_told_in_words(session: Session, survey: Survey) -> None:
    report._kept.clear()
    picture = report.picture(report.read(session, survey.id, Filters()), "gross")
    assert "Ana Robles, Blue Party 40.0" in picture.description
    light, dark = (charts.draw(charts.bars(picture, theme), "svg") for theme in ("light", "dark"))
    assert light.startswith(b"<svg")
    assert light != dark
    assert charts.draw(charts.bars(picture), "png").startswith(b"\x89PNG")
    assert charts.bars(picture)["description"] == picture.description


def test_a_cell_that_a_spreadsheet_would_compute_is_text() -> None:
    content = table_exports.csv_bytes(["a"], [["=1+1"], ["+52"], ["-x"], ["@x"], [-1.5], [float("nan")]]).decode(
        "utf-8-sig"
    )
    assert content.splitlines() == ["a", "'=1+1", "'+52", "'-x", "'@x", "-1.5", '""']
    assert table_exports.xlsx_bytes("a/b", ["h"], [["=1"]], ["note"]).startswith(b"PK")
