"""The tables of a study as one XLSX: what it is, its results, every question, the groups, the weights, and the data."""

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _

from surveys.analysis import table_words, tables
from surveys.publishing import codebook, study_words
from surveys.publishing.codebook import Variable
from surveys.publishing.data_files import MOST_ROWS_XLSX, Workbook, data_rows
from surveys.publishing.study_figures import Figures
from surveys.publishing.study_source import Source
from surveys.publishing.study_words import Words
from surveys.responses import Responses

Row = list[Any]


def workbook(source: Source, weighed: Responses, figures: Figures, described: list[Variable]) -> bytes:
    """The file's bytes. Shares are numbers from 0 to 1."""
    words = study_words.words(weighed.items, source.language, source.recipes.vote)
    book, notes = Workbook(), _notes(source, figures)
    book.add(_("Study"), [source.said.title], [[note] for note in notes])
    shares = [_("n"), _("share"), _("low"), _("high")]
    if figures["vote"]:
        answer = [_("table"), _("code"), _("answer"), _("role"), *shares, _("base"), _("margin")]
        book.add(_("Vote"), answer, _vote(figures, words), notes)
        book.add(_("Steps"), [_("step"), _("code"), _("answer"), _("before"), _("after"), _("moved"), _("people")],
                 _steps(figures, words))  # fmt: skip
    question = [_("question"), _("wording"), _("code"), _("answer"), *shares, _("base"), _("margin"), _("cell")]
    book.add(_("Questions"), question, _questions(figures, words), notes)
    group = [_("breakdown"), _("group"), _("table"), _("code"), _("answer"), *shares, _("base"), _("cell")]
    book.add(_("Groups"), group, _groups(figures, words), notes)
    crossed = tables.standard(weighed, weighed.frame["weight"].to_numpy(), source.language)
    book.add(_("Cross tables"), table_words.header(), table_words.flat(crossed), notes)
    book.add(_("Weights"), [_("variable"), _("level"), _("n"), _("before"), _("target"), _("after")], _fits(figures))
    book.add(_("Codebook"), codebook.header(), codebook.rows(described))
    if weighed.frame.height <= MOST_ROWS_XLSX:
        book.add(_("Data"), weighed.frame.columns, data_rows(weighed.frame))
    return book.content()


def _notes(source: Source, figures: Figures) -> list[str]:
    field, weights = figures["field"], figures["weights"]
    dates = study_words.days(field["first_day"], field["last_day"])
    method = source.recipes.weights.method if source.recipes.weights else None
    return [
        f"{source.survey} · {source.said.title}",
        _("n = %(n)s · %(dates)s · margin %(margin)s points at 95 %%", n=study_words.number(field["n"]), dates=dates,
          margin=study_words.words({}, source.language, source.recipes.vote).margin(weights["margin"])),
        study_words.weighting(figures, method),
    ]  # fmt: skip


def _vote(figures: Figures, words: Words) -> Iterator[Row]:
    vote = figures["vote"]
    item = words.items[vote["question"]]
    roles = {choice.code: choice.role or "candidate" for choice in item.choices}
    for table in ("gross", "effective"):
        for row in vote[table]["rows"]:
            label = words.choice(item.name, row["code"])
            yield [table, row["code"], label, roles[row["code"]], row["n"], row["share"], row["low"], row["high"],
                   vote[table]["base"], vote[table]["margin"]]  # fmt: skip


def _steps(figures: Figures, words: Words) -> Iterator[Row]:
    vote = figures["vote"]
    for step in vote["steps"]:
        for code, moved in step["moved"].items():
            label = words.choice(vote["question"], code)
            yield [str(study_words.STEPS[step["name"]]), code, label, step["before"].get(code),
                   step["after"].get(code), moved, step["people"]]  # fmt: skip


def _questions(figures: Figures, words: Words) -> Iterator[Row]:
    for question in figures["questions"]:
        name, wording = question["name"], words.question(question["name"])
        for row in question["rows"]:
            yield [name, wording, row["code"], words.choice(name, row["code"]), row["n"], row["share"], row["low"],
                   row["high"], question["base"], question["margin"], question["cell"]]  # fmt: skip


def _groups(figures: Figures, words: Words) -> Iterator[Row]:
    for breakdown in figures["groups"]:
        column = breakdown["column"]
        for group in breakdown["groups"]:
            said = [study_words.group_column(column), study_words.group(column, group["group"])]
            if not group["gross"]:
                yield [*said, "", "", "", None, None, None, None, group["base"], group["cell"]]
            for table, base in (("gross", group["base"]), ("effective", group["effective_base"])):
                for row in group[table]:
                    label = words.choice(figures["vote"]["question"], row["code"])
                    yield [*said, table, row["code"], label, row["n"], row["share"], row["low"], row["high"], base,
                           group["cell"]]  # fmt: skip


def _fits(figures: Figures) -> Iterator[Row]:
    for fit in figures["weights"]["fits"]:
        yield [fit["variable"], fit["level"], fit["n"], fit["before"], fit["target"], fit["after"]]
