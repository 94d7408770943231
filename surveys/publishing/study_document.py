"""The study as a document: sections of text, tables and bars, in the order of the checklist. Plain JSON, no markup.

What is missing stands in its section, by name; nothing is left out silently. `study_pdf` sets it on paper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import format_datetime
from flask_babel import gettext as _

from surveys import studies
from surveys.publishing import study_files, study_results, study_source, study_words
from surveys.publishing.study_blocks import Block, heading, table, text
from surveys.publishing.study_checklist import Standing
from surveys.publishing.study_figures import Figures
from surveys.publishing.study_source import Source
from surveys.publishing.study_words import Words

Document = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """What sections are made of. `digests`: file -> SHA-256."""

    source: Source
    figures: Figures
    words: Words
    digests: Mapping[str, str]

    @property
    def record(self) -> Mapping[str, Any]:
        return self.source.said.record


def document(
    source: Source, figures: Figures, standings: Sequence[Standing], digests: Mapping[str, str]
) -> Document:  # fmt: skip
    """The whole. `standings`: of the checklist, by which the sections are ordered and named."""
    words = study_words.words(source.responses.items, source.language, source.recipes.vote)
    written = Written(source, figures, words, digests)
    language = source.language
    sections = [
        {"code": one.item.code, "title": one.item.label[language],
         "blocks": SECTIONS[one.item.code](written) if one.item.code in SECTIONS else [],
         "missing": [fact.label[language] for fact in one.missing]}
        for one in standings if one.item.when == "study"
    ]  # fmt: skip
    lacking = [fact for one in standings for fact in one.missing]
    return {
        "language": language,
        "title": source.said.title,
        "subtitle": source.survey,
        "facts": study_results.headline(figures, words),
        "conductor": source.said.parties.get("conductor", {}).get("name", ""),
        "as_of": _("As of %(time)s", time=format_datetime(source.as_of, "short")),
        "list": f"{source.checklist.title[language]} ({source.checklist.version})",
        "caution": "" if source.checklist.read_by else source.checklist.caution[language],
        "logos": [f"logo_{party}" for party in studies.PARTIES if source.said.files.get(f"logo_{party}")],
        "sections": sections,
        "publication": _publication(written),
        "words": {"missing": _("Missing"), "page": _("Page"), "publication": _("The publication"), "of": _("of"),
                  "complete": "" if lacking else _("Every item of the list is present.")},
    }  # fmt: skip


def _objectives(written: Written) -> list[Block]:
    return text(written.record.get("objectives"))


def _frame(written: Written) -> list[Block]:
    return text(written.record.get("frame"))


def _population(written: Written) -> list[Block]:
    return text(written.record.get("population"))


def _estimation(written: Written) -> list[Block]:
    recipe = written.source.recipes.weights
    fits = [
        [fit["variable"], fit["level"] or "–", study_words.number(fit["n"]), study_words.rate(fit["before"]),
         study_words.rate(fit["target"]), study_words.rate(fit["after"])]
        for fit in written.figures["weights"]["fits"]
    ]  # fmt: skip
    header = [_("Variable"), _("Level"), _("n"), _("Before"), _("Target"), _("After")]
    said = [study_words.weighting(written.figures, recipe.method if recipe else None)]
    if recipe:
        said.append(_("Targets: %(source)s (version %(version)s of the recipe).", source=recipe.source,
                      version=recipe.version))  # fmt: skip
    if recipe and recipe.cap:
        people = study_words.number(written.figures["weights"]["capped"])
        said.append(_("No weight is above %(cap)s times the mean; %(people)s interviews stand at that cap.",
                      cap=study_words.number(recipe.cap, 1), people=people))  # fmt: skip
    return [*text(written.record.get("estimation")), *text("\n".join(said)), *table(header, fits)]


def _sample(written: Written) -> list[Block]:
    field = written.figures["field"]
    said = _("%(n)s interviews are counted, of %(all)s in the data.", n=study_words.number(field["n"]),
             all=study_words.number(field["interviews"]))  # fmt: skip
    return [*text(said), *text(written.record.get("sampling"))]


def _nonresponse(written: Written) -> list[Block]:
    vote = written.figures["vote"]
    roles = vote["roles"] if vote else {}
    rows = [[str(study_words.ROLES[role]), written.words.share(roles[role]) if role in roles else _("not offered")]
            for role in ("undecided", "dk", "wont_vote", "none", "void", "refused")] if vote else []  # fmt: skip
    return [*table([_("Answer to the vote question"), _("Share")], rows), *text(written.record.get("nonresponse"))]


def _rejection(written: Written) -> list[Block]:
    told = written.source.rejection
    rows = [
        [_("Refusals and break-offs among persons contacted"), study_words.rate(told["of_contacted"]),
         f"{study_words.number(told['refused'])} / {study_words.number(told['reached'])}"],
        [_("Refusals and break-offs among attempts"), study_words.rate(told["of_attempts"]),
         f"{study_words.number(told['refused'])} / {study_words.number(told['attempts'])}"],
        [_("Unsuccessful contacts among attempts"), study_words.rate(told["unsuccessful"]),
         f"{study_words.number(told['attempts'] - told['reached'])} / {study_words.number(told['attempts'])}"],
    ]  # fmt: skip
    return table([_("Rate"), _("Value"), _("Count / of")], rows)


def _collection(written: Written) -> list[Block]:
    field = written.figures["field"]
    faces = [[str(study_words.FACES.get(face, face)), study_words.number(n)] for face, n in field["faces"].items()]
    said = [study_words.days(field["first_day"], field["last_day"])]
    if field["interviewers"]:
        said.append(_("Interviewers: %(n)s.", n=field["interviewers"]))
    if field["minutes"]:
        said.append(_("Half of the interviews took less than %(minutes)s minutes at the questions.",
                      minutes=study_words.number(field["minutes"], 1)))  # fmt: skip
    dates = text("\n".join(said))
    return [*text(written.record.get("collection")), *dates, *table([_("Way"), _("Interviews")], faces)]


def _questionnaire(written: Written) -> list[Block]:
    source = written.source
    blocks: list[Block] = []
    for form in source.forms[:1]:
        rows = [_question_row(item, source.language) for item in form.items["items"]
                if item["type"] not in ("hidden", "calculate")]  # fmt: skip
        blocks += table([_("Name"), _("Wording"), _("Answers"), _("Asked when")], rows, numeric=False)
    said = [_("Only candidates change places, in an order drawn for each interview and kept with the answer.")]
    said += [_("Version %(number)s: %(file)s, SHA-256 %(digest)s.", number=form.version, file=form.file_name,
               digest=form.sha256) for form in source.forms]  # fmt: skip
    return [*blocks, *text("\n".join(said))]


def _question_row(item: Mapping[str, Any], language: str) -> list[str]:
    def said(labels: Mapping[str, str]) -> str:
        return labels.get(language) or next(iter(labels.values()), "")

    answers = " · ".join(said(choice["label"]) or choice["name"] for choice in item["choices"])
    rotates = f" ({_('order rotates')})" if item.get("randomize") else ""
    return [item["name"], said(item["label"]), answers + rotates, " and ".join(item["relevant"]) or _("always")]


def _processing(written: Written) -> list[Block]:
    vote, recipe = written.figures["vote"], written.source.recipes.vote
    limits = text(written.record.get("limits"))
    limits = [*heading(_("Limits of the study")), *limits] if limits else []
    if not vote or not recipe:
        return [*text(written.record.get("processing")), *limits]
    rows = []
    for step in vote["steps"]:
        for code, moved in step["moved"].items():
            change = ("+" if (moved or 0) > 0 else "") + written.words.percents.points(moved)
            rows.append([str(study_words.STEPS[step["name"]]), written.words.choice(vote["question"], code),
                         written.words.share(step["before"].get(code)), written.words.share(step["after"].get(code)),
                         change])  # fmt: skip
    header = [_("Step"), _("Answer"), _("Before"), _("After"), _("Moved")]
    said = _("Intervals are Wilson's, with a confidence of 95 percent, for the number of people that the design effect"
             " leaves; errors follow from the weights by Taylor linearisation.")  # fmt: skip
    steps = [row for row in rows if row[4].strip("+-−0., ") or row[0] == str(study_words.STEPS["effective"])]
    blocks = [*text(written.record.get("processing")), *text(study_words.cooking(recipe)), *text(said)]
    return [*blocks, *table(header, steps), *study_results.order(written.figures, written.words), *limits]


def _software(_written: Written) -> list[Block]:
    return table([_("Software"), _("Version")], [list(pair) for pair in study_source.software().items()])


def _database(written: Written) -> list[Block]:
    said = _("The data come as CSV and as an SPSS file with labels and missing values, without names, phones or other"
             " identities, without passwords or locks. The codebook names every column.")  # fmt: skip
    rows = [[name, digest] for name, digest in written.digests.items() if name.startswith("data/")]
    return [*text(said), *table([_("File"), "SHA-256"], rows, numeric=False)]


def _parties(written: Written) -> list[Block]:
    rows = [
        [str(label), fields.get("name", ""), fields.get("legal_name", ""), fields.get("contact", "")]
        for party, label in studies.PARTIES.items() if (fields := written.source.said.parties.get(party, {}))
    ]  # fmt: skip
    return table([_("Who"), _("Name"), _("Registered name"), _("Contact")], rows, numeric=False)


def _resources(written: Written) -> list[Block]:
    rows = [
        [payer, document, f"$ {study_words.number(float(amount), 2)}", study_words.rate(share)]
        for payer, amount, share, document in studies.shares_of(written.source.said.resources)
    ]
    return table([_("Who paid"), _("Invoice or contract"), _("Amount (MXN)"), _("Share")], rows)


def _firm(written: Written) -> list[Block]:
    firm = written.source.said.firm
    files = [[str(study_files.KINDS[one.kind]), one.file_name] for one in written.source.attachments]
    said = [firm.get("experience", ""), firm.get("memberships", "")]
    return [*text("\n".join(said)), *table([_("Enclosed"), _("File")], files, numeric=False)]


def _publication(written: Written) -> list[Block]:
    said = written.source.said
    if not said.published_on:
        return text(_("Not published yet."))
    return text(_("Published on %(day)s in %(place)s.", day=study_words.days(said.published_on, said.published_on),
                  place=said.published_in or "–"))  # fmt: skip


def _errors(written: Written) -> list[Block]:
    return study_results.errors(written.figures, written.words)


def _results(written: Written) -> list[Block]:
    return study_results.results(written.figures, written.words)


SECTIONS = {
    "1": _objectives, "2": _frame, "3a": _population, "3b": _estimation, "3c": _sample, "3d": _errors,
    "3e": _nonresponse, "3f": _rejection, "4": _collection, "5": _questionnaire, "6": _processing, "7": _software,
    "8": _database, "9": _results, "10": _parties, "11": _resources, "12": _firm,
}  # fmt: skip
