"""In which time zone a person lives: by municipality and state, else by area code. Pure; tables as of tzdata 2026f."""

import unicodedata
from functools import lru_cache
from zoneinfo import ZoneInfo

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

CENTRAL = "America/Mexico_City"
# The zones of the country, as people call them.
NAMES: dict[str, LazyString] = {
    CENTRAL: _l("Central zone"),
    "America/Cancun": _l("Quintana Roo"),
    "America/Mazatlan": _l("Pacific zone"),
    "America/Hermosillo": _l("Sonora"),
    "America/Tijuana": _l("Baja California"),
    "America/Bahia_Banderas": _l("Bahía de Banderas"),
    "America/Ciudad_Juarez": _l("Border at Juárez"),
    "America/Ojinaga": _l("Border at Ojinaga"),
    "America/Matamoros": _l("Border from Acuña to Matamoros"),
}
# States outside the central zone (INE's numbers).
STATES = {
    2: "America/Tijuana",
    3: "America/Mazatlan",
    18: "America/Mazatlan",
    23: "America/Cancun",
    25: "America/Mazatlan",
    26: "America/Hermosillo",
}
# Municipalities that keep another hour than their state, by (state, name without accents).
MUNICIPALITIES = {
    (18, "bahia de banderas"): "America/Bahia_Banderas",
    **dict.fromkeys(
        ((8, name) for name in ("juarez", "ascension", "janos", "guadalupe", "praxedis g. guerrero")),
        "America/Ciudad_Juarez",
    ),
    **dict.fromkeys(
        ((8, name) for name in ("ojinaga", "coyame del sotol", "manuel benavides")),
        "America/Ojinaga",
    ),
    **dict.fromkeys(
        (
            (5, name)
            for name in (
                "acuna", "allende", "guerrero", "hidalgo", "jimenez", "morelos", "nava", "ocampo", "piedras negras",
                "villa union", "zaragoza",
            )
        ),
        "America/Matamoros",
    ),
    (19, "anahuac"): "America/Matamoros",
    **dict.fromkeys(
        (
            (28, name)
            for name in (
                "nuevo laredo", "guerrero", "mier", "miguel aleman", "camargo", "gustavo diaz ordaz", "reynosa",
                "rio bravo", "valle hermoso", "matamoros",
            )
        ),
        "America/Matamoros",
    ),
}  # fmt: skip
DIVIDED_STATES = frozenset(state for state, _name in MUNICIPALITIES)
ANY_MUNICIPALITY = "(any)"  # instead of the name, in the states that are not divided: they keep one hour
# Municipalities outside the central zone, and the seats that lists write for them, for lists that do not say the
# state. Names that central states have, too, stand also in SHARED_NAMES.
_BY_ZONE = {
    "America/Tijuana": "ensenada, mexicali, playas de rosarito, rosarito, san felipe, san quintin, tecate, tijuana",
    "America/Cancun": "bacalar, benito juarez, cancun, chetumal, cozumel, felipe carrillo puerto, isla mujeres,"
    " jose maria morelos, lazaro cardenas, othon p. blanco, playa del carmen, puerto morelos, solidaridad, tulum",
    "America/Mazatlan": "acaponeta, ahome, ahuacatlan, amatlan de canas, angostura, badiraguato, choix, comondu,"
    " compostela, concordia, cosala, culiacan, culiacan rosales, del nayar, el fuerte, el nayar, eldorado, elota,"
    " escuinapa, guamuchil, guasave, huajicori, ixtlan del rio, jala, juan jose rios, la paz, la yesca, loreto,"
    " los cabos, los mochis, mazatlan, mocorito, mulege, navolato, rosamorada, rosario, ruiz, salvador alvarado,"
    " san blas, san ignacio, san pedro lagunillas, santa maria del oro, santiago ixcuintla, sinaloa, tecuala, tepic,"
    " tuxpan, xalisco",
    "America/Hermosillo": "aconchi, agua prieta, alamos, altar, arivechi, arizpe, atil, bacadehuachi, bacanora,"
    " bacerac, bacoachi, bacum, banamichi, baviacora, bavispe, benito juarez, benjamin hill, caborca, cajeme, cananea,"
    " carbo, cucurpe, cumpas, divisaderos, empalme, etchojoa, fronteras, general plutarco elias calles, granados,"
    " guaymas, hermosillo, huachinera, huasabas, huatabampo, huepac, imuris, la colorada, magdalena,"
    " magdalena de kino, mazatan, moctezuma, naco, nacori chico, nacozari de garcia, navojoa, nogales, obregon, onavas,"
    " opodepe, oquitoa, pitiquito, puerto penasco, quiriego, rayon, rosario, sahuaripa, san felipe de jesus,"
    " san ignacio rio muerto, san javier, san luis rio colorado, san miguel de horcasitas, san pedro de la cueva,"
    " santa ana, santa cruz, saric, soyopa, suaqui grande, tepache, trincheras, tubutama, ures, villa hidalgo,"
    " villa pesqueira, yecora",
}
SHARED_NAMES = frozenset(
    ("ahuacatlan", "allende", "altar", "anahuac", "benito juarez", "camargo", "compostela", "concordia", "guadalupe",
     "guerrero", "hidalgo", "jimenez", "juarez", "la paz", "lazaro cardenas", "loreto", "magdalena", "matamoros",
     "mazatan", "moctezuma", "morelos", "nogales", "obregon", "ocampo", "rayon", "rosario", "san felipe",
     "san ignacio", "santa ana", "santa cruz", "santa maria del oro", "solidaridad", "tuxpan", "villa hidalgo",
     "zaragoza")
)  # fmt: skip
SEAT_WORDS = ("ciudad", "cd.", "cd", "heroica", "h.", "h")
# Area codes outside the central zone. libphonenumber is wrong by one or two hours for 614, 657, 663 and 868.
AREA_CODES = {
    **dict.fromkeys(("983", "984", "987", "998"), "America/Cancun"),
    **dict.fromkeys(
        ("622", "623", "631", "632", "633", "634", "637", "638", "641", "642", "643", "644", "645", "647", "651", "653",
         "662"),
        "America/Hermosillo",
    ),
    **dict.fromkeys(("667", "668", "669", "672", "673", "687", "694", "695", "696", "697", "698"), "America/Mazatlan"),
    **dict.fromkeys(("612", "613", "615", "624"), "America/Mazatlan"),
    **dict.fromkeys(("311", "319", "323", "324", "325", "327", "389"), "America/Mazatlan"),
    **dict.fromkeys(("616", "646", "658", "661", "663", "664", "665", "686"), "America/Tijuana"),
    **dict.fromkeys(("656", "657"), "America/Ciudad_Juarez"),
    "626": "America/Ojinaga",
    **dict.fromkeys(("867", "868", "877", "878", "894", "897", "899"), "America/Matamoros"),
}  # fmt: skip
# Area codes whose towns keep different hours: without a home, a call must be legal in both.
SHARED_AREA_CODES = {
    "636": (CENTRAL, "America/Ciudad_Juarez"),  # Nuevo Casas Grandes; Janos and Ascensión
    "862": (CENTRAL, "America/Matamoros"),  # the five springs of Coahuila
    "873": (CENTRAL, "America/Matamoros"),  # Lampazos; Anáhuac
    "891": (CENTRAL, "America/Matamoros"),  # by the river in Tamaulipas
    "997": (CENTRAL, "America/Cancun"),  # the south of Yucatán; José María Morelos
}


def zones_of(state: int | None, municipality: str | None, phone: str) -> tuple[ZoneInfo, ...]:
    """The zones in which a contact must be awake, mostly one or two: where they live, and where their phone is from.

    A call must be legal in all. A mobile that moved keeps its area code, so this errs towards silence."""
    return _of_area(state, municipality, phone.removeprefix("+52")[:3])


@lru_cache(maxsize=32_768)  # the gate asks for a thousand people at a time
def _of_area(state: int | None, municipality: str | None, code: str) -> tuple[ZoneInfo, ...]:
    areas = SHARED_AREA_CODES.get(code) or (AREA_CODES.get(code, CENTRAL),)
    if not municipality:
        return _all(areas if state is None else (*areas, STATES.get(state, CENTRAL)))
    homes = _zones_named(municipality) if state is None else (_zone_of_home(state, municipality),)
    return _all(homes if set(homes) <= set(areas) else (*areas, *homes))


@lru_cache(maxsize=1024)
def _all(names: tuple[str, ...]) -> tuple[ZoneInfo, ...]:
    return tuple(ZoneInfo(name) for name in sorted(set(names)))


@lru_cache(maxsize=16_384)  # a country has 2,500 municipalities, each spelled in several ways
def _zone_of_home(state: int, municipality: str) -> str:
    return MUNICIPALITIES.get((state, _plain(municipality))) or STATES.get(state, CENTRAL)


@lru_cache(maxsize=16_384)
def _zones_named(municipality: str) -> tuple[str, ...]:
    """The zones of every municipality of this name, whatever its state."""
    key = _plain(municipality)
    found = {zone for (_state, name), zone in MUNICIPALITIES.items() if name == key}
    found |= {zone for zone, names in _BY_ZONE.items() if key in names.split(", ")}
    return tuple(sorted(found | {CENTRAL} if not found or key in SHARED_NAMES else found))


def _plain(municipality: str) -> str:
    """The name without accents and capitals, and without the words of its seat: «Ciudad Juárez», «H. Matamoros»."""
    plain = unicodedata.normalize("NFKD", municipality.casefold())
    words = "".join(c for c in plain if not unicodedata.combining(c)).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in SEAT_WORDS else words)
