"""The effect of the order in which answers were read."""

import math
from collections.abc import Sequence
from itertools import permutations

import numpy as np
import polars as pl
import pytest

from surveys.analysis import order_effects
from surveys.analysis.order_effects import Meter, measure
from surveys.analysis.response_items import Choice, Item

ORDERS = [list(one) for one in permutations("abc")]
VOTE = Item(
    "vote", "select_one", {}, (*(Choice(code, "candidate", {}) for code in "abc"), Choice("dk", "dk", {})),
    is_randomised=True,
)  # fmt: skip


def _measure(answers: Sequence[str | None], orders: Sequence[list[str] | None], weights: np.ndarray | None = None,
             item: Item = VOTE) -> Meter:  # fmt: skip
    frame = pl.DataFrame(
        {"vote": pl.Series(answers, dtype=pl.Enum(item.codes)), "o_vote": pl.Series(orders, dtype=pl.List(pl.String))}
    )
    return measure(frame, item, weights)


def test_who_names_whatever_is_read_first_pulls_every_answer_up() -> None:
    orders = [[*order, "dk"] for order in ORDERS * 20]
    meter = _measure([order[0] for order in orders], orders)
    assert [(effect.first, effect.later, effect.difference) for effect in meter.effects] == [(1.0, 0.0, 1.0)] * 3
    assert [effect.first_n for effect in meter.effects] == [40, 40, 40]
    assert meter.first is not None
    assert meter.last is not None
    assert meter.first.share == 1.0
    assert meter.first.expected == pytest.approx(1 / 3)
    assert meter.first.is_telling
    assert (meter.last.share, meter.last.is_telling) == (0.0, True)


def test_answers_that_heed_no_order_show_no_effect() -> None:
    orders = [order for order in ORDERS for _again in range(30)]
    answers = list("abc") * 60
    meter = _measure(answers, orders)
    assert [effect.difference for effect in meter.effects] == pytest.approx([0, 0, 0])
    assert not any(effect.is_telling for effect in meter.effects)
    assert meter.first is not None
    assert meter.first.difference == pytest.approx(0)
    assert not meter.first.is_telling


def test_only_candidates_move_and_who_named_none_bears_on_their_shares_alone() -> None:
    meter = _measure(["a", "dk", None, "a"], [["a", "b", "c", "dk"]] * 3 + [None])
    (effect, *_others) = meter.effects
    assert [one.code for one in meter.effects] == ["a", "b", "c"]
    assert (effect.first_n, effect.first, effect.later_n) == (2, 0.5, 0)
    assert math.isnan(effect.difference)
    assert not effect.is_telling
    assert meter.first is None  # one person named somebody: there is nothing to compare


def test_weights_count_people_as_often_as_they_say() -> None:
    orders = [["a", "b", "c"]] * 4
    meter = _measure(["a", "a", "b", "b"], orders, np.array([3.0, 3.0, 1.0, 0.0]))
    assert meter.effects[0].first == pytest.approx(6 / 7)
    assert meter.effects[0].first_n == 3


def test_of_several_answers_each_choice_has_its_effect_and_there_is_no_pull() -> None:
    item = Item("p", "select_multiple", {}, tuple(Choice(code, None, {}) for code in "abc"), is_randomised=True)
    frame = pl.DataFrame({"p": [["a", "b"], ["a"]] * 10, "o_p": [["a", "b", "c"], ["b", "a", "c"]] * 10})
    meter = measure(frame, item, None)
    assert [(one.first, one.later) for one in meter.effects[:2]] == [(1.0, 1.0), (0.0, 1.0)]
    assert (meter.first, meter.last) == (None, None)


def test_a_list_without_candidates_moves_what_has_no_role() -> None:
    item = Item("x", "select_one", {}, (Choice("a", None, {}), Choice("b", None, {}), Choice("dk", "dk", {})))
    assert order_effects.moving(item) == ["a", "b"]
    assert order_effects.questions([item], ["x"]) == []
