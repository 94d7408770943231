"""What the forms of campaigns have in common: lists of codes to choose from, and what every campaign must say."""

from flask_babel import lazy_gettext as _l
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Length

from campaigns import labels

ANSWERED_BY = [SelectChoice(code, label) for code, label in labels.ANSWERED_BY.items()]
RECORDING = [SelectChoice(code, label) for code, label in labels.RECORDING.items()]
MACHINES = [SelectChoice(code, label) for code, label in labels.MACHINES.items()]
PURPOSES = [SelectChoice(code, label) for code, label in labels.PURPOSES.items()]
NAME = [DataRequired(_l("Give the campaign a name.")), Length(max=120)]
BEHALF = [DataRequired(_l("Say on whose behalf: people are told so.")), Length(max=200)]
