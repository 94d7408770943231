"""Invented files of the territory: numbers, names and outlines are nobody's."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import shapefile
from pyproj import CRS, Transformer

UTM = "EPSG:32615"  # the zone of southern Veracruz
WEST, SOUTH, STEP = -94.6, 17.9, 0.01


def square(column: int, row: int, *, dense: bool = False) -> list[tuple[float, float]]:
    """A square of a grid, clockwise; `dense`: with points along its sides that a simplification may drop."""
    corners = [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)]
    points = []
    for (x0, y0), (x1, y1) in pairwise(corners):
        steps = 10 if dense else 1
        points += [(x0 + (x1 - x0) * at / steps, y0 + (y1 - y0) * at / steps) for at in range(steps)]
    points.append(corners[0])
    return [(WEST + (column + x) * STEP, SOUTH + (row + y) * STEP) for x, y in points]


def shapefile_zip(
    path: Path,
    fields: Sequence[tuple[str, str]],
    features: Iterable[tuple[Sequence[Any], list[list[tuple[float, float]]]]],
    *,
    crs: str | None = UTM,
    encoding: str = "cp1252",
    layer: str = "SECCION",
    closed: bool = True,
) -> Path:
    """A ZIP of one layer. `fields`: (name, C|N); `crs` None: no .prj, degrees; `closed` False: rings left open."""
    parts = {ending: io.BytesIO() for ending in ("shp", "dbf", "shx")}
    move = Transformer.from_crs("EPSG:4326", crs, always_xy=True) if crs else None
    writer = shapefile.Writer(**parts, shapeType=shapefile.POLYGON, encoding=encoding)
    for name, kind in fields:
        writer.field(name, kind, size=60 if kind == "C" else 12)
    for record, rings in features:
        moved = [[move.transform(*point) if move else point for point in ring] for ring in rings]
        lines = [ring if closed else ring[:-1] for ring in moved]
        starts = [sum(map(len, lines[:at])) for at in range(len(lines))]
        writer.shape(shapefile.Polygon(points=[point for line in lines for point in line], parts=starts))
        writer.record(*record)
    writer.close()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for ending, content in parts.items():
            archive.writestr(f"30 VERACRUZ/{layer}.{ending}", content.getvalue())
        if crs:
            archive.writestr(f"30 VERACRUZ/{layer}.prj", CRS.from_user_input(crs).to_wkt("WKT1_ESRI"))
    return path


RESULTS = """\
"PROCESO INVENTADO"
"Cómputos de prueba"
"Elección de ayuntamientos"

"* Los números son inventados"
CLAVE_CASILLA|ID_ESTADO|NOMBRE_ESTADO|ID_MUNICIPIO|MUNICIPIO|SECCION|ID_CASILLA|TIPO_CASILLA|EXT_CONTIGUA|AZUL\
|VERDE|AZUL_VERDE|CANDIDATURA ÑANDÚ|CNR|VN|TOTAL_VOTOS_CALCULADOS|LISTA_NOMINAL_CASILLA|OBSERVACIONES|ESTATUS_ACTA
"'302301B0100'"|30|VERACRUZ|109|MINATITLÁN|2301|1|B|0|100|80|5|10|1|4|200|500||Cotejada
"'302301C0100'"|30|VERACRUZ|109|MINATITLÁN|2301|1|C|0|90|-|4|9|0|3|106|500|Acta ilegible en parte|Cotejada
"'302301C0100'"|30|VERACRUZ|109|MINATITLÁN|2301|1|C|0|90|-|4|9|0|3|106|500|Acta ilegible en parte|Cotejada
"'302302E0102'"|30|VERACRUZ|109|MINATITLÁN|2302|1|E|2|Ilegible|Sin dato|1|2|0|0|3|1,250||Cotejada
"'302302B0100'"|30|VERACRUZ|109|MINATITLÁN|2302|1|B|0|7x|1|1|2|0|0|11|600||Cotejada
"'300000M0100'"|30|VERACRUZ|0|VOTO EN EL EXTRANJERO|0|1|M|0|5|5|0|0|0|0|10|||Cotejada
"""

WEEKLY = """\
LISTA NOMINAL,,,,,,,,,,
CORTE INVENTADO,,,,,,,,,,
CLAVE ENTIDAD,CLAVE DISTRITO,CLAVE MUNICIPIO,SECCION,PADRON ELECTORAL NACIONAL,,,LISTA NOMINAL DE ELECTORES NACIONAL,,,
,,,,HOMBRES,MUJERES,NO BINARIO,HOMBRES,MUJERES,NO BINARIO,TOTAL LISTA NOMINAL
30,14,109,2301,"1,010","1,020",2,"1,000","1,005",1,"2,006"
30,14,109,2302,500,600,0,490,595,0,"1,085"
0,0,0,EXT,5,5,0,5,5,0,10
30,14,109,2303,1,1,0,1,1,0,7
TOTALES,,,,"1,515","1,625",2,"1,495","1,605",1,"3,101"
"""
