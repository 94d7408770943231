"""Pages of the territory: the map hides few people, the file comes in through the browser, a section tells its past."""

import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter import territory
from callcenter.places import territory_counts, territory_import, territory_jobs, territory_map
from callcenter.places.territory_batches import TerritoryBatch
from callcenter.places.territory_import import Choices
from callcenter.places.territory_map import Area
from callcenter.territory import NominalCount
from tests.callcenter.cast import person
from tests.callcenter.territory_files import RESULTS, WEEKLY
from tests.conftest import ClientAs

DATA = Path(__file__).parents[2] / "data"


def post(client: FlaskClient, url: str, page: str, **data: Any) -> TestResponse:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).text)
    assert token
    return client.post(url, data={"csrf_token": token[1], **data})


@pytest.fixture
def minatitlan(session: Session) -> Session:
    """A hundred sections; three people in the first, seven in the second, nine in the third."""
    territory_import.import_sections(session, DATA / "secciones_minatitlan.csv", DATA / "secciones_minatitlan.geojson")
    for number, people in ((2301, 3), (2302, 7), (2303, 9)):
        for _ in range(people):
            person(session, section_number=number, sex="M", age=30)
    territory.place_people(session)
    session.commit()
    return session


def test_a_small_count_is_hidden_on_every_page_and_cannot_be_reckoned(minatitlan: Session, client_as: ClientAs) -> None:
    shown = territory_counts.figures(minatitlan, "contacts", "section")
    hidden = {area.key[1] for area in shown.areas if area.is_hidden}
    assert hidden == {2301, 2302}  # three alone would be 19 − 7 − 9
    assert shown.total == 19
    pollster = client_as("pollster")
    page = pollster.get("/territory/").text
    assert "2301: " in page
    lines = pollster.get("/territory/figures.csv").text.splitlines()
    assert [line.rsplit(",", 1)[1] for line in lines[1:4]] != ["3", "7", "9"]
    for number in (2301, 2302):
        assert 'class="number">7<' not in pollster.get(f"/territory/sections/30/{number}").text
    assert 'class="number">9<' in pollster.get("/territory/sections/30/2303").text


def test_a_municipalitys_own_page_tells_no_more_than_the_whole_map(minatitlan: Session) -> None:
    everything = territory_counts.figures(minatitlan, "contacts", "section")
    within = territory_counts.figures(minatitlan, "contacts", "section", within=("municipality", (30, 109)))
    assert [area.value for area in within.areas] == [area.value for area in everything.areas]


@pytest.mark.parametrize("measure", list(territory_counts.MEASURES))
@pytest.mark.parametrize("level", list(territory_counts.LEVELS))
def test_every_measure_is_drawn_at_every_level(
    minatitlan: Session, client_as: ClientAs, measure: str, level: str
) -> None:
    answer = client_as("strategist").get(f"/territory/?measure={measure}&level={level}&area=municipality-30-109")
    assert answer.status_code == 200
    if level in ("section", "municipality"):
        assert "<svg" in answer.text
        assert " style=" not in answer.text.partition('<figure class="territory-map">')[2].partition("</figure>")[0]


@pytest.mark.parametrize("area", ["x", "municipality-30", "section-1-2-3", "municipality-²-1", "federal_district-99-1"])
def test_an_odd_address_is_no_error(minatitlan: Session, client_as: ClientAs, area: str) -> None:
    assert client_as("strategist").get("/territory/", query_string={"area": area, "level": "?"}).status_code == 200


def test_an_area_says_its_figure_and_is_a_link(app: Flask) -> None:
    outline = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}
    areas = [Area("Uno <1>", 12, outline, "/uno"), Area("Dos", None, outline, "/dos"), Area("Tres", None, None)]
    with app.test_request_context():
        drawn = str(territory_map.paint(areas, title="Personas"))
    assert "Uno &lt;1&gt;: 12" in drawn
    assert 'href="/dos"' in drawn
    assert "Tres" not in drawn
    assert 'fill="url(#map-few)"' in drawn


def test_shades_hold_as_many_areas_as_can_be() -> None:
    assert territory_map.class_limits([]) == []
    assert territory_map.class_limits([3, 3, 3]) == [3]
    assert territory_map.class_limits(list(range(1, 11))) == [1, 3, 5, 7, 9]


def test_without_sections_the_page_says_the_next_step(client_as: ClientAs) -> None:
    assert "/territory/imports/" in client_as("administrator").get("/territory/").text
    assert "/territory/imports/" not in client_as("pollster").get("/territory/").text
    assert client_as("operator").get("/territory/").status_code == 403
    assert client_as("data_clerk").get("/territory/imports/").status_code == 403


def test_a_section_tells_its_past_and_its_lists(minatitlan: Session, tmp_path: Path, client_as: ClientAs) -> None:
    (tmp_path / "r.csv").write_text(RESULTS, "cp1252")
    (tmp_path / "w.csv").write_text(WEEKLY, "cp1252")
    territory_import.write(
        minatitlan, tmp_path / "r.csv", Choices(election="Ayuntamientos de prueba", held_on=date(2021, 6, 6)), None
    )
    territory_import.write(minatitlan, tmp_path / "w.csv", Choices(as_of=date(2026, 11, 13)), None)
    minatitlan.commit()
    page = client_as("pollster").get("/territory/sections/30/2301").text
    for words in ("Ayuntamientos de prueba", "CANDIDATURA ÑANDÚ", "AZUL_VERDE", '<svg class="result-bars"', "2302"):
        assert words in page, words
    assert client_as("pollster").get("/territory/sections/30/1").status_code == 404


def uploaded(session: Session, administrator: FlaskClient, content: str, name: str = "lista.csv") -> TerritoryBatch:
    answer = post(
        administrator, "/territory/imports/", "/territory/imports/", file=(io.BytesIO(content.encode("cp1252")), name)
    )
    assert answer.status_code == 302, answer.text
    batch = session.scalars(select(TerritoryBatch).order_by(TerritoryBatch.id.desc())).first()
    assert batch is not None
    territory_jobs.inspect_territory(batch.id)
    session.refresh(batch)
    return batch


def test_a_list_comes_in_through_the_browser_and_goes_again(minatitlan: Session, client_as: ClientAs) -> None:
    administrator = client_as("administrator")
    batch = uploaded(minatitlan, administrator, WEEKLY)
    assert (batch.state, batch.layout) == ("ready", "nominal_list")
    page = f"/territory/imports/{batch.id}"
    assert ">8<" in administrator.get(page).text  # the row that does not add up
    assert post(administrator, f"{page}/start", page).status_code == 422
    assert post(administrator, f"{page}/start", page, as_of="mañana").status_code == 422
    assert post(administrator, f"{page}/start", page, as_of="2026-11-13").status_code == 302
    assert "<progress" in administrator.get(f"{page}/progress").text
    for _ in range(2):
        territory_jobs.run_territory(batch.id)
    minatitlan.refresh(batch)
    assert (batch.state, batch.counts["written"], batch.counts["unplaced"]) == ("done", 2, 0)
    assert not Path(batch.file).exists()
    assert administrator.get(page).status_code == 200
    assert "8," in administrator.get(f"{page}/faults.csv").text
    assert post(administrator, f"{page}/undo", page).status_code == 302
    assert minatitlan.scalars(select(NominalCount)).all() == []
    assert post(administrator, f"{page}/undo", page).status_code == 409


def test_results_and_maps_ask_for_what_only_a_person_knows(minatitlan: Session, client_as: ClientAs) -> None:
    administrator = client_as("administrator")
    batch = uploaded(minatitlan, administrator, RESULTS)
    page = f"/territory/imports/{batch.id}"
    assert "CANDIDATURA ÑANDÚ" in administrator.get(page).text
    assert post(administrator, f"{page}/start", page, election="X", held_on="2021-06-06").status_code == 302
    territory_jobs.run_territory(batch.id)
    new_map = uploaded(minatitlan, administrator, "entidad,municipio,seccion,tipo\n30,109,2301,U\n")
    page = f"/territory/imports/{new_map.id}"
    assert post(administrator, f"{page}/start", page, is_new_map="yes").status_code == 422
    assert post(administrator, f"{page}/start", page, is_new_map="yes", valid_from="2023-01-01").status_code == 302
    territory_jobs.run_territory(new_map.id)
    minatitlan.refresh(new_map)
    assert new_map.counts["closed"] == 100
    assert "without_section" in new_map.counts
    assert administrator.get(page).status_code == 200
    assert post(administrator, f"{page}/undo", page).status_code == 302


def test_a_file_that_is_none_of_ours_says_so_and_is_forgotten(minatitlan: Session, client_as: ClientAs) -> None:
    administrator = client_as("administrator")
    batch = uploaded(minatitlan, administrator, "a,b\n1,2\n")
    assert batch.state == "failed"
    assert not Path(batch.file).exists()
    assert "alert-danger" in administrator.get(f"/territory/imports/{batch.id}").text
    answer = post(administrator, "/territory/imports/", "/territory/imports/", file=(io.BytesIO(b"x"), "x.exe"))
    assert answer.status_code == 422
    assert post(administrator, "/territory/imports/", "/territory/imports/").status_code == 422


def test_a_file_that_breaks_when_it_is_written_leaves_nothing(minatitlan: Session, client_as: ClientAs) -> None:
    administrator = client_as("administrator")
    batch = uploaded(minatitlan, administrator, WEEKLY)
    page = f"/territory/imports/{batch.id}"
    post(administrator, f"{page}/start", page, as_of="2026-11-13")
    Path(batch.file).write_text("a,b\n1,2\n")
    territory_jobs.run_territory(batch.id)
    minatitlan.refresh(batch)
    assert batch.state == "failed"
    assert minatitlan.scalars(select(NominalCount)).all() == []
