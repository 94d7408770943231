"""A survey's results as one readable whole: headline, tables and pictures in the reader's language."""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from flask_babel import LazyString, format_date, format_decimal, format_percent, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from callcenter.base.clock import campaign_now
from surveys import charts, results
from surveys.intervals import lead_margin, margin
from surveys.items import ROLES
from surveys.questionnaire import find
from surveys.results import BREAKDOWNS, Filters, Option

KINDS: dict[str, LazyString] = {"gross": _l("Gross: every answer"), "effective": _l("Effective: candidates alone")}
BREAKDOWN_LABELS: dict[str, LazyString] = {
    "sex": _l("By sex"),
    "age_band": _l("By age"),
    "section_kind": _l("By kind of section"),
}
GROUP_LABELS: dict[str, LazyString] = {
    "H": _l("Men"),
    "M": _l("Women"),
    "X": _l("Non-binary"),
    "U": _l("Urban"),
    "R": _l("Rural"),
    "unknown": _l("Not known"),
}
SECTION_MIXED = _l("Mixed")
# A table is never older than this; many readers of one page thereby cost one count.
CACHE_SECONDS = 2.0


@dataclass(frozen=True)
class Line:
    """One answer in one group. Shares are 0–1 or None (small cell, or not a candidate)."""

    option: str
    label: str
    role: str
    n: int | None
    share: float | None
    low: float | None
    high: float | None
    effective: float | None
    effective_low: float | None
    effective_high: float | None


@dataclass(frozen=True)
class Table:
    """One group's lines. `cell`: ok | small | hidden; the margins are 0–1, at a share of one half."""

    group: str
    label: str
    base: int
    effective_base: int
    cell: str
    margin: float | None
    effective_margin: float | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Report:
    """`as_of` is campaign time; `version` names the numbers: the same version, the same pictures."""

    survey_id: int
    name: str
    total: Table
    breakdowns: dict[str, tuple[Table, ...]]
    first_at: datetime | None
    last_at: datetime | None
    as_of: datetime
    filters: Filters
    version: str

    @property
    def lead(self) -> tuple[Line, Line, float] | None:
        """The first two candidates by gross share and the margin of their difference (0–1)."""
        lines = sorted((line for line in self.total.lines if line.role == "candidate"), key=lambda line: -(line.n or 0))
        if len(lines) < 2 or lines[0].share is None or lines[1].share is None:
            return None
        return lines[0], lines[1], lead_margin(lines[0].share, lines[1].share, self.total.base)


def read(session: Session, survey_id: int, filters: Filters) -> Report:
    """The report as of now, or as of up to two seconds ago."""
    key = (survey_id, filters, str(get_locale()))
    with _lock:
        kept = _kept.get(key)
        if kept is not None and time.monotonic() - kept[0] < CACHE_SECONDS:
            return kept[1]
    report = _read(session, survey_id, filters)
    with _lock:
        for old in [each for each, (at, _report) in _kept.items() if time.monotonic() - at >= CACHE_SECONDS]:
            del _kept[old]
        _kept[key] = (time.monotonic(), report)
    return report


def snapshot(session: Session, survey_id: int) -> dict[str, Any]:
    """For the live topic `survey/<id>`: {"survey", "n", "as_of"}; the page then asks for what changed."""
    frame = results.tally(session, survey_id)
    base = int(frame["base"].iloc[0])
    return {"survey": survey_id, "n": base, "as_of": campaign_now(session).isoformat()}


_kept: dict[tuple[int, Filters, str], tuple[float, Report]] = {}
_lock = Lock()


def _read(session: Session, survey_id: int, filters: Filters) -> Report:
    survey = find(session, survey_id)
    options = {option.code: option for option in results.vote_options(session, survey_id)}
    frame = results.tally(session, survey_id, filters=filters)
    total = _tables(frame, options, None)[0]
    breakdowns = {by: _tables(results.tally(session, survey_id, by, filters), options, by) for by in BREAKDOWNS}
    has_dates = total.base > 0
    digest = hashlib.sha256(f"{total}{breakdowns}{get_locale()}".encode()).hexdigest()[:16]
    return Report(
        survey_id=survey_id,
        name=survey.name,
        total=total,
        breakdowns=breakdowns,
        first_at=frame["first_at"].iloc[0].to_pydatetime() if has_dates else None,
        last_at=frame["last_at"].iloc[0].to_pydatetime() if has_dates else None,
        as_of=campaign_now(session),
        filters=filters,
        version=digest,
    )


def _tables(frame: Any, options: dict[str, Option], by: str | None) -> tuple[Table, ...]:
    tables = []
    for group, rows in frame.groupby("group", sort=False):
        first = rows.iloc[0]
        base, effective_base = int(first["base"]), int(first["effective_base"])
        lines = [_line(row, options[row["option"]]) for row in rows.to_dict("records")]
        tables.append(
            Table(
                group=group,
                label=group_label(by, group),
                base=base,
                effective_base=effective_base,
                cell=str(first["cell"]),
                margin=_number(margin(base)),
                effective_margin=_number(margin(effective_base)),
                lines=tuple(sorted(lines, key=_place)),
            )
        )
    return tuple(tables)


def _place(line: Line) -> tuple[int, int]:
    """Candidates by their number of answers, then the other roles in their order."""
    return ROLES.index(line.role), -(line.n or 0)


def _line(row: dict[str, Any], option: Option) -> Line:
    return Line(
        option=option.code,
        label=words(option),
        role=option.role,
        n=None if math.isnan(row["n"]) else int(row["n"]),
        share=_number(row["share"]),
        low=_number(row["low"]),
        high=_number(row["high"]),
        effective=_number(row["effective"]),
        effective_low=_number(row["effective_low"]),
        effective_high=_number(row["effective_high"]),
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def words(option: Option) -> str:
    """The option in the reader's language, as the questionnaire says it."""
    locale = get_locale()
    language = locale.language if locale else "es"
    return option.label.get(language) or next(iter(option.label.values()), option.code)


def group_label(by: str | None, group: str) -> str:
    if by is None:
        return str(_("All"))
    if by == "section_kind" and group == "M":
        return str(SECTION_MIXED)
    return str(GROUP_LABELS.get(group, group))


def percent(share: float | None) -> str:
    """`37.4 %` in the reader's language; a dash where there is no figure."""
    return "–" if share is None else str(format_percent(share, "#,##0.0 %"))


def points(share: float | None) -> str:
    """A margin: `±2.8`."""
    return "–" if share is None else f"±{percent(share).removesuffix('%').strip()}"


def difference(first: float | None, second: float | None) -> str:
    """The distance of two shares in percentage points: `16.7`."""
    if first is None or second is None:
        return "–"
    return percent(first - second).removesuffix("%").strip()


def field_dates(report: Report) -> str:
    if report.first_at is None or report.last_at is None:
        return str(_("no interviews yet"))
    first, last = str(format_date(report.first_at, "medium")), str(format_date(report.last_at, "medium"))
    return first if first == last else f"{first} – {last}"


def facts(report: Report, base: int, error: float | None) -> str:
    """The line that stands under every figure: base, field dates, margin."""
    return str(
        _(
            "n = %(base)s · %(dates)s · margin %(margin)s points at 95 %%, not weighted (design effect 1)",
            base=format_decimal(base),
            dates=field_dates(report),
            margin=points(error),
        )
    )


def picture(report: Report, kind: str) -> charts.Picture:
    """The chart of the total: `kind` is gross or effective."""
    table = report.total
    drawn = tuple(_bar(line, kind) for line in table.lines if kind == "gross" or line.role == "candidate")
    base, error = (table.base, table.margin) if kind == "gross" else (table.effective_base, table.effective_margin)
    title = f"{report.name}: {KINDS[kind]}"
    known = facts(report, base, error)
    lines = [f"{bar.label} {bar.words}" for bar in drawn]
    return charts.Picture(
        title=title,
        subtitle=(known, *_filter_words(report.filters)),
        bars=drawn,
        axis=str(_("share of %(base)s interviews; the line is the 95 %% interval (Wilson)", base=format_decimal(base))),
        description=charts.alternative(f"{title}. {known}", lines),
        mark=str(_("INTERNAL USE")),
    )


def _bar(line: Line, kind: str) -> charts.Bar:
    share, low, high = (
        (line.share, line.low, line.high)
        if kind == "gross"
        else (line.effective, line.effective_low, line.effective_high)
    )
    nan = math.nan
    return charts.Bar(
        label=line.label,
        share=nan if share is None else share,
        low=nan if low is None else low,
        high=nan if high is None else high,
        words=percent(share),
        is_candidate=line.role == "candidate",
    )


def _filter_words(filters: Filters) -> Sequence[str]:
    chosen = [
        f"{BREAKDOWN_LABELS[by]}: {group_label(by, value)}" for by in BREAKDOWNS if (value := getattr(filters, by))
    ]
    return (" · ".join(chosen),) if chosen else ()
