"""Results of surveys: weights and tables of a million interviews, the page over a hundred thousand, answers saved while
hundreds are interviewed, and how often the stated intervals hold the truth."""

from collections.abc import Mapping

from scripts.bench import Figure
from scripts.bench.answers import measure_answers
from scripts.bench.coverage import measure_coverage
from scripts.bench.raking_race import measure_raking
from scripts.bench.result_pages import measure_page, measure_tables

ABOUT = "weights, tables and pages of results, and how often their intervals hold the truth"
FULL = {"rows": 1_000_000, "read": 100_000, "repetitions": 1_000, "people": 300, "keypads": 60}
QUICK = {"rows": 100_000, "read": 20_000, "repetitions": 200, "people": 100, "keypads": 20}
SEED = 1


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    """`size`: interviews to weigh and to make tables of, interviews behind the page of results, polls to repeat, and
    people who answer at once, by a link and by the keys of a telephone."""
    return [*measure_raking(size["rows"], seed), *measure_tables(size["rows"], seed),
            *measure_coverage(size["repetitions"], seed), *measure_page(size["read"], seed),
            *measure_answers(size["people"], size["keypads"], seed)]  # fmt: skip
