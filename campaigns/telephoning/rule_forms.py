"""The rules of a calling campaign as fields: retries, passes, order and money. A part of a page's form.

Field names begin with `rule_`; those of one outcome are `rule_<outcome>_<what>`."""

from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DecimalField, Field, IntegerField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import NumberRange, Optional

from callcenter.gate.rulebook import MAX_IN_ALL
from callcenter.ledger import dispositions
from callcenter.queueing import queue_rules
from callcenter.queueing.queue_rules import MOST_GROWTH, MOST_MONEY, MOST_PASSES, MOST_RETRIES, RETRIES, Retry, Rules

# Outcomes whose retry a strategist sets; the others are the line's own matters.
OFFERED = ("no_answer", "busy", "machine", "voicemail", "not_available", "no_reply", "failed", "invalid_number",
           "wrong_number", "given_up")  # fmt: skip
PLACES = ("1", "2", "3", "4")
RANGE = _l("Write a number from %(min)s to %(max)s.")
NOTHING = _l("Write a number from %(min)s to %(max)s, or nothing.")
ORDERS = [SelectChoice("", _l("nothing more")),
          *(SelectChoice(code, label) for code, label in queue_rules.ORDERS.items() if code != "newest")]  # fmt: skip
WITHIN = [SelectChoice("listed", _l("as they stand on the list")), SelectChoice("newest", _l("the newest first"))]
PHONES = [SelectChoice("same", _l("the same")), SelectChoice("other", _l("their next one"))]
THEN = [SelectChoice("pass", _l("the next pass")), SelectChoice("done", _l("is done"))]


class RuleForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Who is called when. `rules()` gives them once the form is valid."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # as above
        csrf = False  # the page that it is a part of brings its own token

    rule_most_attempts = IntegerField(
        _l("Tries of one person, at most"), [NumberRange(1, MAX_IN_ALL, RANGE)], default=3
    )
    rule_passes = IntegerField(_l("Passes through the list"), [NumberRange(1, MOST_PASSES, RANGE)], default=1)
    rule_hours_between_passes = DecimalField(
        _l("Hours between two passes, at least"), [NumberRange(0, 336, RANGE)], default=24,
        places=None,
    )  # fmt: skip
    rule_order_1 = SelectField(_l("Order: first by"), choices=ORDERS, default="priority")
    rule_order_2 = SelectField(_l("then by"), choices=ORDERS, default="pass")
    rule_order_3 = SelectField(_l("then by"), choices=ORDERS, default="")
    rule_order_4 = SelectField(_l("then by"), choices=ORDERS, default="")
    rule_within = SelectField(_l("Among equals"), choices=WITHIN, default="listed")
    rule_section_goal = IntegerField(
        _l("Conversations wanted in each section"), [Optional(), NumberRange(1, 100_000, NOTHING)]
    )
    rule_household_minutes = IntegerField(
        _l("Minutes of rest of a household after a conversation"),
        [NumberRange(0, queue_rules.LONGEST, RANGE)], default=0,
    )  # fmt: skip
    rule_look_seconds = IntegerField(
        _l("Seconds to look at a person before a call"), [Optional(), NumberRange(*queue_rules.LOOK_SECONDS, RANGE)],
        default=120,
    )  # fmt: skip
    rule_skip_minutes = IntegerField(
        _l("Minutes until who was skipped is shown again"), [Optional(), NumberRange(1, queue_rules.LONGEST, RANGE)],
        default=60,
    )  # fmt: skip
    rule_minute_price = DecimalField(
        _l("Price of a started minute (MXN)"), [Optional(), NumberRange(0, 1000, NOTHING)], default=0, places=None
    )
    rule_spend_day_limit = DecimalField(
        _l("Spending of a day, at most (MXN)"), [Optional(), NumberRange(0, MOST_MONEY, NOTHING)], places=None
    )
    rule_spend_limit = DecimalField(
        _l("Spending in all, at most (MXN)"), [Optional(), NumberRange(0, MOST_MONEY, NOTHING)], places=None
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Each field, and then what only all of them together show."""
        is_valid = bool(super().validate(extra_validators))
        own = [field for field in self if field.name.startswith("rule_")]
        if any(field.errors for field in own):
            return is_valid
        faults = queue_rules.faults_of(self.rules())
        for name, sentence in faults.items():
            field = self._field_of(name)
            field.errors = [*field.errors, sentence]
        return is_valid and not faults

    def rules(self) -> Rules:
        """What was chosen."""
        chosen = [self[f"rule_order_{place}"].data for place in PLACES]
        newest = ["newest"] if self.rule_within.data == "newest" else []
        return Rules(
            retries={code: retry for code in OFFERED if (retry := self._retry(code)) != RETRIES[code]},
            most_attempts=self.rule_most_attempts.data, passes=self.rule_passes.data,
            minutes_between_passes=round(self.rule_hours_between_passes.data * 60),
            order=tuple([code for code in chosen if code] + newest), section_goal=self.rule_section_goal.data,
            household_minutes=self.rule_household_minutes.data,
            look_seconds=self.rule_look_seconds.data or Rules.look_seconds,
            skip_minutes=self.rule_skip_minutes.data or Rules.skip_minutes,
            minute_price=self.rule_minute_price.data or Decimal(0), spend_limit=self.rule_spend_limit.data,
            spend_day_limit=self.rule_spend_day_limit.data,
        )  # fmt: skip

    def retry_rows(self) -> list[tuple[str, str, dict[str, Field]]]:
        """For the page: outcome, its label, its fields (most, minutes, growth, phone, then)."""
        parts = ("most", "minutes", "growth", "phone", "then")
        return [
            (code, dispositions.label(code), {part: self[f"rule_{code}_{part}"] for part in parts}) for code in OFFERED
        ]

    def _retry(self, code: str) -> Retry:
        def said(part: str) -> Any:
            return self[f"rule_{code}_{part}"].data

        return Retry(
            most=said("most"), minutes=float(said("minutes")), growth=float(said("growth")),
            other_phone=said("phone") == "other", next_pass=said("then") == "pass",
        )  # fmt: skip

    def _field_of(self, name: str) -> Field:
        """Where a fault of the rules is shown."""
        if name.startswith("retries."):
            return self[f"rule_{name.removeprefix('retries.')}_minutes"]
        return self["rule_order_1" if name == "order" else f"rule_{name}".replace("minutes_between", "hours_between")]


def _add_retry(code: str, retry: Retry) -> None:
    """The fields of one outcome; a form learns them one by one."""
    fields = {
        "most": IntegerField(_l("Retries, at most"), [Optional(), NumberRange(0, MOST_RETRIES, NOTHING)]),
        "minutes": DecimalField(
            _l("Minutes until the retry"), [NumberRange(1, queue_rules.LONGEST, RANGE)],
            default=Decimal(f"{retry.minutes:g}"), places=None,
        ),
        "growth": DecimalField(
            _l("Each pause so many times the last"), [NumberRange(1, int(MOST_GROWTH), RANGE)],
            default=Decimal(1), places=None,
        ),
        "phone": SelectField(_l("The retry rings"), choices=PHONES, default="other" if retry.other_phone else "same"),
        "then": SelectField(_l("After the last retry the person"), choices=THEN, default="pass"),
    }  # fmt: skip
    for part, field in fields.items():
        setattr(RuleForm, f"rule_{code}_{part}", field)


for _code in OFFERED:
    _add_retry(_code, RETRIES[_code])


def fill(rules: Rules) -> dict[str, str]:
    """The fields that say these rules, as somebody would have typed them."""
    order = [code for code in rules.order if code != "newest"]
    typed: dict[str, Any] = {
        "most_attempts": rules.most_attempts, "passes": rules.passes,
        "hours_between_passes": f"{rules.minutes_between_passes / 60:g}",
        "within": "newest" if "newest" in rules.order else "listed", "section_goal": rules.section_goal,
        "household_minutes": rules.household_minutes, "minute_price": rules.minute_price,
        "spend_limit": rules.spend_limit, "spend_day_limit": rules.spend_day_limit,
        "look_seconds": rules.look_seconds, "skip_minutes": rules.skip_minutes,
    }  # fmt: skip
    typed |= {f"order_{place}": order[int(place) - 1] if int(place) <= len(order) else "" for place in PLACES}
    for code in OFFERED:
        retry = rules.retry(code) or RETRIES[code]
        typed |= {
            f"{code}_most": retry.most, f"{code}_minutes": f"{retry.minutes:g}", f"{code}_growth": f"{retry.growth:g}",
            f"{code}_phone": "other" if retry.other_phone else "same",
            f"{code}_then": "pass" if retry.next_pass else "done",
        }  # fmt: skip
    return {f"rule_{name}": "" if value is None else str(value) for name, value in typed.items()}
