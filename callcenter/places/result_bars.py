"""A section's past result as bars: SVG made here, each bar with its words; its page has the table beside it."""

from flask_babel import format_decimal, format_percent
from flask_babel import gettext as _
from markupsafe import Markup

from callcenter.places.past_results import SectionResult

ROW, LABEL, BAR, END = 34, 250, 300, 150  # the drawing's own units
LETTERS = 24  # of an option's name
MOST_BARS = 12  # the options with the most votes; the table has them all


def draw(result: SectionResult) -> Markup:
    """Bars of the options that were voted for, the largest first; empty when nobody was."""
    bars = [(option, share) for option, share in result.shares.items() if share > 0][:MOST_BARS]
    if not bars:
        return Markup("")
    longest = bars[0][1]
    rows = Markup("").join(
        _row(at, option, share / longest, _words(result.votes[option], share))
        for at, (option, share) in enumerate(bars)
    )
    title = _("%(election)s: votes by option", election=result.election.name)
    return Markup(
        '<svg class="result-bars" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">{rows}</svg>'
    ).format(width=LABEL + BAR + END, height=ROW * len(bars), title=title, rows=rows)


def _row(at: int, option: str, share: float, words: str) -> Markup:
    name = option if len(option) <= LETTERS else option[: LETTERS - 1] + "…"
    middle, width = at * ROW + ROW * 0.68, max(share * BAR, 1)
    return Markup(
        '<text x="{left}" y="{middle}" text-anchor="end">{option}</text>'
        '<rect class="result-bar" x="{start}" y="{top}" width="{width:.1f}" height="{height}"/>'
        '<text x="{end:.1f}" y="{middle}">{words}</text>'
    ).format(
        left=LABEL - 8, middle=middle, option=name, start=LABEL,
        top=at * ROW + 6, width=width, height=ROW - 12, end=LABEL + width + 8, words=words,
    )  # fmt: skip


def _words(votes: int, share: float) -> str:
    return f"{format_decimal(votes)} · {format_percent(share, '#,##0.0%')}"
