"""Which column of a list is what: known by name, confirmed by a person, and the ones that may not be kept."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter.base.errors import InvalidInput
from callcenter.lists.voter_keys import KEY_WORD, is_column_of_keys, is_sensitive_value, without_keys
from callcenter.tables.file_faults import N_, UnreadableFileError

__all__ = (
    "FIELDS", "KEY_WORD", "PHONES", "Header", "check_mapping", "column_key", "find_header", "guess",
    "is_sensitive_name", "is_sensitive_value", "known_names", "sensitive_columns", "without_keys",
)  # fmt: skip

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
    "organization": _l("Organisation or sector"),
    "is_member": _l("Member of our organisation (yes or no)"),
    "holds_post": _l("Holds a post on election day (yes or no)"),
    "folio_compromiso": _l("Folio of the signed pledge"),
    "fecha_compromiso": _l("Date of the signed pledge"),
    "consent": _l("Accepts the privacy notice"),
    "do_not_contact": _l("Must not be contacted (yes or no)"),
    "folio": _l("Folio of the paper form"),
}
PHONES = ("mobile", "phone", "landline")
ATTRIBUTE = "attr:"  # a mapping's entry for a custom attribute: attr:<key>
_NAMES = {
    "mobile": "celular cel movil tel_celular telefono_celular tel_cel num_celular numero_celular telefono_movil"
    " whatsapp whats wa mobile cellphone cell celular_1 celular_2 celular1 celular2 num_cel no_celular no_cel"
    " numero_de_celular cel_1 cel_2 tel_movil movil_1 movil_2 mobile_phone numero_movil celular_whatsapp"
    " whatsapp_celular numero_whatsapp numero_de_whatsapp",
    "phone": "telefono tel telefonos telefono_1 telefono_2 tel_1 tel_2 tel1 tel2 telefono1 telefono2 numero_telefonico"
    " num_tel numero_de_telefono telefono_contacto phone phone_number contacto_telefonico no_telefono num_telefono"
    " telefono_de_contacto telefono_3 tel_3 tel3 telephone fono telf telef numero_tel otro_telefono telefono_adicional"
    " telefono_alterno lada_telefono",
    "landline": "tel_casa telefono_casa telefono_fijo tel_fijo fijo casa telefono_particular tel_particular landline"
    " telefono_de_casa tel_de_casa numero_fijo home_phone telefono_domicilio",
    "name": "nombre nombres nombre_s nombre_completo nombre_y_apellidos name full_name ciudadano nombre_del_ciudadano"
    " nombre_de_pila nombre_persona nombre_de_la_persona persona nombre_ciudadano nombre_promovido nombre_simpatizante"
    " nombres_y_apellidos nombre_contacto first_name given_names given_name primer_nombre",
    "surname": "ap_paterno apellido_paterno paterno apellido primer_apellido apellidos apaterno a_paterno surname"
    " last_name apellido_p appaterno ape_paterno apellido1 apellido_1 apell_paterno",
    "second_surname": "ap_materno apellido_materno materno segundo_apellido amaterno a_materno apellido_m apmaterno"
    " ape_materno apellido2 apellido_2 apell_materno second_surname",
    "sex": "sexo genero sex gender sexo_h_m sexo_hm",
    "age": "edad age anos edad_anos edad_en_anos edad_cumplida anos_cumplidos",
    "birth_date": "fecha_nac fecha_nacimiento fecha_de_nacimiento nacimiento f_nac birth_date fec_nac fec_nacimiento"
    " fecha_nacim fnac f_nacimiento birthdate date_of_birth fecha_de_nac",
    "neighborhood": "colonia col localidad barrio colonia_o_localidad neighborhood colonia_localidad asentamiento"
    " fraccionamiento nombre_colonia nombre_de_la_colonia poblacion",
    "municipality": "municipio mpio municipality alcaldia nombre_municipio municipio_alcaldia mun nom_mun",
    "state": "entidad cve_entidad estado_num state clave_entidad cve_ent entidad_federativa",
    "section": "seccion secc sec seccion_electoral section num_seccion no_seccion numero_seccion numero_de_seccion"
    " seccion_ine seccion_num cve_seccion clave_seccion",
    "promoter": "promotor promotora promovido_por promoter responsable nombre_promotor nombre_del_promotor"
    " promotor_a promotor_responsable invitado_por referido_por",
    "organization": "organizacion sector organizacion_o_sector organization nombre_organizacion agrupacion colectivo"
    " nombre_de_la_organizacion",
    "is_member": "miembro es_miembro member is_member integrante es_integrante afiliado_organizacion"
    " miembro_de_la_organizacion miembro_organizacion",
    "holds_post": "tiene_cargo cargo_estructura holds_post cargo_en_estructura tiene_cargo_estructura",
    "folio_compromiso": "folio_compromiso folio_promocion folio_formato_compromiso folio_promovido form_id"
    " folio_de_compromiso folio_del_compromiso",
    "fecha_compromiso": "fecha_compromiso fecha_firma fecha_promocion signed_on fecha_de_compromiso fecha_de_firma",
    "do_not_contact": "no_llamar no_volver_a_llamar no_contactar no_volver_a_contactar no_molestar no_contacto baja"
    " solicito_baja pidio_baja no_llamar_mas no_desea_llamadas do_not_call do_not_contact",
    "consent": "acepta_aviso acepta_el_aviso aviso_privacidad aviso_de_privacidad acepta consentimiento consent"
    " acepta_aviso_privacidad acepta_aviso_de_privacidad acepta_el_aviso_de_privacidad privacy_notice acepto_aviso"
    " consentimiento_aviso acepta_privacidad autoriza_contacto acepta_contacto",
    "folio": "folio no_folio num_folio folio_formato numero_de_folio",
}
_FIELD_OF = {name: field for field, names in _NAMES.items() for name in names.split()}
# Never held, whatever the file calls them: keys of the card, lists of the electoral register, protected traits, where
# a person's home lies.
_SENSITIVE = re.compile(
    r"(?:^|_)(?:clave_?(?:de_)?(?:la_)?(?:el|elect\w*|ine|ife|votante)|cve_?(?:de_)?elec\w*|clavelector|curp\w*|rfc"
    r"|ocr|cic|idmex|ine|ife|folio_(?:nominal|lista|ine|credencial)|num(?:ero)?_(?:de_)?(?:credencial|emision)"
    r"|credencial\w*|religi\w*|etnia|etnic\w*|grupo_etnico|lengua_indigena|indigena|salud|enferm\w*|discapaci\w*"
    r"|vot[aoe]|voto_por|votara|intencion_(?:de_)?voto|partidos?|partidista|militan\w*|ideolog\w*|simpatia\w*"
    r"|preferencia_(?:politica|electoral|partid\w*|sexual)|programa_social|programas?|programa_\w*social"
    r"|beneficiari[oa]\w*|apoyos?|becas?|becari[oa]|pension\w*|orientacion_sexual|huella\w*|foto_?(?:ine|credencial)"
    r"|lat|latitud|latitude|lon|lng|longitud|longitude|coordenadas?|gps|georreferencia|ubicacion_gps)(?:_|$)"
)
# A column whose name has such a word is somebody else's: TEL_PROMOTOR is not the person's phone.
_OTHER_WORDS = (
    "promotor promotora coordinador coordinadora coord capturista captura lider lideresa enlace responsable jefe jefa"
    " brigadista emergencia referencia referido conyuge esposo esposa familiar madre padre tutor supervisor oficina"
    " invita invito"
)
_OTHERS = frozenset(_OTHER_WORDS.split())
_WORDS = {
    "mobile": {"cel", "celular", "movil", "mobile", "cellphone", "whatsapp", "whats", "wa"},
    "phone": {"tel", "telefono", "telefonos", "phone", "telefonico"},
    "section": {"seccion", "secc"},
}
# «seccion_ine» says where the section comes from, not what the card says.
_NOT_SENSITIVE = frozenset(("seccion_ine",))


@dataclass(frozen=True)
class Header:
    """The row of column names: its number in the file, its names, no two of them equal, and the cells as `spelled`."""

    row: int
    names: tuple[str, ...]
    spelled: tuple[str, ...] = ()


def column_key(name: str) -> str:
    """`Tel. Célular ` → `tel_celular`."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9]+", "_", "".join(c for c in plain if not unicodedata.combining(c))).strip("_")


def known_names(cells: Sequence[str]) -> int:
    """How many different fields (and columns to drop) a row of names would give; a phone weighs most."""
    keys = {column_key(cell) for cell in cells if cell and len(cell) < 60}
    fields = {_FIELD_OF[key] for key in keys if key in _FIELD_OF}
    has_phone = any(field in PHONES for field in fields)
    return len(fields) + any(map(is_sensitive_name, keys)) + 2 * has_phone


def find_header(rows: Iterable[tuple[int, list[str]]]) -> Header | None:
    """The row that holds the most known names, the first of equals; None when no row holds two of them.

    A note (`* CELULAR es obligatorio`) stands above the names and is none of them."""
    best: tuple[int, list[str]] | None = None
    most = 1
    for number, cells in rows:
        if not is_note(cells) and known_names(cells) > most:
            best, most = (number, cells), known_names(cells)
    return header_of(*best) if best else None


def is_note(cells: Sequence[str]) -> bool:
    """Is it a line led by `*`? A row all of whose names have one marks columns that must be filled, and is none."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and filled[0].startswith("*") and not (len(filled) > 1 and all(c[0] == "*" for c in filled))


def header_of(number: int, cells: Sequence[str]) -> Header:
    """The header that these cells are: a name that comes again is «CELULAR (2)»; a blank one stays blank."""
    names = unique_names([" ".join(cell.split()) for cell in cells])
    return Header(number, names, tuple(cell.strip() for cell in cells))


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    taken: set[str] = set()
    found = []
    for name in names:
        free, again = name, 1
        while free and free in taken:
            again += 1
            free = f"{name} ({again})"
        taken.add(free)
        found.append(free)
    return tuple(found)


def name_blanks(header: Header, sample: Sequence[Sequence[str]]) -> Header:
    """Columns that have cells but no name are called by their letter, «(C)»; columns beyond the header, too."""
    width = max([len(header.names), *map(len, sample)])
    names = [*header.names, *[""] * (width - len(header.names))]
    for at, name in enumerate(names):
        if not name and any(at < len(cells) and cells[at].strip() for cells in sample):
            names[at] = f"({_letters(at)})"
    return Header(header.row, unique_names(names), header.spelled)


def _letters(at: int) -> str:
    """0 → A, 26 → AA, as spreadsheets name columns."""
    return (_letters(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


def guess(header: Header) -> dict[int, str]:
    """Column number → field, for columns whose names are known; of two for one field (but phones) the first."""
    chosen: dict[int, str] = {}
    for at, name in enumerate(header.names):
        field = field_named(name)
        if field and not is_sensitive_name(name) and (field in PHONES or field not in chosen.values()):
            chosen[at] = field
    return chosen


def field_named(name: str) -> str | None:
    """The field that a column of this name is: a name we know, or one with a word of phones or sections in it."""
    key = column_key(name)
    if key in _FIELD_OF:
        return _FIELD_OF[key]
    words = set(re.findall(r"[a-z]+", key))
    if words & _OTHERS:
        return None
    return next((field for field, known in _WORDS.items() if words & known), None)


def is_of_others(name: str) -> bool:
    """Does the name say that the column is about somebody else than the person of the row?"""
    return bool(set(re.findall(r"[a-z]+", column_key(name))) & _OTHERS)


def check_mapping(mapping: dict[int, str], dropped: Iterable[int], attributes: Collection[str] = ()) -> None:
    """Raises InvalidInput when a list could not be imported so. `attributes`: keys of the custom ones there are."""
    known = {*FIELDS, *(ATTRIBUTE + key for key in attributes)}
    unknown = sorted(set(mapping.values()) - known)
    if unknown:
        raise InvalidInput(_("There is no field %(field)s.", field=", ".join(unknown)))
    if set(mapping) & set(dropped):
        raise InvalidInput(_("A column of keys of the voter card is never kept, as whatever it is mapped."))
    if not any(field in PHONES for field in mapping.values()):
        raise UnreadableFileError(
            N_("No column holds phones. Name one CELULAR or TELEFONO, or choose it on the mapping page.")
        )
    for field in set(mapping.values()) - set(PHONES):
        if list(mapping.values()).count(field) > 1:
            said = FIELDS.get(field, field.removeprefix(ATTRIBUTE))
            raise InvalidInput(_("Two columns were chosen as «%(field)s»; only one can be.", field=said))


def is_sensitive_name(name: str) -> bool:
    """Does the name say that the column holds what may never be kept?"""
    key = re.sub(r"_\d+\Z", "", column_key(name))
    return key not in _NOT_SENSITIVE and _SENSITIVE.search(key) is not None


def sensitive_columns(header: Header, sample: Sequence[Sequence[str]]) -> dict[int, str]:
    """Columns that may not be kept, and why: `name`, or `shape` of the sample's cells (see voter_keys)."""
    found = {}
    for at, name in enumerate(header.names):
        if is_sensitive_name(name):
            found[at] = "name"
        elif is_column_of_keys(row[at] for row in sample if at < len(row)):
            found[at] = "shape"
    return found
