"""Outlines of the territory: GeoJSON, and shapefiles in a ZIP, made plain polygons in EPSG:4326 and light enough.

Rings are closed where the file left them open; neighbours are simplified together, so that they go on touching.
"""

import codecs
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from callcenter.places.territory_rows import Fault, Record, Row, Skipped, read_row
from callcenter.places.territory_tables import columns_of
from callcenter.tables.file_faults import N_, UnreadableFileError

Ring = Sequence[Sequence[float]]
MAX_GEOJSON_BYTES = 200_000_000
MAX_MEMBER_BYTES = 400_000_000  # unpacked, of the one layer that is read: .shp and .dbf each
MAX_RATIO = 100  # outlines pack two to five times, tables twenty; a bomb a thousand times
# Degrees; the square root of the area of a corner that may go. 0.0001° is some eleven metres.
TOLERANCES = {"sections": 0.0001, "municipalities": 0.0008, "districts": 0.001}
PREFERRED = ("seccion", "distrito", "municipio")  # of several layers in one ZIP, if nobody says which
_MEXICO = (-120.0, 12.0, -84.0, 34.0)
# What a library says of bytes that are no shapefile; each of them has been seen.
_BROKEN = (ValueError, OSError, LookupError, struct.error, TypeError, OverflowError, AssertionError, MemoryError)
_DIGITS = 5  # of a degree: about a metre
_FAR = 1000.0  # degrees that are nowhere on earth
# A definition in PROJ's own words may name a file of this computer to read: only names and WKT are taken.
_CRS = re.compile(r"(?:urn:ogc:def:crs:)?EPSG:[\d.]*:?\d{1,6}|[A-Z][A-Za-z_]+\s*\[[^\0]*", re.ASCII)


@dataclass(frozen=True)
class ShapeLayout:
    """A layer that was recognised. `names`: of its attributes; `source`: which layer, and in which coordinates."""

    kind: str
    names: tuple[str, ...]
    columns: dict[str, int]
    source: str
    options: dict[str, int]
    features: Callable[[], Iterator[tuple[list[str], list[Ring]]]]

    def records(self) -> Iterator[Record | Fault | Skipped]:
        """Every feature as a row whose record has a `geometry`; simplified state by state."""
        read = (self._read(number, *feature) for number, feature in enumerate(self.features(), start=1))
        for _state, group in groupby(read, key=_state_of):
            yield from _simplified(list(group), TOLERANCES[self.kind])

    def _read(self, number: int, cells: list[str], rings: list[Ring]) -> tuple[Record | Fault | Skipped, Any]:
        row = read_row(self.kind, number, Row(self.columns, {}, cells))
        if not isinstance(row, Record):
            return row, None
        try:
            return row, _polygon(rings)
        except ValueError:
            return Fault(
                number, N_("The outline is empty or lies outside Mexico. Check the layer's coordinates.")
            ), None


def read_geojson(path: Path) -> ShapeLayout:
    """A GeoJSON of sections, municipalities or districts. Raises UnreadableFileError."""
    if path.stat().st_size > MAX_GEOJSON_BYTES:
        raise UnreadableFileError(
            N_("The GeoJSON file is larger than 200 MB; simplify its outlines, or send a shapefile.")
        )
    try:
        told = json.loads(path.read_bytes().removeprefix(codecs.BOM_UTF8))
        features = [one for one in told["features"] if one]
        names = list(dict.fromkeys(name for one in features for name, _said in (one.get("properties") or {}).items()))
        crs = _plain(str(((told.get("crs") or {}).get("properties") or {}).get("name") or ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableFileError(N_("This is no GeoJSON file: it holds no collection of features.")) from error
    kind, columns = _outlined(names, is_cut=True)
    move = _mover(crs) if crs and "CRS84" not in crs and "4326" not in crs else None

    def read() -> Iterator[tuple[list[str], list[Ring]]]:
        for one in features:
            properties = one.get("properties") or {}
            yield [_text(properties.get(name)) for name in names], _moved(_json_rings(one.get("geometry")), move)

    return ShapeLayout(kind, tuple(map(_plain, names)), columns, crs or "EPSG:4326", {}, read)


def has_layer(path: Path) -> bool:
    """Is this the ZIP of a shapefile, rather than a workbook or a table that was packed?"""
    with _archive(path) as archive:
        return any(name.casefold().endswith((".shp", ".dbf", ".prj")) for name in archive.namelist())


def read_shapefile(path: Path, layer: str = "") -> ShapeLayout:
    """A layer of a ZIP of .shp, .dbf, .prj and .cpg. Raises UnreadableFileError; a ZIP bomb is refused unread."""
    import shapefile

    with _archive(path) as archive:
        members = {Path(info.filename).name.casefold(): info for info in archive.infolist() if not info.is_dir()}
        stem = _layer(members, layer)
        shp, dbf = (_member(archive, members[f"{stem}{ending}"]) for ending in (".shp", ".dbf"))
        prj, cpg = (_small(archive, members.get(f"{stem}{ending}")) for ending in (".prj", ".cpg"))
    if int.from_bytes(shp[24:28]) * 2 > len(shp):  # the size that the header says, in words of two bytes
        raise _damaged()
    move = _mover(prj) if prj else None
    try:
        reader = shapefile.Reader(shp=io.BytesIO(shp), dbf=io.BytesIO(dbf), encoding=_dbf_encoding(dbf, cpg))
        names = [str(one[0]) for one in reader.fields if one[0] != "DeletionFlag"]
    except (*_BROKEN, shapefile.ShapefileException, Warning) as error:
        raise _damaged() from error
    kind, columns = _outlined(names, is_cut=True)

    def read() -> Iterator[tuple[list[str], list[Ring]]]:
        try:
            for one in reader.iterShapeRecords():
                cuts = [*getattr(one.shape, "parts", []), len(one.shape.points)]
                rings = [one.shape.points[start:end] for start, end in pairwise(cuts)]
                yield [_text(value) for value in one.record], _moved(rings, move)
        except (*_BROKEN, shapefile.ShapefileException, Warning) as error:
            raise _damaged() from error

    system = prj.split("[", 1)[1].split(",")[0] if "[" in prj else "?"
    return ShapeLayout(kind, tuple(names), columns, f"{stem}, {system}", {}, read)


def _outlined(names: Sequence[str], *, is_cut: bool) -> tuple[str, dict[str, int]]:
    """A layer with sections is one of sections, whatever it counts besides."""
    kind, columns = columns_of(names, is_cut=is_cut)
    return ("sections" if "number" in columns else kind), columns


# ── outlines ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _polygon(rings: Sequence[Ring]) -> Any:
    """One geometry of all rings: a ring inside another is a hole (even-odd). Raises ValueError when nothing is left."""
    import shapely

    if not all(abs(number) < _FAR for ring in rings for point in ring for number in point[:2]):
        raise ValueError("no place")  # not a number, or endless: no library reckons with these
    made = []
    for ring in rings:
        points = [(float(point[0]), float(point[1])) for point in ring]
        if points and points[0] != points[-1]:
            points.append(points[0])
        if len(set(points)) >= 3:
            one = shapely.Polygon(points)
            made.append(one if one.is_valid else shapely.buffer(one, 0))
    whole = reduce(shapely.symmetric_difference, made) if made else shapely.Polygon()
    west, south, east, north = whole.bounds if not whole.is_empty else (0.0, 0.0, 0.0, 0.0)
    if not (_MEXICO[0] <= west <= east <= _MEXICO[2] and _MEXICO[1] <= south <= north <= _MEXICO[3]):
        raise ValueError("outside")
    return whole


def _simplified(group: list[tuple[Any, Any]], tolerance: float) -> Iterator[Record | Fault | Skipped]:
    import shapely

    outlines = [outline for _row, outline in group if outline is not None]
    simple = iter(shapely.coverage_simplify(outlines, tolerance) if outlines else [])
    for row, outline in group:
        if outline is None:
            yield row
            continue
        lighter = next(simple)
        yield Record(row.row, {**row.said, "geometry": _geometry(lighter if not lighter.is_empty else outline)})


def _geometry(outline: Any) -> dict[str, Any]:
    """Polygon or MultiPolygon, its corners rounded alike on both sides of a border."""
    polygons = [one for one in getattr(outline, "geoms", [outline]) if one.geom_type == "Polygon"]
    coordinates = [
        [[[round(x, _DIGITS), round(y, _DIGITS)] for x, y in ring.coords] for ring in (one.exterior, *one.interiors)]
        for one in polygons
    ]
    if len(coordinates) == 1:
        return {"type": "Polygon", "coordinates": coordinates[0]}
    return {"type": "MultiPolygon", "coordinates": coordinates}


def _json_rings(geometry: Any) -> list[Ring]:
    """The rings of a polygon or of several; none where it is malformed, which then is the fault of its row."""
    try:
        polygons = {"Polygon": lambda it: [it], "MultiPolygon": list}[geometry["type"]](geometry["coordinates"])
        return [[(float(point[0]), float(point[1])) for point in ring] for polygon in polygons for ring in polygon]
    except (KeyError, TypeError, ValueError, IndexError):
        return []


def _mover(crs: str) -> Any:
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    unknown = N_("The coordinate system (.prj) is none we know. Export the layer in EPSG:4326.")
    if not _CRS.fullmatch(crs):
        raise UnreadableFileError(unknown)
    try:
        return Transformer.from_crs(CRS.from_user_input(crs), "EPSG:4326", always_xy=True)
    except ProjError as error:
        raise UnreadableFileError(unknown) from error


def _moved(rings: list[Ring], move: Any) -> list[Ring]:
    if move is None or not rings:
        return rings
    found: list[Ring] = []
    for ring in rings:
        if ring:
            xs, ys = move.transform([point[0] for point in ring], [point[1] for point in ring])
            found.append(list(zip(xs, ys, strict=True)))
    return found


# ── the archive ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise _damaged() from error


def _layer(members: dict[str, zipfile.ZipInfo], wanted: str) -> str:
    stems = sorted(name[:-4] for name in members if name.endswith(".shp") and f"{name[:-4]}.dbf" in members)
    if not stems:
        raise UnreadableFileError(N_("The ZIP holds no layer: a .shp with its .dbf, and better with .prj and .cpg."))
    if wanted and wanted.casefold() not in stems:
        raise UnreadableFileError(
            N_("The ZIP holds no layer %(layer)s; it holds %(layers)s."), layer=wanted, layers=", ".join(stems)
        )
    liked = [stem for word in PREFERRED for stem in stems if word in stem]
    return wanted.casefold() or (liked or stems)[0]


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member, no more of it than a layer can have: what it declares is not believed."""
    if info.file_size > MAX_MEMBER_BYTES or info.file_size > max(info.compress_size, 10_000) * MAX_RATIO:
        raise _too_large()
    try:
        with archive.open(info) as stream:
            content = stream.read(MAX_MEMBER_BYTES + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise _damaged() from error
    if len(content) > MAX_MEMBER_BYTES:
        raise _too_large()
    return content


def _small(archive: zipfile.ZipFile, info: zipfile.ZipInfo | None) -> str:
    if info is None or info.file_size > 100_000:
        return ""
    return _member(archive, info).decode("latin-1").strip()


def _dbf_encoding(dbf: bytes, cpg: str) -> str:
    """What the .cpg says; without it UTF-8 when every record is, else Windows-1252."""
    said = cpg.casefold().replace("ansi", "").strip()
    if said.isdigit():
        said = "utf-8" if said == "65001" else f"cp{said}"
    try:
        if said:
            return codecs.lookup(said).name
    except LookupError:
        pass
    try:
        dbf[int.from_bytes(dbf[8:10], "little") :].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else _plain(str(value)).strip()


def _plain(text: str) -> str:
    """Without what a database cannot keep: zero bytes, and halves of letters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _state_of(read: tuple[Record | Fault | Skipped, Any]) -> int | None:
    return read[0].said["state"] if isinstance(read[0], Record) else None


def _damaged() -> UnreadableFileError:
    return UnreadableFileError(N_("The shapefile is damaged or incomplete. Download or export it again."))


def _too_large() -> UnreadableFileError:
    return UnreadableFileError(N_("The ZIP unpacks into more than we accept. Send one layer of one state."))
