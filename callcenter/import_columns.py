"""Which column of a list is what: known by name, confirmed by a person, and the ones that may not be kept."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter.base.errors import InvalidInput
from callcenter.file_faults import N_, UnreadableFileError

# What a column can be, and its name on the mapping page. Several columns may be phones.
FIELDS: dict[str, LazyString] = {
    "mobile": _l("Mobile phone"),
    "phone": _l("Phone"),
    "landline": _l("Home phone"),
    "name": _l("Given names or full name"),
    "surname": _l("First surname"),
    "second_surname": _l("Second surname"),
    "sex": _l("Sex"),
    "age": _l("Age"),
    "birth_date": _l("Date of birth (only the age is kept)"),
    "neighborhood": _l("Neighbourhood"),
    "municipality": _l("Municipality"),
    "state": _l("State (number)"),
    "section": _l("Section"),
    "promoter": _l("Promoter"),
    "consent": _l("Accepts the privacy notice"),
    "folio": _l("Folio of the paper form"),
}
PHONES = ("mobile", "phone", "landline")
_NAMES = {
    "mobile": "celular cel movil tel_celular telefono_celular tel_cel num_celular numero_celular telefono_movil"
    " whatsapp whats wa mobile cellphone celular_1 celular_2",
    "phone": "telefono tel telefonos telefono_1 telefono_2 tel_1 tel_2 tel1 tel2 telefono1 telefono2 numero_telefonico"
    " num_tel numero_de_telefono telefono_contacto phone phone_number contacto_telefonico",
    "landline": "tel_casa telefono_casa telefono_fijo tel_fijo fijo casa telefono_particular tel_particular landline",
    "name": "nombre nombres nombre_s nombre_completo nombre_y_apellidos name full_name ciudadano nombre_del_ciudadano",
    "surname": "ap_paterno apellido_paterno paterno apellido primer_apellido apellidos apaterno a_paterno surname"
    " last_name",
    "second_surname": "ap_materno apellido_materno materno segundo_apellido amaterno a_materno",
    "sex": "sexo genero sex gender",
    "age": "edad age anos",
    "birth_date": "fecha_nac fecha_nacimiento fecha_de_nacimiento nacimiento f_nac birth_date",
    "neighborhood": "colonia col localidad barrio colonia_o_localidad neighborhood",
    "municipality": "municipio mpio municipality alcaldia",
    "state": "entidad cve_entidad estado_num state",
    "section": "seccion secc sec seccion_electoral section",
    "promoter": "promotor promotora promovido_por promoter responsable",
    "consent": "acepta_aviso acepta_el_aviso aviso_privacidad aviso_de_privacidad acepta consentimiento consent",
    "folio": "folio no_folio num_folio folio_formato",
}
_FIELD_OF = {name: field for field, names in _NAMES.items() for name in names.split()}
# Never held, whatever the file calls them: keys of the card, lists of the electoral register, protected traits.
_SENSITIVE = re.compile(
    r"(?:^|_)(?:clave_?(?:de_)?(?:el|elector|ine|ife)|cve_?(?:de_)?elector\w*|curp|rfc|ocr|cic|idmex|ine|ife"
    r"|folio_(?:nominal|lista|ine|credencial)|num(?:ero)?_(?:de_)?(?:credencial|emision)|credencial\w*|religion"
    r"|etnia|grupo_etnico|lengua_indigena|salud|enfermedad\w*|discapacidad\w*|voto|voto_por|partido|militancia"
    r"|programa_social|programas?|beneficiari[oa]\w*|apoyos?|orientacion_sexual|huella\w*)(?:_|$)"
)
_CURP = re.compile(r"[A-ZÑ]{4}\d{6}[HMX][A-ZÑ]{5}[A-Z0-9]\d\Z", re.IGNORECASE)
_CLAVE = re.compile(r"[A-ZÑ]{6}\d{8}[HM]\d{3}\Z", re.IGNORECASE)
_SHAPE_SHARE = 0.2


@dataclass(frozen=True)
class Header:
    """The row of column names: its number in the file, the names as spelled there."""

    row: int
    names: tuple[str, ...]


def column_key(name: str) -> str:
    """`Tel. Célular ` → `tel_celular`."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9]+", "_", "".join(c for c in plain if not unicodedata.combining(c))).strip("_")


def known_names(cells: Sequence[str]) -> int:
    """How many different fields (and columns to drop) a row of names would give; a phone weighs most."""
    keys = {column_key(cell) for cell in cells if cell and len(cell) < 60}
    fields = {_FIELD_OF[key] for key in keys if key in _FIELD_OF}
    has_phone = any(field in PHONES for field in fields)
    return len(fields) + any(_SENSITIVE.search(key) for key in keys) + 2 * has_phone


def find_header(rows: Iterable[tuple[int, list[str]]]) -> Header:
    """The row that holds the most known names. Raises InvalidInput when no row holds two of them."""
    best, most = None, 1
    for number, cells in rows:
        if known_names(cells) > most:
            best, most = Header(number, tuple(cell.strip() for cell in cells)), known_names(cells)
    if best is None:
        raise UnreadableFileError(
            N_("No row with column names was found in the first rows. Name the columns: NOMBRE, CELULAR, SECCION…")
        )
    return best


def guess(header: Header) -> dict[int, str]:
    """Column number → field, for columns whose names are known; of two for one field (but phones) the first."""
    chosen: dict[int, str] = {}
    for at, name in enumerate(header.names):
        field = _FIELD_OF.get(column_key(name))
        if field and not is_sensitive_name(name) and (field in PHONES or field not in chosen.values()):
            chosen[at] = field
    return chosen


def check_mapping(mapping: dict[int, str], dropped: Iterable[int]) -> None:
    """Raises InvalidInput when a list could not be imported so."""
    unknown = sorted(set(mapping.values()) - set(FIELDS))
    if unknown:
        raise InvalidInput(_("There is no field %(field)s.", field=", ".join(unknown)))
    if set(mapping) & set(dropped):
        raise InvalidInput(_("A column of keys of the voter card is never kept, as whatever it is mapped."))
    if not any(field in PHONES for field in mapping.values()):
        raise UnreadableFileError(
            N_("No column holds phones. Name one CELULAR or TELEFONO, or choose it on the mapping page.")
        )
    for field in FIELDS.keys() - set(PHONES):
        if list(mapping.values()).count(field) > 1:
            raise InvalidInput(_("Two columns were chosen as «%(field)s»; only one can be.", field=FIELDS[field]))


def is_sensitive_name(name: str) -> bool:
    return _SENSITIVE.search(column_key(name)) is not None


def is_sensitive_value(cell: str) -> bool:
    """Has the cell the shape of a CURP or a clave de elector?"""
    compact = cell.strip()
    return len(compact) == 18 and (_CURP.match(compact) is not None or _CLAVE.match(compact) is not None)


def sensitive_columns(header: Header, sample: Sequence[Sequence[str]]) -> list[int]:
    """Columns that may not be kept: by their name, or because a fifth of the sample's cells have such a shape."""
    found = []
    for at, name in enumerate(header.names):
        cells = [row[at] for row in sample if at < len(row) and row[at].strip()]
        shaped = sum(map(is_sensitive_value, cells))
        if is_sensitive_name(name) or (shaped and shaped >= _SHAPE_SHARE * len(cells)):
            found.append(at)
    return found
