"""Files of the territory as they come: recognised by their columns, each bad row told, nothing half-written."""

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import coverage_is_valid
from shapely.geometry import shape
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import territory
from callcenter.base.clock import real_now
from callcenter.base.db import Sessions
from callcenter.base.errors import InvalidInput, Refused
from callcenter.places import past_results, territory_batches, territory_import, territory_jobs, territory_writing
from callcenter.places.past_results import ElectionResult, PastElection
from callcenter.places.territory_batches import TerritoryBatch
from callcenter.places.territory_import import Choices
from callcenter.places.territory_rows import whole
from callcenter.territory import District, Municipality, NominalCount, Section
from tests.callcenter.cast import person
from tests.callcenter.territory_files import RESULTS, WEEKLY, shapefile_zip, square

DATA = Path(__file__).parents[2] / "data"
FIELDS = [
    ("ENTIDAD", "N"),
    ("DISTRITO_F", "N"),
    ("DISTRITO_L", "N"),
    ("MUNICIPIO", "N"),
    ("SECCION", "N"),
    ("TIPO", "N"),
]
ELECTION = Choices(election="Ayuntamientos de prueba", held_on=date(2021, 6, 6))
WEEK = Choices(as_of=date(2026, 11, 13))


def wrote(session: Session, path: Path, choices: Choices = Choices()) -> dict[str, int]:  # noqa: B008
    """Write a file as a batch of its own; returns its counts with the batch's id."""
    batch = TerritoryBatch(file_name=path.name, file=str(path), file_sha256="", state="done")
    session.add(batch)
    session.flush()
    return {**territory_import.write(session, path, choices, batch.id).counts, "batch": batch.id}


def text_file(tmp_path: Path, content: str, name: str = "file.csv", encoding: str = "cp1252") -> Path:
    path = tmp_path / name
    path.write_text(content, encoding=encoding)
    return path


def sections(tmp_path: Path, *numbers: int, name: str = "sections.csv", **more: str) -> Path:
    head = "entidad,municipio,seccion,tipo,lista_nominal" + "".join(f",{key}" for key in more)
    lines = [f"30,109,{number},U,100" + "".join(f",{value}" for value in more.values()) for number in numbers]
    return text_file(tmp_path, "\n".join([head, *lines]), name)


def test_sections_are_imported_twice_without_harm_and_people_find_theirs(session: Session) -> None:
    early = person(session, section_number=2301)
    for _ in range(2):
        assert (
            territory_import.import_sections(
                session, DATA / "secciones_minatitlan.csv", DATA / "secciones_minatitlan.geojson"
            )
            == 100
        )
    session.expire_all()
    section = territory.find(session, 30, 2301)
    assert early.section_id == section.id
    assert section.geometry is not None
    assert session.scalar(select(func.sum(Section.nominal_list))) == 120_977


def test_a_weekly_nominal_list_is_read_under_its_merged_headers(session: Session, tmp_path: Path) -> None:
    wrote(session, sections(tmp_path, 2301, 2302))
    path = text_file(tmp_path, WEEKLY)
    for _ in range(2):
        counts = wrote(session, path, WEEK)
    assert (counts["taken"], counts["faults"], counts["abroad"], counts["totals"]) == (2, 1, 1, 1)
    first = session.scalars(select(NominalCount).order_by(NominalCount.section_number)).first()
    assert first is not None
    assert (first.men, first.women, first.non_binary, first.total) == (1000, 1005, 1, 2006)
    session.expire_all()
    assert territory.find(session, 30, 2301).nominal_list == 2006


def test_a_list_that_does_not_add_up_says_where_and_what(tmp_path: Path) -> None:
    (fault,) = territory_import.look_at(text_file(tmp_path, WEEKLY)).faults
    assert fault.row == 8
    assert fault.values == {"sum": 2, "total": 7}


KEYS, GROUP = "CLAVE ENTIDAD,CLAVE DISTRITO,CLAVE MUNICIPIO,SECCION", "LISTA NOMINAL DE ELECTORES NACIONAL"


@pytest.mark.parametrize(
    "head",
    [
        f"{KEYS},LISTA HOMBRES,LISTA MUJERES,LISTA NO BINARIO,LISTA NOMINAL",
        f"{GROUP}\n{KEYS},HOMBRES,MUJERES,NO BINARIO,LISTA NOMINAL",
        f"{KEYS},{GROUP},,,\n,,,,HOMBRES,MUJERES,NO BINARIO,LISTA NOMINAL",
        f",,,,{GROUP},,,\n{KEYS},HOMBRES,MUJERES,NO BINARIO,TOTAL",
        f'{KEYS},"{GROUP},,,,HOMBRES","{GROUP},,,,MUJERES","{GROUP},,,,NO BINARIO",LISTA NOMINAL',
    ],
)
def test_headers_of_one_row_or_of_two_are_the_same(tmp_path: Path, head: str) -> None:
    looked = territory_import.look_at(text_file(tmp_path, f'{head}\n30,14,109,0045,"1,000",1000,,2000\n'))
    assert looked.layout == "nominal_list"
    assert looked.preview["rows"] == [{"state": 30, "number": 45, "total": 2000, "men": 1000, "women": 1000}]


def test_results_are_read_below_their_titles_with_every_column_of_votes(session: Session, tmp_path: Path) -> None:
    wrote(session, sections(tmp_path, 2301, 2302))
    for _ in range(2):
        counts = wrote(session, text_file(tmp_path, RESULTS), ELECTION)
    assert (counts["taken"], counts["duplicates"], counts["abroad"], counts["faults"]) == (3, 1, 1, 1)
    contiguous = session.scalars(select(ElectionResult).where(ElectionResult.station == "C1")).one()
    assert contiguous.votes == {"AZUL": 90, "VERDE": None, "AZUL_VERDE": 4, "CANDIDATURA ÑANDÚ": 9}
    assert contiguous.remarks == "Acta ilegible en parte"
    (result,) = past_results.of_section(session, 30, 2301)
    assert (result.votes["AZUL"], result.nulls, result.stations, result.unread) == (190, 7, 2, 1)
    assert result.turnout is None
    extraordinary = session.scalars(select(ElectionResult).where(ElectionResult.section_number == 2302)).one()
    assert (extraordinary.station, extraordinary.nominal_list, extraordinary.votes["AZUL"]) == ("E1C2", 1250, None)


def test_a_station_twice_with_other_figures_is_told(tmp_path: Path) -> None:
    twice = RESULTS.replace("|90|-|4|9|0|3|106|", "|91|-|4|9|0|3|107|", 1)
    told = territory_import.look_at(text_file(tmp_path, twice)).faults
    assert {"first": 8} in [fault.values for fault in told]


def test_results_stay_with_the_section_of_their_day(session: Session, tmp_path: Path) -> None:
    wrote(session, sections(tmp_path, 2301, 2302))
    wrote(session, text_file(tmp_path, RESULTS), ELECTION)
    before = territory.find(session, 30, 2301).id
    wrote(session, sections(tmp_path, 2301, 2401, name="new.csv"), Choices(valid_from=date(2023, 1, 1)))
    session.expire_all()
    today = territory.find(session, 30, 2301)
    assert today.id != before
    assert set(session.scalars(select(ElectionResult.section_id).where(ElectionResult.section_number == 2301))) == {
        before
    }


def test_results_go_over_to_a_map_of_their_day_that_comes_late(session: Session, tmp_path: Path) -> None:
    wrote(session, sections(tmp_path, 2301, 2302))
    wrote(session, text_file(tmp_path, RESULTS), ELECTION)
    wrote(session, sections(tmp_path, 2301, name="new.csv"), Choices(valid_from=date(2020, 1, 1)))
    session.expire_all()
    today = territory.find(session, 30, 2301)
    attached = select(ElectionResult.section_id).where(ElectionResult.section_number == 2301)
    assert set(session.scalars(attached)) == {today.id}
    gone = select(ElectionResult.section_id).where(ElectionResult.section_number == 2302)
    assert set(session.scalars(gone)) == {None}


def test_a_list_that_is_taken_back_leaves_the_one_before_it_or_none(session: Session, tmp_path: Path) -> None:
    wrote(session, sections(tmp_path, 2301, 2302))
    first = wrote(session, text_file(tmp_path, WEEKLY), Choices(as_of=date(2026, 10, 2)))["batch"]
    second = wrote(session, text_file(tmp_path, WEEKLY.replace('"2,006"', '"2,007"').replace("1,005", "1,006")), WEEK)
    for batch, left in ((second["batch"], 2006), (first, None)):
        territory_writing.undo(session, batch, "nominal_list")
        session.expire_all()
        assert territory.find(session, 30, 2301).nominal_list == left


def test_a_new_map_closes_the_old_one_and_people_keep_their_number(session: Session, tmp_path: Path) -> None:
    stays, goes = person(session, section_number=2301), person(session, section_number=2302)
    wrote(session, sections(tmp_path, 2301, 2302))
    counts = wrote(session, sections(tmp_path, 2301, 2303, name="new.csv"), Choices(valid_from=date(2023, 1, 1)))
    assert (counts["created"], counts["closed"], counts["without_section"]) == (2, 2, 1)
    session.expire_all()
    assert stays.section_id == territory.find(session, 30, 2301).id
    assert (goes.section_id, goes.section_number) == (None, 2302)
    again = wrote(session, sections(tmp_path, 2301, 2303, name="new.csv"), Choices(valid_from=date(2023, 1, 1)))
    assert (again["created"], again["closed"]) == (0, 0)
    with pytest.raises(InvalidInput):
        wrote(session, sections(tmp_path, 2301), Choices(valid_from=date(2020, 1, 1)))
    territory_writing.undo(session, counts["batch"], "sections")
    session.expire_all()
    assert goes.section_id == territory.find(session, 30, 2302).id
    assert session.scalar(select(func.count()).select_from(Section)) == 2


def test_another_municipalitys_sections_are_not_closed_by_a_map_that_does_not_show_them(
    session: Session, tmp_path: Path
) -> None:
    elsewhere = text_file(tmp_path, "entidad,municipio,seccion,tipo\n30,108,100,R\n", "other.csv")
    wrote(session, elsewhere)
    wrote(session, sections(tmp_path, 2301), Choices(valid_from=date(2023, 1, 1)))
    assert territory.find(session, 30, 100).valid_to is None


def test_counts_and_results_are_taken_back(session: Session, tmp_path: Path) -> None:
    wrote(session, sections(tmp_path, 2301))
    results = wrote(session, text_file(tmp_path, RESULTS), ELECTION)["batch"]
    territory_writing.undo(session, results, "results")
    assert session.scalar(select(func.count()).select_from(PastElection)) == 0
    with pytest.raises(Refused):
        territory_writing.undo(session, wrote(session, sections(tmp_path, 2301))["batch"], "sections")


def test_municipalities_carry_both_codes_and_districts_their_seat(session: Session, tmp_path: Path) -> None:
    wrote(session, text_file(tmp_path, "ENTIDAD,MUNICIPIO,CLAVE_INEGI,NOMBRE\n30,109,108,MINATITLÁN\n"))
    wrote(session, text_file(tmp_path, "ENTIDAD,DISTRITO_LOCAL,CABECERA\n30,27,ÑAME DE PRUEBA\n"))
    town = session.scalars(select(Municipality)).one()
    assert (town.ine_code, town.inegi_code, town.name) == (109, 108, "MINATITLÁN")
    district = session.scalars(select(District)).one()
    assert (district.kind, district.number, district.name) == ("local", 27, "ÑAME DE PRUEBA")


def grid(count: int = 2, *, dense: bool = True) -> list[tuple[list[Any], list[list[tuple[float, float]]]]]:
    return [([30, 14, 27, 109, 2301 + at, 2], [square(at, 0, dense=dense)]) for at in range(count)]


@pytest.mark.parametrize("closed", [True, False])
def test_a_shapefile_is_moved_to_degrees_and_neighbours_go_on_touching(
    session: Session, tmp_path: Path, closed: bool
) -> None:
    path = shapefile_zip(tmp_path / "marco.zip", FIELDS, grid(3), closed=closed)
    assert wrote(session, path)["taken"] == 3
    found = list(session.scalars(select(Section).order_by(Section.number)))
    assert (found[0].federal_district, found[0].local_district, found[0].kind) == (14, 27, "U")
    outlines = [shape(one.geometry) for one in found]
    assert coverage_is_valid(outlines)
    assert [len(outline.exterior.coords) for outline in outlines] == [5, 5, 5]
    assert outlines[0].bounds == pytest.approx((-94.6, 17.9, -94.59, 17.91), abs=2e-5)
    assert [one.number for one in territory.neighbours(session, found[0])] == [2302]


def test_a_hole_and_an_island_are_kept(session: Session, tmp_path: Path) -> None:
    hole = [(x * 0.2 + -94.6 * 0.8 + 0.004, y * 0.2 + 17.9 * 0.8 + 0.004) for x, y in reversed(square(0, 0))]
    path = shapefile_zip(tmp_path / "a.zip", FIELDS, [([30, 1, 1, 109, 1, 4], [square(0, 0), hole, square(5, 5)])])
    wrote(session, path)
    outline = shape(session.scalars(select(Section.geometry)).one())
    assert outline.geom_type == "MultiPolygon"
    assert sum(len(one.interiors) for one in outline.geoms) == 1


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_a_dbf_is_read_in_its_own_letters(session: Session, tmp_path: Path, encoding: str) -> None:
    fields = [("ENTIDAD", "N"), ("MUNICIPIO", "N"), ("NOMBRE", "C")]
    path = shapefile_zip(
        tmp_path / "m.zip", fields, [([30, 109, "MINATITLÁN Ñ"], [square(0, 0)])], encoding=encoding, layer="MUNICIPIO"
    )
    wrote(session, path)
    assert session.scalars(select(Municipality.name)).one() == "MINATITLÁN Ñ"


def test_names_cut_to_ten_letters_are_known(tmp_path: Path) -> None:
    fields = [("ENTIDAD", "N"), ("MUNICIPIO", "N"), ("SECCION", "N"), ("NOMBRE_MUN", "C"), ("DISTRITO_L", "N")]
    path = shapefile_zip(tmp_path / "s.zip", fields, [([30, 109, 7, "X", 9], [square(0, 0)])])
    (row,) = territory_import.look_at(path).preview["rows"]
    assert (row["municipality"], row["local_district"]) == ("X", 9)


def test_an_outline_outside_the_country_is_a_fault_of_its_row(tmp_path: Path) -> None:
    rows = [*grid(1), ([30, 14, 27, 109, 2302, 2], [[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)]])]
    looked = territory_import.look_at(shapefile_zip(tmp_path / "s.zip", FIELDS, rows, crs=None))
    assert [fault.row for fault in looked.faults] == [2]
    assert looked.counts["taken"] == 1


def test_a_geojson_with_open_rings_is_closed(session: Session, tmp_path: Path) -> None:
    feature = {
        "type": "Feature", "properties": {"entidad": 30, "municipio": 109, "seccion": 2301},
        "geometry": {"type": "Polygon", "coordinates": [square(0, 0)[:-1]]},
    }  # fmt: skip
    path = text_file(tmp_path, json.dumps({"type": "FeatureCollection", "features": [feature]}), "a.geojson", "utf-8")
    wrote(session, path)
    outline = session.scalars(select(Section.geometry)).one()
    assert outline is not None
    assert outline["coordinates"][0][0] == outline["coordinates"][0][-1]


def bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\x00" * 50_000_000)
        archive.writestr("a.dbf", b"x")
    return path


def test_bad_files_are_refused_with_a_sentence_and_leave_nothing(session: Session, tmp_path: Path) -> None:
    whole_file = shapefile_zip(tmp_path / "whole.zip", FIELDS, grid())
    with zipfile.ZipFile(whole_file) as archive, zipfile.ZipFile(tmp_path / "cut.zip", "w") as cut:
        for name in archive.namelist():
            cut.writestr(name, archive.read(name)[: 150 if name.endswith("shp") else None])
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    bad = [
        bomb(tmp_path / "bomb.zip"),
        tmp_path / "cut.zip",
        tmp_path / "empty.zip",
        text_file(tmp_path, "a,b\n1,2\n", "unknown.csv"),
        text_file(tmp_path, "seccion,tipo,municipio\n1,U,1\n", "no_state.csv"),
        text_file(tmp_path, "entidad,municipio,seccion,tipo\n", "no_rows.csv"),
        text_file(tmp_path, "entidad,municipio,seccion,tipo\n99,1,1,U\n", "no_good_row.csv"),
        text_file(tmp_path, "{}", "empty.geojson"),
        text_file(tmp_path, '{"features": [1, 2]}', "odd.geojson"),
        text_file(tmp_path, "PK nothing", "broken.zip"),
        text_file(tmp_path, "", "nothing.csv"),
    ]
    for path in bad:
        with pytest.raises(InvalidInput) as fault:
            territory_import.write(session, path, Choices(), None)
        assert str(fault.value).strip(), path.name
    assert session.scalar(select(func.count()).select_from(Section)) == 0


def test_progress_is_told_while_the_rows_are_not_yet_kept(
    committed: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(territory_import, "TELL_EVERY", 1)
    told: list[int] = []
    note = territory_batches.note_progress

    def listen(session: Session, batch_id: int, rows: int) -> None:
        told.append(rows)
        note(session, batch_id, rows)

    monkeypatch.setattr(territory_batches, "note_progress", listen)
    with committed() as session:
        batch = territory_batches.create(session, sections(tmp_path, 1, 2, 3), "sections.csv", None)
        batch.layout, batch.state = "sections", "running"
        session.commit()
        territory_jobs.run_territory(batch.id)
        session.expire_all()
        assert (told, batch.state, batch.rows_done) == ([1, 2, 3], "done", 3)


def test_one_file_twice_at_the_same_time_is_one_map(committed: Sessions, tmp_path: Path) -> None:
    path = sections(tmp_path, *range(1, 40))

    def write() -> int:
        with committed() as session:
            taken = territory_import.write(session, path, Choices(valid_from=date(2023, 1, 1)), None).counts["taken"]
            session.commit()
            return taken

    with ThreadPoolExecutor(2) as pool:
        assert [one.result() for one in [pool.submit(write), pool.submit(write)]] == [39, 39]
    with committed() as session:
        assert session.scalar(select(func.count()).select_from(Section)) == 39


def test_a_batch_whose_worker_is_gone_is_done_by_another(session: Session, tmp_path: Path) -> None:
    batch = territory_batches.create(session, sections(tmp_path, 1), "sections.csv", None)
    batch.layout, batch.state = "sections", "running"
    assert territory_batches.sweep(session) == 0
    batch.lease_until = real_now() - territory_batches.LEASE
    session.flush()
    assert territory_batches.sweep(session) == 1
    assert territory_batches.sweep(session) == 0


@settings(max_examples=60, deadline=None)
@given(member=st.sampled_from(["shp", "dbf", "prj"]), at=st.floats(0, 1), cut=st.booleans(), byte=st.integers(0, 255))
def test_a_damaged_shapefile_is_refused_or_read_and_never_breaks(
    tmp_path_factory: pytest.TempPathFactory, member: str, at: float, cut: bool, byte: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    with zipfile.ZipFile(shapefile_zip(folder / "whole.zip", FIELDS, grid())) as archive:
        parts = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    for name, content in parts.items():
        if name.endswith(member):
            place = int(at * (len(content) - 1))
            parts[name] = content[:place] if cut else content[:place] + bytes([byte]) + content[place + 1 :]
    with zipfile.ZipFile(folder / "damaged.zip", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, bytes(content))
    with suppress(InvalidInput):
        territory_import.look_at(folder / "damaged.zip")


@pytest.mark.parametrize(
    ("choices", "content"),
    [(Choices(), WEEKLY), (Choices(), RESULTS), (Choices(as_of=date(2999, 1, 1)), WEEKLY)],
)
def test_what_only_a_person_knows_is_asked_for(
    session: Session, tmp_path: Path, choices: Choices, content: str
) -> None:
    with pytest.raises(InvalidInput):
        territory_import.write(session, text_file(tmp_path, content), choices, None)


@given(st.integers(0, 2**31 - 1))
def test_a_whole_number_is_read_however_it_is_dressed(number: int) -> None:
    for text in (str(number), f"{number:,}", f"{number:06}", f"{number}.0", f" {number} "):
        assert whole(text) == number


@given(st.text(max_size=10))
def test_any_cell_is_a_whole_number_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert whole(text) >= 0


GOOD = 8  # rows that show which column holds votes
letters = st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters='|"')
said = ["30", "2301", "B", "C1", "0", "-", "TOTALES", "Sin dato", "1,000", "x", ""]
cells = st.one_of(st.sampled_from(said), st.text(letters, max_size=6))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(cells, min_size=1, max_size=9), min_size=1, max_size=6))
def test_any_rows_below_a_known_header_are_taken_left_out_or_told(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "results.csv"
    head = "ID_ENTIDAD|SECCION|CASILLA|AZUL|NULOS|NO_REGISTRADAS|TOTAL_VOTOS_CALCULADO|LISTA_NOMINAL"
    good = [f"30|{number}|B|5|0|0|5|10" for number in range(1, GOOD + 1)]
    body = "\n".join([head, *good, *("|".join(row) for row in rows)])
    path.write_text(body, encoding="utf-8")
    looked = territory_import.look_at(path)
    counts = looked.counts
    blank = sum(not any(cell.strip() for cell in row) for row in rows)
    assert counts["rows"] + counts["totals"] + counts["abroad"] + blank == len(rows) + GOOD
    assert len(looked.faults) <= counts["rows"]
