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
SEAT_WORDS = ("ciudad", "cd.", "cd", "heroica", "h.", "h")
# Area codes outside the central zone. libphonenumber is wrong by one or two hours for 614, 657, 663 and 868.
AREA_CODES = {
    **dict.fromkeys(("983", "984", "987", "997", "998"), "America/Cancun"),
    **dict.fromkeys(
        ("622", "623", "631", "632", "633", "634", "637", "638", "641", "642", "643", "644", "645", "647", "651", "653",
         "662"),
        "America/Hermosillo",
    ),
    **dict.fromkeys(("667", "668", "669", "672", "673", "687", "694", "695", "696", "697", "698"), "America/Mazatlan"),
    **dict.fromkeys(("612", "613", "615", "624"), "America/Mazatlan"),
    **dict.fromkeys(("311", "319", "323", "324", "325", "327", "389"), "America/Mazatlan"),
    **dict.fromkeys(("646", "658", "661", "663", "664", "665", "686"), "America/Tijuana"),
    **dict.fromkeys(("656", "657"), "America/Ciudad_Juarez"),
    "626": "America/Ojinaga",
    **dict.fromkeys(("867", "868", "873", "877", "878", "894", "897", "899"), "America/Matamoros"),
}  # fmt: skip


def zones_of(state: int | None, municipality: str | None, phone: str) -> tuple[ZoneInfo, ...]:
    """The zones in which a contact must be awake, one or two: where they live, and where their phone is from.

    A call must be legal in both. A mobile that moved keeps its area code, so this errs towards silence."""
    area = AREA_CODES.get(phone.removeprefix("+52")[:3], CENTRAL)
    return _zones(area, area if state is None else _zone_of_home(state, municipality))


@lru_cache(maxsize=256)
def _zones(area: str, home: str) -> tuple[ZoneInfo, ...]:
    return tuple(ZoneInfo(name) for name in sorted({area, home}))


@lru_cache(maxsize=16_384)  # a country has 2,500 municipalities, each spelled in several ways
def _zone_of_home(state: int, municipality: str | None) -> str:
    if municipality:
        plain = unicodedata.normalize("NFKD", municipality.casefold())
        words = "".join(c for c in plain if not unicodedata.combining(c)).split()
        # Lists write the seat for the municipality: «Ciudad Juárez», «H. Matamoros».
        key = " ".join(words[1:] if len(words) > 1 and words[0] in SEAT_WORDS else words)
        if (state, key) in MUNICIPALITIES:
            return MUNICIPALITIES[state, key]
    return STATES.get(state, CENTRAL)
