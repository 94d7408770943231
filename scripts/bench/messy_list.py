"""A campaign's messy list, made up from a seed: invented people, as many rows as asked, always the same ones.

One row in twenty is something else than a person once: repeated, shared phones, refused numbers, TOTAL rows, the names
of the columns once more, blank lines, quoted cells, two phones in a cell."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

HEADER = "FOLIO|NOMBRE|AP_PATERNO|AP_MATERNO|SEXO|EDAD|COLONIA|MUNICIPIO|SECCION|CELULAR|TEL_CASA|ACEPTA_AVISO|PROMOTOR"
BLOCK = 100_000
STATE, SECTIONS = 30, 4_800
_GIVEN = [
    "Rosa Isela", "María Guadalupe", "Begoña", "Miguel Ángel", "VERÓNICA", "Francisco Javier", "Lucía", "Óscar",
    "JUAN CARLOS", "ana", "José Luis", "María del Carmen", "Jesús", "Sofía", "Íñigo", "Concepción", "Raúl", "Martha",
]  # fmt: skip
_FAMILY = [
    "Martínez", "Güemes", "García", "Ávila", "Peña", "Sánchez", "López", "Cruz", "De la Cruz", "Hernández", "ORDÓÑEZ",
    "Zúñiga", "Rodríguez", "Núñez", "Muñoz", "Pérez", "Ramírez", "Torres", "Flores", "Gómez", "Díaz", "Reyes", "Ortiz",
]  # fmt: skip
_SYLLABLES = [
    "ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "xo", "ya", "zu", "ña", "rri", "que",
]  # fmt: skip
_AREAS = ["228", "229", "271", "272", "782", "783", "921", "922"]
_SPELLINGS = (  # and how often
    ("{0}{1}{2}", 0.42), ("{0} {1} {2}", 0.14), ("({0}) {1}-{2}", 0.10), ("{0}-{1}-{2}", 0.06),
    ("+52 {0} {1} {2}", 0.05),
    ("52{0}{1}{2}", 0.05), ("044 {0} {1} {2}", 0.04), ("045{0}{1}{2}", 0.02), ("01 {0} {1} {2}", 0.03),
    ("{0}{1}{2}.0", 0.04), ("cel. {0}{1}{2}", 0.02), ("521{0}{1}{2}", 0.01), ("'{0}{1}{2}", 0.005),
    ("2.28E+09", 0.002), ("{1}{2}", 0.005), ("0000000000", 0.002), ("01 800 {1} {2}", 0.001), ("S/N", 0.004),
)  # fmt: skip


def write(path: Path, rows: int, seed: int) -> None:
    """Make the list of `rows` data rows at `path`, in Windows-1252."""
    random = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(f"COMITÉ ESTATAL\nPADRÓN DE PROMOVIDOS\n\n{HEADER}\n".encode("cp1252"))
        for first in range(0, rows, BLOCK):
            some = _people(random, first, min(BLOCK, rows - first))
            file.write(_lines(some).encode("cp1252"))
            file.write(f"TOTAL|{some.height}\n\n{HEADER}\n".encode("cp1252"))


def blocks(rows: int, seed: int) -> Iterator[bytes]:
    """The same data rows alone, in UTF-8, a block at a time."""
    random = np.random.default_rng(seed)
    for first in range(0, rows, BLOCK):
        yield _lines(_people(random, first, min(BLOCK, rows - first))).encode()


def sections() -> str:
    """The sections that the list names, as `flask sections import` reads them."""
    lines = (f"{STATE},1,{number},urbana,1500" for number in range(1, SECTIONS + 1))
    return "\n".join(["entidad,municipio,seccion,tipo,lista_nominal", *lines, ""])


def _people(random: "np.random.Generator", first: int, count: int) -> pl.DataFrame:
    def pick(words: list[str], weights: list[float] | None = None) -> pl.Series:
        return pl.Series(words)[random.choice(len(words), count, p=weights)]

    syllables = [pick(_SYLLABLES) for _ in range(3)]
    invented = pl.DataFrame({str(at): one for at, one in enumerate(syllables)}).select(pl.concat_str(pl.all()))
    family = pick(_FAMILY).zip_with(pl.Series(random.random(count) < 0.5), invented.to_series().str.to_titlecase())
    people = pl.DataFrame(
        {
            "FOLIO": pl.Series(range(first + 1, first + count + 1)).cast(pl.String),
            "NOMBRE": pick(_GIVEN), "AP_PATERNO": family, "AP_MATERNO": pick(_FAMILY),
            "SEXO": pick(["H", "M", "Hombre", "MUJER", "hombre", "X", ""]),
            "EDAD": pl.Series(random.integers(18, 90, count)).cast(pl.String),
            "COLONIA": pick(["Centro", "Playón Sur", "Insurgentes Norte", "Ruiz Cortines", "", *(
                f"Colonia {at}" for at in range(400))]),
            "MUNICIPIO": pick(["MINATITLÁN", "Minatitlan", "Coatzacoalcos", "Xalapa"]),
            "SECCION": pl.Series(random.integers(1, SECTIONS + 1, count)).cast(pl.String),
            "CELULAR": _phones(random, count),
            "TEL_CASA": _phones(random, count).zip_with(
                pl.Series(random.random(count) < 0.15), pl.Series([""]).new_from_index(0, count)),
            "ACEPTA_AVISO": pick(["SI", "SI", "si", "NO", ""]),
            "PROMOTOR": pick([f"{word} {at:02}" for at in range(1, 800) for word in ("Promotor", "PROMOTOR ")]),
        }
    )  # fmt: skip
    again = random.integers(0, count, count // 40)  # the same people a second time
    places = random.integers(0, count, count // 40)
    repeated = np.arange(count)
    repeated[places] = again
    return people[repeated]


def _phones(random: "np.random.Generator", count: int) -> pl.Series:
    shares = np.array([share for _, share in _SPELLINGS])
    spelling = pl.Series("spelling", random.choice(len(_SPELLINGS), count, p=shares / shares.sum()))
    parts = pl.DataFrame(
        {
            "0": pl.Series(_AREAS)[random.integers(0, len(_AREAS), count)],
            "1": pl.Series(random.integers(100, 1000, count)).cast(pl.String),
            "2": pl.Series(random.integers(1000, 10_000, count)).cast(pl.String),
            "spelling": spelling,
            "two": random.random(count) < 0.01,
        }
    )  # fmt: skip
    spelled = pl.coalesce(
        pl.when(pl.col("spelling") == at).then(_format(text)) for at, (text, _) in enumerate(_SPELLINGS)
    )
    second = pl.concat_str(pl.lit(" / "), "0", "2", "1")
    return parts.select(pl.concat_str(spelled, pl.when("two").then(second).otherwise(pl.lit("")))).to_series()


def _format(text: str) -> pl.Expr:
    pieces = [pl.col(part) if part in "012" and part else pl.lit(part) for part in text.replace("}", "{").split("{")]
    return pl.concat_str(pieces)


def _lines(people: pl.DataFrame) -> str:
    """As a spreadsheet would save them: one cell in a hundred is quoted for the mark in it."""
    marked = people.with_columns(
        COLONIA=pl.when(pl.int_range(pl.len()) % 100 == 0)
        .then(pl.concat_str("COLONIA", pl.lit(' "A" | 2')))
        .otherwise("COLONIA")
    )
    blanks = pl.when(pl.all() != "").then(pl.all())
    return marked.select(blanks).write_csv(separator="|", include_header=False, quote_style="necessary", null_value="")
