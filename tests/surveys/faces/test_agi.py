"""The interview by telephone keys: what is said, what keys mean, how each call ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys import engine
from surveys.faces import agi
from surveys.faces.spoken import challenge
from surveys.faces.turns import Deed, Heard
from surveys.fieldwork.quota_cells import Cell, Dimension, QuotaPlan, Screen
from surveys.forms.items import Items, read_items
from surveys.forms.xlsform import read_workbook
from tests.surveys.faces.people import GONE, SILENCE, Walk, keys, setting
from tests.surveys.survey_forms import workbook

GOLDEN = Path(__file__).parents[1] / "golden" / "agi"
YES = ("1", "34", "2", "1", "8")  # agrees, 34, a woman, has a card, quite sure


def agrees_with_voice(walk: Walk) -> None:
    walk.begin_questions().press(*YES).choose("rojo").choose("azul").press("12", "2").press("1")
    walk.hear(SILENCE, Heard("voice", value="v1")).hear(SILENCE)


def opts_out_in_the_middle(walk: Walk) -> None:
    walk.begin_questions().press("1", "34").press("*", "9")


def is_silent(walk: Walk) -> None:
    walk.hear(SILENCE, SILENCE, SILENCE)


def refuses(walk: Walk) -> None:
    walk.begin_questions().press("2").hear(SILENCE)


def breaks_off(walk: Walk) -> None:
    walk.begin_questions().press("1", "34").hear(SILENCE, SILENCE)


def goes_back_and_errs(walk: Walk) -> None:
    walk.begin_questions().press("1", "7", "34", "").press("35", "2", "9").press("2").press("*")
    walk.hear(SILENCE).hear(GONE)


STORIES = [agrees_with_voice, opts_out_in_the_middle, is_silent, refuses, breaks_off, goes_back_and_errs]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
@pytest.mark.parametrize("language", ["es", "en"])
def test_a_conversation_goes_the_way_it_went_before(
    story: Any, language: str, sample_items: Items, request: pytest.FixtureRequest
) -> None:
    walk = Walk(setting(sample_items, language=language))
    story(walk)
    file = GOLDEN / f"{story.__name__}_{language}.json"
    if request.config.getoption("--write-golden", default=False):
        file.write_text(json.dumps(walk.trace, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert walk.trace == json.loads(file.read_text(encoding="utf-8"))


def test_who_calls_and_how_to_be_left_alone_come_before_anything(sample_items: Items) -> None:
    walk = Walk(setting(sample_items))
    assert walk.said == ["system/identify"]
    for told in ("sistema automático", "Instituto Inventado", "convoca punto test diagonal aviso", "oprima 9"):
        assert told in walk.text
    assert walk.step.keys == "9*"  # no other key cuts it short


def test_nine_in_the_introduction_is_never_again(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).press("9")
    assert walk.deeds == [Deed("opted_out")]
    assert (walk.step.act, walk.step.code, walk.said) == ("end", "do_not_call", ["system/opted_out"])


def test_only_the_key_that_was_drawn_begins_an_interview(sample_items: Items) -> None:
    chosen = setting(sample_items)
    wrong = next(key for key in "12345678" if key != challenge(chosen, 0))
    walk = Walk(chosen).hear(SILENCE).press(wrong)
    assert walk.deeds == []
    assert walk.said[0] == "system/wrong_key"
    assert walk.press(challenge(chosen, 1)).deeds == [Deed("begun")]


def test_each_call_draws_its_own_key(sample_items: Items) -> None:
    assert len({challenge(setting(sample_items, seed=seed), 0) for seed in range(60)}) == 8


def test_a_silent_line_and_a_voicemail_begin_nothing(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).hear(SILENCE, SILENCE, SILENCE)
    assert (walk.deeds, walk.step.act, walk.step.code) == ([], "end", "no_reply")


def test_who_hangs_up_before_we_said_who_calls_has_refused_nothing(sample_items: Items) -> None:
    assert Walk(setting(sample_items)).hear(GONE).step.code == "no_reply"
    assert Walk(setting(sample_items)).hear(SILENCE, GONE).step.code == "refused"


def test_a_key_at_a_note_goes_on_and_answers_nothing(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).meet_challenge()
    assert (walk.state.stage, walk.said) == ("note", ["system/help", "item/intro"])
    assert walk.press("1").said[0] == "item/consent"
    assert walk.answers() == {"intro": ""}


def test_choices_are_read_in_the_interviews_order_with_their_keys(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions().press(*YES)
    asked = engine.question(sample_items, walk.state.answers, "vote", 7, language="es", face="agi")
    assert asked is not None
    told = [say for say in walk.step.say if say.prompt.startswith("choice/")]
    assert [say.prompt.rpartition("/")[2] for say in told] == asked.order
    assert told[0].text == f"{asked.choices[0].label}: oprima 1."
    assert [say.text[-2:] for say in told[-2:]] == ["9.", "0."]  # does not know, does not answer: as in the console


def test_several_choices_end_with_the_pound_key_and_their_limit_is_told(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions().press(*YES).choose("dk")
    assert walk.state.item == "problems"
    assert walk.said[-1] == "system/several"
    assert walk.press("123").said[0] == "complaint/problems"
    assert len(walk.press("1212").answers()["problems"].split()) == 2


def test_the_questionnaires_own_complaint_is_said() -> None:
    rows = [
        ["type", "name", "label::Español (es)", "required", "constraint", "constraint_message::Español (es)"],
        ["integer", "age", "¿Edad?", "yes", ". >= 18", "Solo a mayores de edad."],
    ]
    walk = Walk(setting(read_items(read_workbook(workbook(rows))))).begin_questions().press("9")
    assert (walk.said[0], walk.step.say[0].text) == ("complaint/age", "Solo a mayores de edad.")


def test_star_repeats_and_star_nine_is_never_again_anywhere(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions()
    assert walk.press("*").step.act == "wait"
    assert walk.hear(SILENCE).said[0] == "item/consent"
    assert walk.press("1", "3*9").step.code == "do_not_call"  # also among the figures of a number


def test_pound_goes_back_and_the_new_answer_counts(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions().press("1", "34")
    assert walk.press("").said[0] == "item/age"
    assert walk.press("35").answers()["age"] == "35"
    assert walk.state.item == "sex"


def test_pound_at_the_first_question_says_it_again(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions()
    assert walk.press("").said[0] == "item/consent"


def test_a_question_that_need_not_be_answered_says_how_to_pass_it(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions().press(*YES).choose("dk").press("1")
    assert walk.state.item == "opinion_azul"
    assert "system/skip/0" in walk.said
    walk.press("0")
    assert walk.answers()["opinion_azul"] == ""


def test_two_silences_end_politely_with_what_there_is(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions().press("1", "34").hear(SILENCE)
    assert walk.said[:2] == ["system/silence", "item/sex"]
    walk.hear(SILENCE)
    assert (walk.step.act, walk.step.code, walk.said) == ("end", "partial", ["system/broken_off"])


def test_three_impossible_answers_end_politely(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions().press("1", "7", "999", "0")
    assert (walk.step.act, walk.said) == ("end", ["system/broken_off"])


def test_nobody_holds_a_line_with_repetitions(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions()
    for _time in range(20):
        if walk.step.act != "end":
            walk.press("*").hear(SILENCE)
    assert walk.step.act == "end"


def test_a_voice_is_recorded_only_after_agreement(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions().press(*YES).choose("rojo").choose("azul").press("1", "2")
    assert walk.said == ["system/agreement"]
    declined = Walk(setting(sample_items)).begin_questions().press(*YES).choose("rojo").choose("azul").press("1", "2")
    assert declined.press("2").answers()["why_voice"] == ""
    assert Deed("voice_declined") in declined.deeds
    walk.press("1")
    assert walk.said == ["item/why_voice", "system/speak"]
    assert walk.hear(SILENCE).step.act == "record"


def test_a_voice_that_says_nothing_is_asked_for_once_more(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions().press(*YES).choose("rojo").choose("azul").press("1", "2", "1")
    walk.hear(SILENCE, SILENCE)
    assert walk.said == ["system/silence", "item/why_voice", "system/speak"]
    assert walk.hear(SILENCE, SILENCE).answers()["why_voice"] == ""


def test_an_interruption_goes_on_at_the_question_that_had_no_answer(sample_items: Items) -> None:
    walk = Walk(setting(sample_items)).begin_questions().press("1", "34")
    turn = agi.resume(walk.setting, walk.answers())
    assert [say.prompt for say in turn.step.say][:2] == ["system/resumed", "item/sex"]


def test_a_language_that_the_house_does_not_speak_says_the_questionnaire_alone(sample_items: Items) -> None:
    walk = Walk(setting(sample_items, language="nah")).begin_questions()
    assert walk.text.strip().startswith("¿Acepta participar?")


HEARD = st.one_of(
    st.just(SILENCE),
    st.just(GONE),
    st.builds(lambda value: Heard("voice", value=value), st.uuids().map(str)),
    st.text("0123456789*#", max_size=4).map(keys),
)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), heard=st.lists(HEARD, max_size=40), meets=st.booleans())
def test_no_sequence_of_keys_breaks_it_or_passes_a_question_that_needs_an_answer(
    sample_items: Items, seed: int, heard: list[Heard], meets: bool
) -> None:
    walk = Walk(setting(sample_items, seed=seed))
    if meets:
        walk.meet_challenge()
    for one in heard:
        walk.hear(one)
        if walk.step.act == "ask":
            assert walk.step.say
    needed = {item["name"] for item in sample_items["items"] if item["required"] is True}
    way = engine.Look(sample_items, walk.state.answers, seed, face="agi").path
    if walk.state.code == "completed":
        assert all(walk.state.answers[name] for name in way if name in needed)
    begun = walk.deeds.index(Deed("begun")) if Deed("begun") in walk.deeds else len(walk.deeds)
    assert all(deed.kind == "opted_out" for deed in walk.deeds[:begun])
    if walk.step.act == "end":
        assert walk.step.code in ("completed", "partial", "refused", "do_not_call", "no_reply")


STRATA = (Dimension("sex", "sex", "code"), Dimension("age", "age", "number"))
WOMEN_ARE_ENOUGH = Screen(
    QuotaPlan(STRATA, (Cell(("M", "30-44"), 0), Cell(("H", "30-44"), 9))), frozenset({("M", "30-44")}), {}
)


def test_whose_group_has_enough_people_is_asked_the_strata_and_thanked(sample_items: Items) -> None:
    walk = Walk(setting(sample_items, screen=WOMEN_ARE_ENOUGH)).begin_questions().press("1", "34", "2")
    assert walk.answers() == {"intro": "", "consent": "yes", "age": "34", "sex": "M"}
    assert (walk.step.act, walk.step.code, walk.said) == ("end", "over_quota", ["system/over_quota"])


def test_whose_group_is_wanted_is_asked_everything(sample_items: Items) -> None:
    walk = Walk(setting(sample_items, screen=WOMEN_ARE_ENOUGH)).begin_questions().press("1", "34", "1")
    assert (walk.step.act, walk.state.item) == ("ask", "registered")


def test_whose_group_has_enough_people_may_hang_up_before_the_strata_are_known(sample_items: Items) -> None:
    walk = Walk(setting(sample_items, screen=WOMEN_ARE_ENOUGH)).begin_questions().press("1", "34").hear(GONE)
    assert walk.step.code == "partial"
