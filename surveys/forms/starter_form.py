"""The questionnaire that a survey made in the page begins with: who calls, consent, one question, good-bye. Pure."""

from surveys.forms.sheets import Source

_LABEL = "label::Español (es)"
_SURVEY = (
    ("hidden", "operator_name", "", "", ""),
    ("hidden", "sponsor", "", "", ""),
    ("note", "intro", "Buen día, le llama ${operator_name} de parte de ${sponsor}. Hacemos una encuesta de opinión; "
     "sus respuestas son confidenciales.", "", ""),
    ("select_one yes_no", "consent", "¿Acepta participar?", "yes", ""),
    ("select_one vote", "vote", "Si hoy fuera la elección, ¿por quién votaría?", "yes", "${consent} = 'yes'"),
    ("note", "bye", "Muchas gracias por su tiempo.", "", ""),
)  # fmt: skip
_CHOICES = (
    ("yes_no", "yes", "Sí", ""),
    ("yes_no", "no", "No", ""),
    ("vote", "a", "Candidatura A", "candidate"),
    ("vote", "b", "Candidatura B", "candidate"),
    ("vote", "none", "Ninguna", "none"),
    ("vote", "void", "Anularía su voto", "void"),
    ("vote", "wont_vote", "No votaría", "wont_vote"),
    ("vote", "undecided", "Aún no decide", "undecided"),
    ("vote", "dk", "No sabe", "dk"),
    ("vote", "refused", "No contesta", "refused"),
)


def source(title: str) -> Source:
    """The sheets of a first questionnaire with this title."""
    return {
        "survey": {
            "headings": ["type", "name", _LABEL, "required", "relevant", "parameters"],
            "lines": [[*row, "randomize=true" if row[1] == "vote" else ""] for row in _SURVEY],
        },
        "choices": {"headings": ["list_name", "name", _LABEL, "role"], "lines": [list(row) for row in _CHOICES]},
        "settings": {
            "headings": ["form_title", "default_language", "vote_question"],
            "lines": [[title, "Español (es)", "vote"]],
        },
    }
