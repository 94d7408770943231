"""A sample is drawn: from the ranges of a numbering plan or from a list of people, by its seed, within its strata."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flask_babel import gettext as _
from sqlalchemy import Integer, LargeBinary, Select, Text, bindparam, cast, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput
from callcenter.contacts import Contact
from callcenter.phones import normalise
from surveys.sampling import numbering_plans, sample_frames
from surveys.sampling.numbering_reading import Range, area_code
from surveys.sampling.sample_draws import allocate, base_weights, digest, pick, replicate
from surveys.sampling.sample_frames import BETWEEN, NO_STRATUM, RDD
from surveys.sampling.sample_tables import Sample, SampleCase, SampleStratum


class _Case(NamedTuple):
    stratum: str
    contact_id: int | None
    phone: str | None

    @property
    def unit(self) -> str:
        """What a draw's fingerprint knows it by."""
        return self.phone if self.phone is not None else str(self.contact_id)


class _Drawn(NamedTuple):
    """`sizes`: of the frame, by stratum; `cases`: in order of their strata and of chance."""

    sizes: dict[str, int]
    cases: list[_Case]
    left_out: dict[str, int]


def draw(session: Session, sample: Sample) -> None:
    """Draw the cases of a sample that is `drawing`. Raises InvalidInput when there is nobody to draw from."""
    found = _numbers(session, sample) if sample.frame == RDD else _people(session, sample)
    if not found.cases:
        raise InvalidInput(_("There is nobody to draw from: the list, or what you chose of it, is empty."))
    drawn = Counter(case.stratum for case in found.cases)
    weights = base_weights(found.sizes, drawn)
    session.add_all(
        SampleStratum(sample_id=sample.id, stratum=name, frame_size=size, drawn=drawn[name],
                      base_weight=weights.get(name, 1.0))
        for name, size in sorted(found.sizes.items())
    )  # fmt: skip
    session.flush()
    rows = [(place + 1, replicate(place, sample.replicates), case) for place, case in enumerate(found.cases)]
    _copy_in(session, sample.id, rows)
    sample.digest = digest((number, of, case.stratum, case.unit) for number, of, case in rows)
    sample.frame_size, sample.left_out = sum(found.sizes.values()), found.left_out
    sample.state, sample.drawn_at, sample.error = "drawn", real_now(), None
    session.flush()


# ── random digits ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _numbers(session: Session, sample: Sample) -> _Drawn:
    options = sample.options
    ranges = numbering_plans.ranges(session, options["plan"], areas=options["areas"], kinds=options["kinds"])
    by_stratum: dict[str, list[Range]] = {}
    for one in ranges:
        by_stratum.setdefault(_stratum(one, options["strata"]), []).append(one)
    sizes = {name: sum(one.size for one in of) for name, of in by_stratum.items()}
    before = set(session.scalars(_drawn_before(sample)))
    left_out: Counter[str] = Counter()
    cases: list[_Case] = []
    for name, wanted in sorted(allocate(sizes, sample.size, options["allocation"]).items()):
        found, passed = pick(by_stratum[name], wanted, seed=sample.seed, label=name,
                             refuse=lambda number: _why_not(number, before))  # fmt: skip
        left_out += passed
        cases += [_Case(name, None, f"+52{number:010}") for number in found]
    return _Drawn(sizes, cases, dict(left_out))


def _stratum(one: Range, names: list[str]) -> str:
    told = {"area_code": area_code(one.first), "line_kind": one.kind}
    return BETWEEN.join(told[name] for name in names) or NO_STRATUM


def _why_not(number: int, before: set[str]) -> str | None:
    """Why a number of the plan is passed over: no person has it, or this survey has it already."""
    reading = normalise(f"{number:010}")
    if not reading.numbers:
        return reading.reason or "invalid"
    return "drawn_before" if reading.numbers[0].e164 in before else None


def _drawn_before(sample: Sample) -> Select[Any]:
    """Phones of the survey's other random samples."""
    others = (
        select(SampleCase.phone, SampleCase.contact_id)
        .join(Sample, Sample.id == SampleCase.sample_id)
        .where(Sample.survey_id == sample.survey_id, Sample.frame == RDD, Sample.id != sample.id)
        .cte("others")
    )
    kept = select(others.c.phone.label("phone")).where(others.c.phone.is_not(None))
    released = select(Contact.phone).where(Contact.id.in_(select(others.c.contact_id)))
    return select(union_all(kept, released).subquery().c.phone)


# ── people ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _people(session: Session, sample: Sample) -> _Drawn:
    people, left_out = sample_frames.people(session, sample.survey_id, sample.frame, sample.options)
    drawable = people.subquery("drawable")
    counted = select(drawable.c.stratum, func.count()).group_by(drawable.c.stratum)
    sizes = {row[0]: int(row[1]) for row in session.execute(counted)}
    wanted = allocate(sizes, sample.size, sample.options["allocation"])
    ranked = _ranked(people, sample.seed).subquery("ranked")
    shares = _shares(wanted).subquery("shares")
    chosen = (
        select(ranked.c.stratum, ranked.c.id)
        .join(shares, shares.c.stratum == ranked.c.stratum)
        .where(ranked.c.place <= shares.c.wanted)
        .order_by(ranked.c.stratum.collate("C"), ranked.c.place)
    )
    return _Drawn(sizes, [_Case(name, number, None) for name, number in session.execute(chosen)], left_out)


def _ranked(people: Select[int, str], seed: str) -> Select[Any]:
    """Everybody with their place in the random order of their stratum: `sample_draws.rank` in SQL."""
    of = people.subquery("people")
    unit = func.convert_to(literal(f"{seed}/").concat(cast(of.c.id, Text)), "UTF8", type_=LargeBinary)
    place = func.row_number().over(partition_by=of.c.stratum, order_by=func.sha256(unit))
    return select(of.c.id, of.c.stratum, place.label("place"))


def _shares(wanted: Mapping[str, int]) -> Select[Any]:
    names = bindparam("names", list(wanted), ARRAY(Text))
    numbers = bindparam("wanted", list(wanted.values()), ARRAY(Integer))
    table = func.unnest(names, numbers).table_valued("stratum", "wanted").render_derived()
    return select(table.c.stratum, table.c.wanted)


def _copy_in(session: Session, sample_id: int, rows: list[tuple[int, int, _Case]]) -> None:
    connection: Any = session.connection().connection.driver_connection
    statement = "COPY sample_cases (sample_id, number, replicate, stratum, contact_id, phone) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for number, of, case in rows:
            copy.write_row((sample_id, number, of, case.stratum, case.contact_id, case.phone))


def lines(session: Session, sample_id: int) -> Iterator[tuple[int, int, str]]:
    """number, replicate and stratum of every case, in order."""
    query = select(SampleCase.number, SampleCase.replicate, SampleCase.stratum)
    found = session.execute(query.where(SampleCase.sample_id == sample_id).order_by(SampleCase.number))
    for row in found.yield_per(10_000):
        yield row.number, row.replicate, row.stratum
