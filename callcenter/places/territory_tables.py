"""Tables of the territory as they come: our own layout and the public ones, known by the names of their columns. Pure.

A row becomes a record, is left out by rule (totals, voters abroad), or is a fault that says where, what and what to do.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from callcenter.lists.import_columns import column_key
from callcenter.places.territory_rows import UNKNOWN, Fault, Record, Row, Skipped, read_row
from callcenter.tables.file_faults import N_, UnreadableFileError
from callcenter.tables.table_files import TableFile, open_table

HEAD_ROWS = 50  # among which the column names are looked for
DBF_NAME = 10  # characters that a column's name may have in a DBF file
LAYOUTS = ("sections", "municipalities", "districts", "nominal_list", "results")
# What a column can be → the names public files give it, the surest first.
NAMES: dict[str, tuple[str, ...]] = {
    "state": ("id_entidad", "clave_entidad", "cve_entidad", "id_estado", "cve_ent", "entidad", "edo", "estado"),
    "municipality_code": ("id_municipio", "clave_municipio", "cve_municipio", "municipio", "cve_mun", "mun"),
    "inegi_code": ("clave_inegi", "cve_inegi", "id_municipio_inegi", "municipio_inegi", "inegi", "mun_inegi"),
    "municipality": ("nombre_municipio", "nombre_de_municipio", "nom_mun", "municipio_nombre", "nombre", "nomgeo"),
    "number": ("seccion", "id_seccion", "clave_seccion", "cve_seccion", "secc"),
    "federal_district": ("id_distrito_federal", "distrito_federal", "distrito_f", "clave_distrito",
                         "clave_distrito_federal", "id_distrito", "distrito_fed", "distrito"),
    "local_district": ("id_distrito_local", "distrito_local", "distrito_l", "clave_distrito_local", "distrito_loc"),
    "district_name": ("nombre_distrito", "cabecera", "cabecera_distrital", "cabecera_distrital_federal",
                      "cabecera_distrital_local", "nombre_cabecera"),
    "kind": ("tipo_seccion", "tipo_de_seccion", "tipo"),
    "stations": ("casillas", "num_casillas"),
    "past_turnout": ("participacion_2017", "participacion"),
    "station_kind": ("tipo_casilla", "casilla", "clave_casilla"),
    "station_number": ("id_casilla", "num_casilla", "numero_casilla"),
    "contiguous": ("ext_contigua",),
    "nominal_list": ("lista_nominal_casilla", "lista_nominal", "ln"),
    "nulls": ("nulos", "vn", "num_votos_nulos", "votos_nulos"),
    "unregistered": ("no_registradas", "no_registrados", "cnr", "num_votos_can_nreg"),
    "total": ("total_votos_calculados", "total_votos_calculado", "total_votos", "total_votos_asentado"),
    "remarks": ("observaciones",),
}  # fmt: skip
# Columns of results that are neither a key nor an option to vote for.
_NO_OPTION = re.compile(
    r"(?:^|_)(?:clave|cve|id|nombre|num|numero|estatus|ruta|acta|actas|ubicacion|fecha|hora|tipo|cabecera|entidad|estado"
    r"|municipio|distrito|seccion|casilla|observacion\w*|lista|nominal|total|ln|tepjf|mecanismo|circunscripcion"
    r"|contabilizada|sha|origen|mecanismos?|traslado|codigo|orden|documento|integracion|capturada?|digitalizacion|sobrantes|boletas|personas|representantes|sacadas|participacion|mr|rp|porcentaje)"
    r"(?:_|$)"
)


@dataclass(frozen=True)
class Layout:
    """A table that was recognised. `columns`: what each role's column is (its place); `names`: as spelled there;
    `options`: of results, the columns of votes."""

    kind: str
    table: TableFile
    first_row: int
    names: tuple[str, ...]
    columns: dict[str, int]
    options: dict[str, int]

    def records(self) -> Iterator[Record | Fault | Skipped]:
        """Every row below the header. Raises UnreadableFileError where the file itself breaks off."""
        for number, cells in self.table.rows():
            if number > self.first_row:
                yield read_row(self.kind, number, Row(self.columns, self.options, [cell.strip() for cell in cells]))


def recognise(path: Path) -> Layout:
    """Find out which table of the territory `path` holds. Raises UnreadableFileError when it is none we know."""
    table = open_table(path, _known)
    head = list(islice(table.rows(), HEAD_ROWS))
    at = max(range(len(head)), key=lambda index: _known(head[index][1]))
    names, last = _whole_names(head, at)
    kind, columns = columns_of(names)
    keys = [column_key(name) for name in names]
    options = _options(keys, names, columns, [cells for _row, cells in head[last + 1 :]]) if kind == "results" else {}
    if kind == "results" and not options:
        raise UnreadableFileError(N_("The results have no column of votes for anybody."))
    return Layout(kind, table, head[last][0], tuple(names), columns, options)


def columns_of(names: Sequence[str], *, is_cut: bool = False) -> tuple[str, dict[str, int]]:
    """The kind of a table with these column names, and which column plays which role. Raises UnreadableFileError.

    `is_cut`: a name of ten characters may be the beginning of one (DBF files cut them)."""
    keys = [_uncut(column_key(name)) if is_cut else column_key(name) for name in names]
    columns = {role: keys.index(name) for role, options in NAMES.items() if (name := _first(options, keys))}
    columns |= _list_columns(keys)
    kind = _kind(columns)
    if "state" not in columns:
        raise UnreadableFileError(
            N_("The file lacks the column of the state (ENTIDAD), by which sections are told apart.")
        )
    return kind, columns


def _uncut(key: str) -> str:
    """`distrito_l` stands for itself; `nombre_mun` for nombre_municipio."""
    known = [name for options in NAMES.values() for name in options]
    if len(key) != DBF_NAME or key in known:
        return key
    return next((name for name in known if name.startswith(key)), key)


def _known(cells: Sequence[str]) -> int:
    keys = {column_key(cell) for cell in cells if cell and len(cell) < 80}
    return sum(bool(keys.intersection(names)) for names in NAMES.values())


def _first(names: Sequence[str], keys: Sequence[str]) -> str | None:
    return next((name for name in names if name in keys), None)


def _whole_names(head: list[tuple[int, list[str]]], at: int) -> tuple[list[str], int]:
    """The header's names, with the group that a merged cell above or beside gives them; and its last row."""
    own = head[at][1]
    below = head[at + 1][1] if at + 1 < len(head) else []
    above = head[at - 1][1] if at else []
    if _is_sexes(below) and not any(cell.strip().isdigit() for cell in below):
        return _grouped(below, own), at + 1
    return (_grouped(own, above) if _is_sexes(own) and _has_group(above) else list(own)), at


def _grouped(names: Sequence[str], groups: Sequence[str]) -> list[str]:
    """A merged cell stands over its first column only; what follows it without a name of its own belongs to it."""
    found, group = [], ""
    for at in range(max(len(names), len(groups))):
        name = names[at].strip() if at < len(names) else ""
        over = groups[at].strip() if at < len(groups) else ""
        group = over or group
        is_of_group = _has_group([group]) and column_key(name) in ("", "hombres", "mujeres", "no_binario", "total")
        found.append(f"{group} {name}".strip() if is_of_group else name or over)
    return found


def _is_sexes(cells: Sequence[str]) -> bool:
    return {"hombres", "mujeres"} <= {column_key(cell) for cell in cells}


def _has_group(cells: Sequence[str]) -> bool:
    return any(re.search(r"lista|padron", column_key(cell)) for cell in cells)


def _list_columns(keys: Sequence[str]) -> dict[str, int]:
    """The nominal list's columns by sex; those of the electoral roll (padrón) are another count, and left."""
    found: dict[str, int] = {}
    for at, key in enumerate(keys):
        if "padron" in key:
            continue
        for role, word in (("men", "hombres"), ("women", "mujeres"), ("non_binary", "no_binario")):
            if word in key and (role not in found or "lista" in key):
                found[role] = at
        if re.fullmatch(r"(?:total_)?(?:de_)?lista_nominal\w*", key) and not re.search(
            r"hombres|mujeres|binario|casilla", key
        ):
            found["nominal_list"] = at
    return found


def _kind(columns: dict[str, int]) -> str:
    has = columns.keys()
    if "number" in has and has & {"nulls", "unregistered", "total"}:
        return "results"
    if "number" in has and "kind" not in has and has & {"men", "women", "nominal_list"}:
        return "nominal_list"
    if "number" in has:
        return "sections"
    if has & {"federal_district", "local_district"} and "municipality_code" not in has:
        return "districts"
    if "municipality_code" in has:
        return "municipalities"
    raise UnreadableFileError(
        N_(
            "This is no file of the territory that we know: no row names ENTIDAD with SECCION, MUNICIPIO or DISTRITO."
            " docs/territory.md lists the layouts."
        )
    )


def _options(
    keys: Sequence[str], names: Sequence[str], columns: dict[str, int], sample: list[list[str]]
) -> dict[str, int]:
    """The columns of votes: parties, every combination of a coalition, independents; as they stand in the file.

    What is no key by its name must look like votes, too: most of its cells in the first rows are numbers."""
    free = {at: key for at, key in enumerate(keys) if key and at not in columns.values()}
    return {names[at].strip(): at for at, key in free.items() if not _NO_OPTION.search(key) and _is_votes(at, sample)}


def _is_votes(at: int, sample: list[list[str]]) -> bool:
    cells = [row[at].strip() for row in sample if at < len(row)]
    said = [cell for cell in cells if cell.casefold() not in UNKNOWN]
    return sum(cell.replace(",", "").isdigit() for cell in said) * 2 >= len(said)
