from decimal import Decimal

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from callcenter.queueing.queue_rules import Retry, Rules
from campaigns.telephoning import rule_forms
from campaigns.telephoning.rule_forms import OFFERED, RuleForm

retries = st.builds(
    Retry, most=st.none() | st.integers(0, 10), minutes=st.integers(1, 20_000).map(float),
    growth=st.sampled_from([1.0, 1.5, 5.0]), other_phone=st.booleans(), next_pass=st.booleans(),
)  # fmt: skip
money = st.none() | st.decimals(0, 10_000, places=2)
rules_of_anybody = st.builds(
    Rules, retries=st.dictionaries(st.sampled_from(OFFERED), retries), most_attempts=st.integers(1, 6),
    passes=st.integers(1, 5), minutes_between_passes=st.integers(0, 300).map(lambda hours: hours * 60),
    order=st.permutations(["priority", "pass", "hour"]).map(tuple), household_minutes=st.integers(0, 600),
    look_seconds=st.integers(15, 900), skip_minutes=st.integers(1, 600),
    spend_limit=money, spend_day_limit=money,
)  # fmt: skip


def form(app: Flask, typed: dict[str, str]) -> RuleForm:
    with app.test_request_context(), force_locale("en"):
        made = RuleForm(MultiDict(typed))
        made.validate()
    return made


def test_nothing_typed_means_the_rules_of_the_house(app: Flask) -> None:
    empty = form(app, {})
    assert empty.errors == {}
    assert empty.rules() == Rules()


@given(rules_of_anybody)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_rules_that_were_saved_are_typed_again_as_they_were(app: Flask, rules: Rules) -> None:
    again = form(app, rule_forms.fill(rules))
    assert again.errors == {}
    assert all(again.rules().retry(code) == rules.retry(code) for code in OFFERED)
    assert rule_forms.fill(again.rules()) == rule_forms.fill(rules)


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("rule_passes", "9", "Write a number from 1 to 5."),
        ("rule_look_seconds", "5", "Write a number from 15 to 900."),
        ("rule_skip_minutes", "-1", "Write a number from 1 to 20160."),
        ("rule_busy_minutes", "0", "Write a number from 1 to 20160."),
        ("rule_busy_most", "11", "Write a number from 0 to 10, or nothing."),
        ("rule_spend_limit", "-1", "or nothing."),
        ("rule_order_2", "section_goal", ""),
    ],
)
def test_what_cannot_be_used_is_said_at_its_field(app: Flask, field: str, typed: str, sentence: str) -> None:
    wrong = form(app, rule_forms.fill(Rules()) | {field: typed})
    where = "rule_section_goal" if typed == "section_goal" else field
    assert list(wrong.errors) == [where]
    with app.test_request_context(), force_locale("en"):
        assert sentence in str(wrong.errors[where][-1])


def test_two_places_of_the_order_cannot_say_the_same(app: Flask) -> None:
    wrong = form(app, rule_forms.fill(Rules(order=("priority",))) | {"rule_order_2": "priority"})
    assert list(wrong.errors) == ["rule_order_1"]


def test_money_and_newest_first_are_read_from_what_was_typed(app: Flask) -> None:
    typed = {"rule_minute_price": "0.85", "rule_spend_day_limit": "1200.50", "rule_within": "newest"}
    rules = form(app, rule_forms.fill(Rules()) | typed).rules()
    assert (rules.minute_price, rules.spend_day_limit) == (Decimal("0.85"), Decimal("1200.50"))
    assert rules.order == ("priority", "pass", "newest")
