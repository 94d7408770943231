"""The builder's words for what a form calls by codes: types of questions, roles of answers, columns."""

from flask_babel import lazy_gettext as _l

KINDS = {
    "select_one": _l("One answer of a list"),
    "select_multiple": _l("Several answers of a list"),
    "integer": _l("Whole number"),
    "decimal": _l("Number with decimals"),
    "text": _l("Open answer"),
    "date": _l("Date"),
    "note": _l("Text to read aloud"),
    "audio": _l("Answer in the person's voice"),
    "hidden": _l("Filled in from the call"),
    "calculate": _l("Calculated"),
    "begin_group": _l("Group begins"),
    "end_group": _l("Group ends"),
    "begin_repeat": _l("Repeat begins"),
    "end_repeat": _l("Repeat ends"),
}
CHOSEN = ("select_one", "select_multiple", "integer", "decimal", "text", "date", "note", "audio", "hidden", "calculate")
ADDED = (*CHOSEN, "begin_group", "begin_repeat")
ROLES = {
    "": _l("an answer like any other"),
    "candidate": _l("candidate"),
    "none": _l("none of them"),
    "void": _l("would spoil the ballot"),
    "wont_vote": _l("will not vote"),
    "undecided": _l("undecided"),
    "dk": _l("does not know"),
    "refused": _l("does not answer"),
}
TESTS = {"=": _l("is"), "!=": _l("is not"), ">=": _l("is at least"), "<=": _l("is at most"), ">": _l("is more than"),
         "<": _l("is less than")}  # fmt: skip
COLUMNS = {
    "label": _l("Wording"),
    "hint": _l("Hint"),
    "guidance_hint": _l("Guidance for the operator"),
    "type": _l("Type"),
    "required": _l("Must be answered"),
    "required_message": _l("What is said when nothing is answered"),
    "relevant": _l("Asked when"),
    "constraint": _l("What is allowed"),
    "constraint_message": _l("What is said of an answer outside of it"),
    "calculation": _l("Calculation"),
    "choice_filter": _l("Which answers are offered"),
    "default": _l("Value without a call"),
    "randomize": _l("Order rotates"),
    "seed": _l("Seed of the order"),
    "image": _l("Picture"),
    "choice": _l("Answer"),
    "choice_image": _l("Picture of an answer"),
    "role": _l("Role of an answer"),
    "order": _l("Order of the answers"),
    "title": _l("Title"),
    "default_language": _l("First language"),
    "vote_question": _l("Vote question"),
    "likely_question": _l("Question of likely voting"),
    "consent_question": _l("Question of consent"),
}
CHANGES = {"added": _l("Added"), "removed": _l("Removed"), "moved": _l("Moved"), "changed": _l("Changed"),
           "settings": _l("Settings")}  # fmt: skip
