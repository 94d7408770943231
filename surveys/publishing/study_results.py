"""The results of a study as parts of a document: the headline, the vote with its errors, the groups, every question."""

from typing import Any

from flask_babel import gettext as _

from surveys.publishing import study_words
from surveys.publishing.study_blocks import Block, bars, heading, table, text
from surveys.publishing.study_figures import Figures
from surveys.publishing.study_words import STEPS, Words


def headline(figures: Figures, words: Words) -> str:
    """Base, dates and margin, as they stand under every figure."""
    field = figures["field"]
    return str(
        _("n = %(base)s · %(dates)s · margin %(margin)s points at 95 %%, design effect %(deff)s",
          base=study_words.number(field["n"]), dates=study_words.days(field["first_day"], field["last_day"]),
          margin=words.margin(figures["weights"]["margin"]), deff=study_words.number(figures["weights"]["deff"], 2))
    )  # fmt: skip


def errors(figures: Figures, words: Words) -> list[Block]:
    """Confidence and largest error of every distribution."""
    vote = figures["vote"]
    rows: list[list[Any]] = []
    if vote:
        rows += [[f"{words.question(vote['question'])} · {STEPS[name]}", study_words.number(vote[name]["base"]), "95 %",
                  words.margin(vote[name]["margin"])] for name in ("gross", "effective")]  # fmt: skip
    rows += [
        [words.question(one["name"]), study_words.number(one["base"]), "95 %", words.margin(one["margin"])]
        for one in figures["questions"]
        if not vote or one["name"] != vote["question"]
    ]
    return table([_("Distribution"), _("n"), _("Confidence"), _("Largest error, points")], rows)


def results(figures: Figures, words: Words) -> list[Block]:
    """Gross and effective vote, the lead, the vote by group, and every closed question."""
    blocks: list[Block] = []
    vote = figures["vote"]
    if vote:
        for name in ("gross", "effective"):
            blocks += [*heading(str(STEPS[name])), *_vote(vote, name, words)]
        blocks += _lead(vote, words)
        for breakdown in figures["groups"]:
            blocks += _groups(breakdown, vote["question"], words)
    for question in figures["questions"]:
        if not vote or question["name"] != vote["question"]:
            blocks += _question(question, words)
    return blocks


def order(figures: Figures, words: Words) -> list[Block]:
    """What the order of the answers did to the vote question."""
    vote = figures["vote"]
    found = [one for one in figures["order"] if vote and one["question"] == vote["question"] and one["effects"]]
    rows = [
        [words.choice(one["question"], effect["code"]), study_words.number(effect["first_n"]),
         words.share(effect["first"]), words.share(effect["later"]), words.percents.points(effect["difference"]),
         f"{words.percents.points(effect['low'])} – {words.percents.points(effect['high'])}"]
        for one in found for effect in one["effects"] if effect["difference"] is not None
    ]  # fmt: skip
    header = [_("Answer"), _("Shown first to"), _("Share then"), _("Share else"), _("Difference, points"),
              _("Confidence interval")]  # fmt: skip
    title = heading(_("Effect of the order in which answers were shown")) if rows else []
    return [*title, *table(header, rows)]


def _vote(vote: Figures, name: str, words: Words) -> list[Block]:
    question, shares = vote["question"], vote[name]
    rows = [row for row in shares["rows"] if row["share"] is not None]
    drawn = [
        (words.choice(question, row["code"]), words.share(row["share"]), row["share"], row["low"], row["high"])
        for row in rows if row["low"] is not None
    ]  # fmt: skip
    said = "; ".join(f"{label} {share}" for label, share, *_rest in drawn)
    cells = [[words.choice(question, row["code"]), study_words.number(row["n"]), words.share(row["share"]),
              words.interval(row)] for row in rows]  # fmt: skip
    note = _("n = %(n)s, largest error %(margin)s points at 95 %%", n=study_words.number(shares["base"]),
             margin=words.margin(shares["margin"]))  # fmt: skip
    header = [_("Answer"), _("n"), _("Share"), _("Confidence interval")]
    return [*bars(drawn, said), *table(header, cells), *text(note)]


def _lead(vote: Figures, words: Words) -> list[Block]:
    lead = vote["effective"]["lead"]
    if not lead:
        return []
    first, second = (words.choice(vote["question"], lead[name]) for name in ("first", "second"))
    points, error = words.percents.points(lead["difference"]), words.margin(lead["margin"])
    said = _("%(first)s is %(points)s points before %(second)s; the margin of that difference is %(margin)s.",
             first=first, second=second, points=points, margin=error)  # fmt: skip
    if (lead["margin"] or 0) >= (lead["difference"] or 0):
        said = f"{said} {_('That is within the margin: nobody is ahead for certain.')}"
    return text(said)


def _groups(breakdown: Figures, question: str, words: Words) -> list[Block]:
    """One row an answer, one column a group; small groups are marked, hidden ones say so."""
    groups = breakdown["groups"]
    if not groups:
        return []
    names = [study_words.group(breakdown["column"], group["group"]) for group in groups]
    marks = {"ok": "", "small": "*", "hidden": "**"}
    header = [_("Answer"), *(f"{name}{marks[group['cell']]}" for name, group in zip(names, groups, strict=True))]
    found = [{row["code"]: row["share"] for row in group["gross"]} for group in groups]
    codes = list(dict.fromkeys(code for shares in found for code in shares))
    rows: list[list[Any]] = [[words.choice(question, code), *(words.share(shares.get(code)) for shares in found)]
                             for code in codes]  # fmt: skip
    rows.append([_("n"), *(study_words.number(group["base"]) for group in groups)])
    note = _("* fewer than 30 interviews: read with care. ** fewer than 10: not shown.")
    is_noted = any(group["cell"] != "ok" for group in groups)
    title = heading(study_words.group_column(breakdown["column"]))
    return [*title, *table(header, rows), *(text(note) if is_noted else [])]


def _question(question: Figures, words: Words) -> list[Block]:
    title = heading(words.question(question["name"]))
    if question["cell"] == "hidden":
        return [*title, *text(_("Fewer than 10 answers: not shown."))]
    rows = [
        [words.choice(question["name"], row["code"]), study_words.number(row["n"]), words.share(row["share"]),
         words.interval(row)]
        for row in question["rows"]
    ]  # fmt: skip
    header = [_("Answer"), _("n"), _("Share"), _("Confidence interval")]
    note = _("n = %(n)s, largest error %(margin)s points at 95 %%", n=study_words.number(question["base"]),
             margin=words.margin(question["margin"]))  # fmt: skip
    return [*title, *table(header, rows), *text(note)]
