"""The package of a study: everything the authority wants is in it or named missing, and it makes its figures again."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import openpyxl
import polars as pl
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter.base import languages
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, Refused
from surveys import questionnaire, responses, studies
from surveys.publishing import (
    reproduction,
    study_building,
    study_checklist,
    study_document,
    study_facts,
    study_figures,
    study_jobs,
    study_packages,
    study_source,
)
from surveys.publishing.open_data import open_data
from surveys.publishing.package_archive import DATA, FIGURES, MANIFEST, OFFERED, STUDY, TABLES
from surveys.publishing.study_packages import StudyPackage
from surveys.questionnaire import Survey
from surveys.studies import Study
from surveys.weighting import weight_recipes
from surveys.weighting.raking import Margin, Targets
from surveys.weighting.weight_recipe import Recipe
from tests.surveys import study_cast, survey_forms, vote_cast
from tests.surveys.study_cast import VOTES

Calls = Callable[..., UUID]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    responses.forget()
    yield
    responses.forget()


@pytest.fixture
def study(session: Session, survey: Survey, new_call: Calls, rosa: User) -> Study:
    """A whole study of people who were interviewed and weighed."""
    study_cast.interviewed(session, new_call, rosa.id)
    study_cast.weighted(session, survey.id, rosa.id)
    return study_cast.whole_study(session, survey.id, rosa.id)


@pytest.fixture
def package(session: Session, study: Study, rosa: User) -> StudyPackage:
    made = study_cast.packaged(session, study, rosa.id)
    assert made.state == "ready", made.fault
    return made


def files(package: StudyPackage) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package.content or b"")) as file:
        return {name: file.read(name) for name in file.namelist()}


def repacked(package: StudyPackage, **changed: bytes) -> bytes:
    """The package with other files in it, as a stranger would change them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, content in (files(package) | changed).items():
            file.writestr(name, content)
    return packed.getvalue()


def with_another_vote(package: StudyPackage) -> bytes:
    """The data in which somebody who said azul says rojo."""
    lines = [line.split(",") for line in files(package)[DATA].decode().splitlines()]
    place = lines[0].index("vote")
    next(line for line in lines if line[place] == "azul")[place] = "rojo"
    return "\n".join(",".join(line) for line in lines).encode() + b"\n"


def test_the_package_of_a_whole_study_lacks_only_what_the_field_has_not_told(package: StudyPackage) -> None:
    inside = files(package)
    assert set(OFFERED.values()) | {MANIFEST, FIGURES, "recipes.json", "study.json", "README.txt"} <= set(inside)
    assert inside[STUDY].startswith(b"%PDF-")
    assert "questionnaire/version-1.xml" in inside
    assert sum(name.startswith("attachments/") for name in inside) == 7
    # The calls of this test are still under way, so nothing is known of who refused.
    listed = study_checklist.of_version(json.loads(inside[MANIFEST])["checklist"]["version"])
    keys = {fact.key for item in listed.items for fact in item.needs}
    assert set(package.missing) <= keys
    assert set(package.missing) <= {"rejection_refusals", "rejection_contacts"}


def test_what_nobody_entered_is_named_missing(session: Session, survey: Survey, new_call: Calls, rosa: User) -> None:
    study_cast.interviewed(session, new_call, rosa.id)
    made = study_cast.packaged(session, studies.begin(session, survey.id, rosa.id), rosa.id)
    assert made.state == "ready"
    assert {"objectives", "frame", "sponsor_logo", "resources", "cvs", "publication", "nonresponse"} <= set(
        made.missing
    )
    assert not {"sample_size", "errors", "undecided", "software", "database", "questionnaire"} & set(made.missing)


def test_the_study_says_each_item_present_or_missing(session: Session, study: Study, rosa: User, app: Flask) -> None:
    asked = study_packages.ask(session, study.id, rosa.id)
    source = study_source.read(session, asked.id)
    assert source is not None
    documents = []
    with app.test_request_context():
        for said in (source, _without_words(source)):
            documents.append(_document(said))
    whole, bare = documents
    assert [section["code"] for section in whole["sections"]] == [section["code"] for section in bare["sections"]]
    for section in bare["sections"]:
        assert section["blocks"] or section["missing"], section["code"]
    assert next(one for one in bare["sections"] if one["code"] == "1")["missing"] == ["Objetivos del estudio"]
    assert next(one for one in whole["sections"] if one["code"] == "1")["missing"] == []
    assert re.search(r"\d \w+ \d{4}, \d{1,2}:\d\d$", whole["as_of"]), whole["as_of"]  # as every page tells a time


def _without_words(source: study_source.Source) -> study_source.Source:
    return replace(source, said=replace(source.said, record={}, parties={}, resources=(), firm={}, files={}))


def _document(source: study_source.Source) -> study_document.Document:
    with languages.speaking("es"):
        opened = open_data(source.responses, source.recipes.needed)
        _data, weighed = study_building.with_weights(opened.responses, source.recipes)
        figures = study_figures.figures(weighed, study_building.method(weighed, source.recipes))
        facts = study_facts.entered(source.said) | study_facts.found(figures, study_building.told(source))
        standings = study_checklist.standings(source.checklist, facts)
        return study_document.document(source, figures, standings, {})


def test_the_figures_are_those_of_the_interviews(package: StudyPackage) -> None:
    figures = json.loads(files(package)[FIGURES])
    assert figures["field"]["n"] == len(VOTES)
    gross = {row["code"]: row for row in figures["vote"]["gross"]["rows"]}
    assert gross["azul"]["n"] == VOTES.count("azul")
    # A candidate whom nobody chose keeps a row and an interval.
    assert gross["indep"]["share"] == 0
    assert gross["indep"]["high"] > 0
    assert figures["vote"]["roles"]["undecided"] != figures["vote"]["roles"]["dk"]
    assert sum(row["share"] for row in figures["vote"]["effective"]["rows"]) == pytest.approx(1)
    assert figures["weights"]["deff"] > 1
    women = next(fit for fit in figures["weights"]["fits"] if fit["level"] == "M")
    assert women["after"] == pytest.approx(0.6)


def test_no_name_phone_or_word_of_anybody_is_in_the_package(package: StudyPackage) -> None:
    everything = b"".join(files(package).values())
    for said in (b"Juana", b"Persona 1", b"+5299", b"Rosa Lira", b"rosa.surveys"):
        assert said not in everything
    data = files(package)[DATA].decode("utf-8-sig")
    assert data.splitlines()[0].startswith("interview,")
    assert "why" not in data.splitlines()[0].split(",")


def test_the_package_makes_every_figure_again(package: StudyPackage) -> None:
    found = reproduction.reproduce(package.content or b"")
    assert found.is_same, (found.changed, found.differences[:3])
    assert found.interviews == len(VOTES)
    assert found.compared > 200


def test_a_changed_answer_is_found_by_its_hash_and_by_its_figures(package: StudyPackage) -> None:
    found = reproduction.reproduce(repacked(package, **{DATA: with_another_vote(package)}))
    assert not found.is_same
    assert found.changed == (DATA,)
    assert any(one.place.startswith("vote.gross") for one in found.differences)


def test_a_changed_figure_is_found(package: StudyPackage) -> None:
    figures = json.loads(files(package)[FIGURES])
    figures["vote"]["effective"]["rows"][0]["share"] += 1e-6
    found = reproduction.reproduce(repacked(package, **{FIGURES: json.dumps(figures).encode()}))
    assert [one.place for one in found.differences] == ["vote.effective.rows.0.share"]


@pytest.mark.parametrize(
    "content", [b"", b"no zip", b"PK\x03\x04", b"%PDF-1.4"], ids=["empty", "text", "half a zip", "pdf"]
)
def test_what_is_no_package_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(InvalidInput) as fault:
        reproduction.reproduce(content)
    assert set(fault.value.faults) == {"package"}


@pytest.mark.parametrize("name", [MANIFEST, DATA, FIGURES, "recipes.json", "questionnaire/version-1.json"])
def test_a_package_whose_files_were_spoiled_is_refused_in_words(package: StudyPackage, name: str) -> None:
    with pytest.raises(InvalidInput):
        reproduction.reproduce(repacked(package, **{name: b"[1"}))


def test_tables_and_data_open_in_a_spreadsheet(package: StudyPackage) -> None:
    book = openpyxl.load_workbook(io.BytesIO(files(package)[TABLES]), read_only=True)
    assert {"Estudio", "Voto", "Pasos", "Preguntas", "Grupos", "Datos"} <= set(book.sheetnames) or {
        "Study", "Vote", "Steps", "Questions", "Groups", "Data"} <= set(book.sheetnames)  # fmt: skip
    rows = list(book[book.sheetnames[-1]].iter_rows(values_only=True))
    assert len(rows) == len(VOTES) + 1


def test_a_package_is_made_once_and_found_again_when_its_worker_died(
    session: Session, study: Study, rosa: User
) -> None:
    asked = study_packages.ask(session, study.id, rosa.id)
    with pytest.raises(Refused):
        study_packages.ask(session, study.id, rosa.id)
    assert study_packages.sweep(session) == 0
    asked.lease_until = real_now()
    session.commit()
    assert study_packages.sweep(session) == 1
    study_jobs.make_package(asked.id)
    first = study_packages.find(session, asked.id).sha256
    study_jobs.make_package(asked.id)  # a second worker comes late
    assert study_packages.find(session, asked.id).sha256 == first


def test_cancelled_work_stops_at_the_next_stage(session: Session, study: Study, rosa: User) -> None:
    asked = study_packages.ask(session, study.id, rosa.id)
    session.commit()
    source = study_source.read(session, asked.id)
    assert source is not None
    study_packages.cancel(session, asked.id, rosa.id)
    session.commit()
    assert not study_packages.reach_stage(session, asked.id, 1)
    stages: list[int] = []

    def refuse(stage: int) -> bool:
        stages.append(stage)
        return False

    assert study_building.build(source, refuse) is None
    assert stages == [1]
    study_jobs.make_package(asked.id)
    assert study_packages.find(session, asked.id).state == "cancelled"


def test_weights_that_cannot_be_made_are_told_on_the_page(
    session: Session, survey: Survey, new_call: Calls, rosa: User
) -> None:
    study_cast.interviewed(session, new_call, rosa.id)
    targets = Targets((Margin("sex", {"H": 0.4, "M": 0.5, "X": 0.1}),))
    kept = weight_recipes.keep(session, survey.id, Recipe(targets, source="Censo inventado"), rosa.id)
    weight_recipes.sign(session, survey.id, kept.version, vote_cast.second_person(session).id)
    made = study_cast.packaged(session, studies.begin(session, survey.id, rosa.id), rosa.id)
    assert made.state == "failed"
    assert made.fault
    assert "X" in made.fault


def test_a_survey_that_nobody_has_answered_makes_a_package_that_says_so(
    session: Session, survey: Survey, rosa: User
) -> None:
    made = study_cast.packaged(session, studies.begin(session, survey.id, rosa.id), rosa.id)
    assert made.state == "ready", made.fault
    assert {"sample_size", "field_dates"} <= set(made.missing)


def test_a_questionnaire_without_a_vote_makes_a_package_too(session: Session, new_call: Calls, rosa: User) -> None:
    content = survey_forms.workbook(
        [["type", "name", "label"], ["select_one yes_no", "happy", "¿Contento?"]],
        [["list_name", "name", "label"], ["yes_no", "yes", "Sí"], ["yes_no", "no", "No"]],
    )
    other = questionnaire.create_survey(session, "Otra", "otra.xlsx", content)
    made = study_cast.packaged(session, studies.begin(session, other.id, rosa.id), rosa.id)
    assert made.state == "ready", made.fault
    assert reproduction.reproduce(made.content or b"").is_same


def test_the_data_say_what_the_codebook_says(package: StudyPackage) -> None:
    inside = files(package)
    data = pl.read_csv(io.BytesIO(inside[DATA]))
    lines = inside["data/codebook.csv"].decode("utf-8-sig").splitlines()
    assert {line.partition(",")[0] for line in lines[1:]} == set(data.columns)


def test_the_command_reproduces_and_tells_by_its_exit(app: Flask, package: StudyPackage, tmp_path: Path) -> None:
    good, bad, none = tmp_path / "good.zip", tmp_path / "bad.zip", tmp_path / "none.zip"
    good.write_bytes(package.content or b"")
    bad.write_bytes(repacked(package, **{DATA: with_another_vote(package)}))
    none.write_bytes(b"nothing")
    run = app.test_cli_runner()
    told = run.invoke(args=["surveys", "reproduce", str(good), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["same"] is True
    assert run.invoke(args=["surveys", "reproduce", str(bad)]).exit_code == 1
    assert run.invoke(args=["surveys", "reproduce", str(none)]).exit_code == 2
