"""Results in the reader's words: figures, the line under every figure, and pictures with their alternative."""

import math
from collections.abc import Sequence

from flask_babel import LazyString, format_date, format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from surveys import charts
from surveys.results import BREAKDOWNS, Filters
from surveys.vote.group_labels import BREAKDOWN_LABELS, group_label
from surveys.vote.report import Line, Report
from surveys.vote.vote_recipe import Percents

KINDS: dict[str, LazyString] = {"gross": _l("Gross: every answer"), "effective": _l("Effective: candidates alone")}
PLAIN = Percents()


def percent(share: float | None) -> str:
    """`37.4 %` in the reader's language; a dash where there is no figure."""
    return PLAIN.write(share)


def points(share: float | None) -> str:
    """A margin: `±2.8`."""
    return PLAIN.margin(share)


def field_dates(report: Report) -> str:
    """The first and the last day on which somebody answered."""
    if report.first_at is None or report.last_at is None:
        return str(_("no interviews yet"))
    first, last = str(format_date(report.first_at, "medium")), str(format_date(report.last_at, "medium"))
    return first if first == last else f"{first} – {last}"


def weighing(report: Report) -> str:
    """Whether and how people were weighed, with what it costs: the design effect."""
    weights = report.weighing.weights
    if weights is None or report.weighing.recipe is None:
        return str(_("not weighted (design effect 1)"))
    return str(
        _(
            "weighted by recipe %(version)s (design effect %(deff)s, as good as %(n)s interviews)",
            version=report.weighing.recipe.version,
            deff=format_decimal(round(weights.deff, 2)),
            n=format_decimal(round(weights.n_effective)),
        )
    )


def facts(report: Report, base: int, error: float | None) -> str:
    """The line that stands under every figure: base, field dates, margin."""
    return str(
        _(
            "n = %(base)s · %(dates)s · margin %(margin)s points at 95 %%",
            base=format_decimal(base),
            dates=field_dates(report),
            margin=points(error),
        )
    )


def picture(report: Report, kind: str) -> charts.Picture:
    """The chart of the total: `kind` is gross or effective."""
    table = report.total
    drawn = tuple(_bar(report, line, kind) for line in table.lines if kind == "gross" or line.role == "candidate")
    base, error = (table.base, table.margin) if kind == "gross" else (table.effective_base, table.effective_margin)
    title = f"{report.name}: {KINDS[kind]}"
    known = facts(report, base, error)
    lines = [f"{bar.label} {bar.words}" for bar in drawn]
    return charts.Picture(
        title=title,
        subtitle=(known, weighing(report), *_filter_words(report.filters)),
        bars=drawn,
        axis=str(_("share of %(base)s interviews; the line is the 95 %% interval (Wilson)", base=format_decimal(base))),
        description=charts.alternative(f"{title}. {known}, {weighing(report)}", lines),
        mark=str(_("INTERNAL USE")),
    )


def _bar(report: Report, line: Line, kind: str) -> charts.Bar:
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
        words=report.percents.write(share),
        is_candidate=line.role == "candidate",
    )


def _filter_words(filters: Filters) -> Sequence[str]:
    chosen = [
        f"{BREAKDOWN_LABELS[by]}: {group_label(by, value)}" for by in BREAKDOWNS if (value := getattr(filters, by))
    ]
    if filters.wave is not None:
        chosen.append(str(_("Wave %(wave)s", wave=filters.wave)))
    return (" · ".join(chosen),) if chosen else ()
