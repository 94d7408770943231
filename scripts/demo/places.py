"""The hundred sections of Minatitlán: totals of the nominal list of 2017, geometry invented."""

import csv
import json
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from callcenter.territory import Section

DATA = Path(__file__).parent / "data"
MUNICIPALITY = "MINATITLÁN"


def load(session: Session) -> dict[int, int]:
    """Insert the sections; returns the id of each by its number."""
    session.execute(insert(Section), rows())
    found = session.execute(select(Section.number, Section.id))
    return {number: id_ for number, id_ in found}  # noqa: C416 - a result is no sequence of pairs


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
