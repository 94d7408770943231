"""Which tables somebody wants of a survey, read from an address, and these tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from flask_babel import gettext as _
from numpy.typing import NDArray
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from callcenter.base.errors import InvalidInput
from surveys.analysis import crosstabs, table_variables
from surveys.analysis.crosstabs import Settings, Table
from surveys.analysis.table_variables import Coded, Level, Variable
from surveys.coding import coded_answers
from surveys.responses import Responses

STANDARD = ("d_sex", "d_age_band", "h_section_kind")  # the columns that a table has when nobody chose
MOST_QUESTIONS, MOST_BY = 12, 6  # of one page
MOST_LEVELS = 40  # of a variable in the columns, or to filter by
APART = ":"  # between a variable and its level in the address
CODED = "_coded"  # how the name of a coded question ends

Pair = tuple[Variable, Coded]


@dataclass(frozen=True)
class Choices:
    """What there is: `questions` for the rows, `by` for the columns and filters (each: name -> variable)."""

    questions: Mapping[str, Variable]
    by: Mapping[str, Variable]


@dataclass(frozen=True)
class Wanted:
    """`only`: (variable, level) pairs that all have to hold; `weighted`: by the recipe in force; `with_tests`: the
    p-values of the comparisons, too."""

    questions: tuple[str, ...]
    by: tuple[str, ...]
    only: tuple[tuple[str, str], ...] = ()
    weighted: bool = True
    settings: Settings = field(default_factory=Settings)
    with_tests: bool = False

    def query(self) -> dict[str, Any]:
        """The address's values that say the same."""
        values: dict[str, Any] = {"q": list(self.questions), "by": list(self.by)}
        if self.only:
            values["only"] = [APART.join(pair) for pair in self.only]
        flags = {"weights": ("no", not self.weighted), "base": ("valid", self.settings.only_valid),
                 "adjust": ("no", not self.settings.adjust), "p": ("1", self.with_tests)}  # fmt: skip
        return values | {name: value for name, (value, is_set) in flags.items() if is_set}


def choices(session: Session, responses: Responses, language: str) -> Choices:
    """Every question of the survey that can be counted, coded open answers among them, and what to cross them with."""
    questions = table_variables.questions(responses, language)
    for question in coded_answers.coded_questions(session, responses.survey_id, language):
        levels = tuple(Level(code, label) for code, label in question.choices)
        kind = "multiple" if question.is_multiple else "single"
        questions[question.name] = Variable(question.name, question.label, kind, levels)
    by = table_variables.facts(responses) | {
        name: each for name, each in questions.items() if each.kind != "number"
    }  # fmt: skip
    return Choices(questions, {name: each for name, each in by.items() if len(each.levels) <= MOST_LEVELS})


def read(values: MultiDict[str, str], found: Choices, vote_question: str | None) -> Wanted:
    """What an address asks for. Without questions: the vote; without columns: sex, age and kind of section.

    Raises InvalidInput with a sentence for each part that is not known."""
    faults: dict[str, str] = {}
    questions = _names(values.getlist("q"), found.questions, "q", faults) or _first(found, vote_question)
    by = _names(values.getlist("by"), found.by, "by", faults)
    if not by and "q" not in values:
        by = [name for name in STANDARD if name in found.by]
    only = [pair for text in values.getlist("only") if (pair := _pair(text, found, faults))]
    if len(questions) > MOST_QUESTIONS:
        faults["q"] = _("A page shows %(most)s tables at most; choose fewer questions.", most=MOST_QUESTIONS)
    if len(by) > MOST_BY:
        faults["by"] = _("A table has %(most)s variables in its columns at most; choose fewer.", most=MOST_BY)
    if faults:
        raise InvalidInput(faults)
    settings = Settings(only_valid=values.get("base") == "valid", adjust=values.get("adjust") != "no")
    return Wanted(
        tuple(questions), tuple(by), tuple(only), values.get("weights") != "no", settings, values.get("p") == "1"
    )


def make(
    session: Session, responses: Responses, wanted: Wanted, found: Choices, weights: NDArray[np.float64] | None
) -> list[Table]:
    """The tables, one for each question."""
    read_ones: dict[str, Pair] = {}

    def pair(variable: Variable) -> Pair:
        if variable.name not in read_ones:
            read_ones[variable.name] = (variable, answers(session, responses, variable))
        return read_ones[variable.name]

    among = _among(wanted.only, found, pair)
    by = [pair(found.by[name]) for name in wanted.by]
    return [
        crosstabs.cross(pair(found.questions[name]), _others(by, name), weights, among, wanted.settings)
        for name in wanted.questions
    ]


def answers(session: Session, responses: Responses, variable: Variable) -> Coded:
    """The answers to a question, or what coders made of it."""
    if variable.name in responses.frame.columns:
        return table_variables.coded(responses, variable)
    item = variable.name.removesuffix(CODED)
    given = coded_answers.codes(session, responses.survey_id, item)
    return table_variables.coded_mentions(responses, given, variable)


def standard(
    responses: Responses, weights: NDArray[np.float64] | None, language: str = "es", settings: Settings | None = None
) -> list[Table]:
    """Every question by sex, age and kind of section: the tables of a study's annex. Coded answers are left out."""
    facts = table_variables.facts(responses)
    by = [(facts[name], table_variables.coded(responses, facts[name])) for name in STANDARD if name in facts]
    return [
        crosstabs.cross((each, table_variables.coded(responses, each)), by, weights, None, settings)
        for each in table_variables.questions(responses, language).values()
    ]


def _names(given: Sequence[str], known: Mapping[str, Variable], field: str, faults: dict[str, str]) -> list[str]:
    names = list(dict.fromkeys(name for name in given if name))
    for name in names:
        if name not in known:
            faults[field] = table_variables.unknown(name, list(known))
    return names


def _first(found: Choices, vote_question: str | None) -> list[str]:
    if vote_question is not None and vote_question in found.questions:
        return [vote_question]
    return list(found.questions)[:1]


def _pair(text: str, found: Choices, faults: dict[str, str]) -> tuple[str, str] | None:
    name, _apart, code = text.partition(APART)
    if not code:
        return None
    variable = found.by.get(name)
    if variable is None:
        faults["only"] = table_variables.unknown(name, list(found.by))
    elif code not in (level.code for level in variable.levels):
        known = ", ".join(level.code for level in variable.levels)
        faults["only"] = _("“%(value)s” is not one of %(known)s.", value=code, known=known)
    return name, code


def _among(only: Sequence[tuple[str, str]], found: Choices, pair: Any) -> NDArray[np.bool_] | None:
    among: NDArray[np.bool_] | None = None
    for name, code in only:
        variable, codes = pair(found.by[name])
        place = [level.code for level in variable.levels].index(code)
        chosen = who(codes, place)
        among = chosen if among is None else among & chosen
    return among


def who(codes: Coded, place: int) -> NDArray[np.bool_]:
    """Which people gave the answer at this place of the levels."""
    if codes.at is None:
        return np.equal(codes.codes, place)
    chosen = np.zeros_like(codes.has_answer)
    chosen[codes.at[codes.codes == place]] = True
    return chosen


def _others(by: Sequence[Pair], name: str) -> list[Pair]:
    """A question is not crossed with itself."""
    return [(variable, codes) for variable, codes in by if variable.name != name]


def only_one(wanted: Wanted, question: str) -> Wanted:
    """The same, of one question: what a file of one table is asked with."""
    return replace(wanted, questions=(question,))
