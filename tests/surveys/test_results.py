"""Results: counted from the answers that hold, every role apart, small groups hidden."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput
from callcenter.tables import table_exports
from surveys import charts, interviews, responses, results
from surveys.questionnaire import Survey
from surveys.results import Filters
from surveys.vote import report, report_words, vote_recipes
from surveys.vote.report import Wanted
from surveys.weighting import raking, weight_recipes
from surveys.weighting.intervals import lead_margin, margin
from surveys.weighting.weight_recipe import Recipe

VOTES = ["azul"] * 16 + ["rojo"] * 12 + ["undecided"] * 6 + ["refused"] * 4 + ["none"] * 2


@pytest.fixture
def page(app: Flask) -> Iterator[None]:
    """A request in English, outside of which flask_babel writes no date."""
    responses.forget()
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
    found = report.read(session, survey.id)
    lead = found.lead("gross")
    assert lead is not None
    assert (lead[0].option, lead[1].option) == ("azul", "rojo")
    assert lead[2].margin == pytest.approx(lead_margin(0.4, 0.3, 40))
    assert found.first_at is not None
    assert found.total.margin == pytest.approx(0.155, abs=1e-3)
    assert report.read(session, survey.id).total is found.total
    responses.forget()
    assert report.read(session, survey.id).version == found.version


@pytest.mark.usefixtures("answered", "page")
@pytest.mark.parametrize("filters", [Filters(), Filters(sex="M"), Filters(age_band="60+")])
def test_the_report_says_what_the_plain_count_says(session: Session, survey: Survey, filters: Filters) -> None:
    found = report.read(session, survey.id, Wanted(filters))
    for by in ("", "sex", "age_band", "section_kind"):
        counted = results.tally(session, survey.id, by or None, filters)
        tables = found.breakdowns[by] if by else (found.total,)
        assert [table.group for table in tables] == counted["group"].unique().tolist()
        for table in tables:
            rows = counted[counted["group"] == table.group].set_index("option")
            assert rows["base"].iloc[0] == table.base
            for line in table.lines:
                row = rows.loc[line.option]
                for name in ("n", "share", "low", "high", "effective", "effective_low", "effective_high"):
                    figure = getattr(line, name)
                    assert row[name] == pytest.approx(math.nan if figure is None else figure, nan_ok=True)


@pytest.mark.usefixtures("answered", "page")
def test_weights_change_shares_and_margins_but_not_who_was_asked(session: Session, survey: Survey, rosa: User) -> None:
    targets = raking.Targets((raking.Margin("sex", {"H": 0.6, "M": 0.4}),))
    kept = weight_recipes.keep(session, survey.id, Recipe(targets, source="Censo inventado"), rosa.id)
    unsigned = report.read(session, survey.id)
    assert unsigned.weighing.weights is None
    second = User(username="second", full_name="Segunda Persona", password="x", fs_uniquifier="second")
    session.add(second)
    session.flush()
    weight_recipes.sign(session, survey.id, kept.version, second.id)
    weighted = report.read(session, survey.id)
    plain = report.read(session, survey.id, Wanted(is_weighted=False))
    assert weighted.weighing.weights is not None
    assert plain.total == unsigned.total
    assert [line.n for line in sorted(weighted.total.lines, key=str)] == [
        line.n for line in sorted(plain.total.lines, key=str)
    ]
    # 12 men are to be 60 of 100, so each counts twice what they are: the design effect is Kish's of these weights.
    assert weighted.total.deff == pytest.approx(0.36 / 0.3 + 0.16 / 0.7)
    assert weighted.total.margin == pytest.approx(margin(40, design_effect=weighted.total.deff))
    assert weighted.version != plain.version
    assert "design effect 1.43" in report_words.weighing(weighted)


@pytest.mark.usefixtures("answered", "page")
def test_weights_that_cannot_be_made_are_told_and_not_used(session: Session, survey: Survey, rosa: User) -> None:
    targets = raking.Targets((raking.Margin("sex", {"H": 0.5, "M": 0.3, "X": 0.2}),))
    kept = weight_recipes.keep(session, survey.id, Recipe(targets, source="Censo inventado"), rosa.id)
    second = User(username="second", full_name="Segunda Persona", password="x", fs_uniquifier="second")
    session.add(second)
    session.flush()
    weight_recipes.sign(session, survey.id, kept.version, second.id)
    found = report.read(session, survey.id)
    assert found.weighing.weights is None
    assert "X" in " ".join(found.weighing.faults.values())
    assert found.total.deff == 1


@pytest.mark.usefixtures("answered", "page")
def test_a_signed_recipe_is_what_the_report_follows(session: Session, survey: Survey, rosa: User) -> None:
    found = responses.kept(session, survey.id)
    recipe = replace(vote_recipes.standard(session, survey.id), undecided="groups", percents="truncated", decimals=0)
    version = vote_recipes.keep(session, found, recipe, "", rosa.id).version
    assert report.read(session, survey.id).recipe_version is None
    second = User(username="second", full_name="Segunda Persona", password="x", fs_uniquifier="second")
    session.add(second)
    session.flush()
    vote_recipes.sign(session, survey.id, version, second.id)
    signed = report.read(session, survey.id)
    assert (signed.recipe, signed.recipe_version) == (recipe, version)
    assert signed.percents.write(0.379).startswith("37")


@pytest.mark.usefixtures("answered", "page")
def test_a_chart_is_drawn_in_both_themes_and_told_in_words(session: Session, survey: Survey) -> None:
    picture = report_words.picture(report.read(session, survey.id), "gross")
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
