"""Outlines from strangers: whatever a GeoJSON holds, its import ends with a sentence or is done, and never waits."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.places import territory_batches, territory_import, territory_jobs
from callcenter.places.territory_batches import TerritoryBatch
from callcenter.places.territory_import import Choices
from callcenter.tables import file_faults
from callcenter.territory import Section

PLACE = {"ENTIDAD": 30, "MUNICIPIO": 109, "SECCION": 2301}
SQUARE = [[-94.6, 17.9], [-94.5, 17.9], [-94.5, 18.0], [-94.6, 18.0], [-94.6, 17.9]]
FAR = float("inf")


def layer(properties: Any = PLACE, ring: Any = SQUARE, crs: str = "") -> str:
    geometry = {"type": "Polygon", "coordinates": [ring]}
    told = {"features": [{"type": "Feature", "properties": properties, "geometry": geometry}]}
    return json.dumps(told | ({"crs": {"properties": {"name": crs}}} if crs else {}))


def brought_in(session: Session, tmp_path: Path, content: str) -> TerritoryBatch:
    path = tmp_path / "layer.geojson"
    path.write_text(content)
    batch = territory_batches.create(session, path, path.name, None)
    session.commit()
    territory_jobs.inspect_territory(batch.id)
    if territory_batches.get(session, batch.id).state == "ready":
        territory_batches.start(session, batch.id, Choices(), None)
        session.commit()
        territory_jobs.run_territory(batch.id)
    return territory_batches.get(session, batch.id)


@pytest.mark.parametrize(
    "content",
    [
        layer(properties=["ENTIDAD", "MUNICIPIO", "SECCION"]),
        layer(ring=[[float("nan"), 17.9], *SQUARE[1:]]),
        layer(ring=[[FAR, 17.9], *SQUARE[1:]]),
        layer(ring=[[1e308, 17.9], [-1e308, 17.9], *SQUARE[2:]]),
        layer(crs="\ud800"),
        layer(crs="EPSG\0:1"),
        layer(crs="+init=/etc/hostname:x"),
        layer(crs="+proj=pipeline +step +proj=hgridshift +grids=/etc/hostname"),
    ],
    ids=["list", "not-a-number", "endless", "overflow", "half-letter", "zero-byte", "file-as-crs", "file-as-grid"],
)
def test_a_hostile_layer_fails_with_a_sentence(app: Flask, session: Session, tmp_path: Path, content: str) -> None:
    batch = brought_in(session, tmp_path, content)
    assert batch.state == "failed"
    assert file_faults.sentence(str(batch.error)).endswith(".")


@pytest.mark.parametrize("odd", ["Mina\0titlán", "Mina\ud800titlán"])
def test_names_that_no_database_keeps_are_made_plain(app: Flask, session: Session, tmp_path: Path, odd: str) -> None:
    batch = brought_in(session, tmp_path, layer(properties={**PLACE, "NOMBRE": odd, odd: 1}))
    assert batch.state == "done"
    assert session.scalars(select(Section.municipality)).one() in ("Minatitlán", "Mina?titlán")


@pytest.mark.parametrize("failure", [AttributeError, MemoryError, ZeroDivisionError])
def test_what_nobody_foresaw_ends_the_import_and_is_told(
    app: Flask, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise failure("Zenaida")

    monkeypatch.setattr(territory_import, "look_at", fail)
    assert brought_in(session, tmp_path, layer()).state == "failed"
