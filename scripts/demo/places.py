"""The hundred sections of Minatitlán: totals of the nominal list of 2017; outlines, districts and the past invented."""

import csv
import json
import random
from datetime import date
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from callcenter.places.past_results import ElectionResult, PastElection
from callcenter.territory import District, Municipality, NominalCount, Section

DATA = Path(__file__).parent / "data"
MUNICIPALITY = "MINATITLÁN"
FEDERAL, LOCAL = 14, {27: "poniente", 28: "oriente"}  # invented
LIST_OF = date(2017, 5, 1)


def load(session: Session) -> dict[int, int]:
    """Insert the sections with their districts and their past; returns the id of each by its number."""
    session.execute(insert(Section), rows())
    session.add(Municipality(state=30, ine_code=109, inegi_code=108, name=MUNICIPALITY))
    session.execute(insert(District), [
        {"kind": "federal", "state": 30, "number": FEDERAL, "name": "Minatitlán"},
        *({"kind": "local", "state": 30, "number": number, "name": f"Minatitlán {word}"}
          for number, word in LOCAL.items()),
    ])  # fmt: skip
    found = session.execute(select(Section.number, Section.id))
    ids = {number: id_ for number, id_ in found}  # noqa: C416 - a result is no sequence of pairs
    session.execute(insert(NominalCount), [_count(row, ids[row["number"]]) for row in rows()])
    _load_past(session, ids)
    return ids


def _count(row: dict[str, Any], section_id: int) -> dict[str, Any]:
    return {
        "state": 30, "section_number": row["number"], "section_id": section_id, "as_of": LIST_OF,
        "total": row["nominal_list"], "men": row["men"], "women": row["women"], "non_binary": 0,
    }  # fmt: skip


def _load_past(session: Session, ids: dict[int, int]) -> None:
    """An election that never was: three lists that nobody knows, at stations of at most 750 voters."""
    election = PastElection(name="Ayuntamiento 2021 (inventado)", held_on=date(2021, 6, 6))
    session.add(election)
    session.flush()
    dice = random.Random("past")
    session.execute(insert(ElectionResult), [
        {"election_id": election.id, "section_id": ids[row["number"]], **station}
        for row in rows() for station in _stations(row, dice)
    ])  # fmt: skip


def _stations(row: dict[str, Any], dice: random.Random) -> list[dict[str, Any]]:
    count = row["stations"]
    return [_result(row, at, row["nominal_list"] // count, dice) for at in range(count)]


def _result(row: dict[str, Any], at: int, voters: int, dice: random.Random) -> dict[str, Any]:
    total = round(voters * row["past_turnout"])
    nulls, unregistered = round(total * 0.025), dice.randint(0, 2)
    leaning = 0.5 + 0.1 * (row["kind"] == "R") + dice.uniform(-0.12, 0.12)
    left = total - nulls - unregistered
    first, second = round(left * leaning * 0.8), round(left * 0.25)
    votes = {"Lista Ceiba": first, "Lista Jaguar": left - first - second, "Lista Marea": second - 4,
             "Lista Ceiba y Lista Marea": 4}  # fmt: skip
    return {
        "state": 30, "section_number": row["number"], "station": f"C{at}" if at else "B", "nominal_list": voters,
        "votes": votes, "nulls": nulls, "unregistered": unregistered, "total": total,
    }  # fmt: skip


@cache
def rows() -> list[dict[str, Any]]:
    shapes = json.loads((DATA / "secciones_minatitlan.geojson").read_text(encoding="utf-8"))["features"]
    geometry = {shape["properties"]["seccion"]: shape["geometry"] for shape in shapes}
    with (DATA / "secciones_minatitlan.csv").open(encoding="utf-8", newline="") as lines:
        return [
            {
                "state": int(line["entidad"]),
                "number": int(line["seccion"]),
                "municipality_code": int(line["municipio"]),
                "municipality": MUNICIPALITY,
                "inegi_code": 108,
                "federal_district": FEDERAL,
                "local_district": min(LOCAL) if (int(line["seccion"]) - 1) % 10 < 5 else max(LOCAL),
                "kind": line["tipo"],
                "nominal_list": int(line["lista_nominal"]),
                "men": int(line["hombres"]),
                "women": int(line["mujeres"]),
                "stations": int(line["casillas"]),
                "past_turnout": float(line["participacion_2017"]),
                "geometry": geometry[int(line["seccion"])],
            }
            for line in csv.DictReader(lines)
        ]


def section_at(kind: str, place: float) -> int:
    """The section of this kind that holds the voter at `place` (0–1) of the nominal list."""
    numbers, ends = _line(kind)
    return next(number for number, end in zip(numbers, ends, strict=True) if place * ends[-1] < end)


@cache
def _line(kind: str) -> tuple[list[int], list[int]]:
    sections = [row for row in rows() if row["kind"] == kind]
    return [row["number"] for row in sections], list(accumulate(row["nominal_list"] for row in sections))
