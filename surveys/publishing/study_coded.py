"""Coded answers to open questions as questions of a study's data: the codes leave, the words stay in the house."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from surveys.analysis.response_items import Choice, Item
from surveys.coding import coded_answers
from surveys.coding.coded_answers import CodedQuestion
from surveys.responses import Responses

KIND = "select_multiple"  # several codes an answer, also where the frame takes one


def with_coded(session: Session, responses: Responses, language: str) -> Responses:
    """The responses with a column of codes for each coded question that somebody has coded."""
    import polars as pl

    frame, items = responses.frame, dict(responses.items)
    for question in coded_answers.coded_questions(session, responses.survey_id, language):
        given = coded_answers.codes(session, responses.survey_id, question.item)
        if not given or question.name in items:
            continue
        told = (given.get(UUID(number)) for number in frame["interview_id"])
        codes = [list(one) if one else None for one in told]
        items[question.name] = _item(question, language)
        frame = frame.with_columns(pl.Series(items[question.name].column, codes, dtype=pl.List(pl.String)))
    return replace(responses, frame=frame, items=items)


def _item(question: CodedQuestion, language: str) -> Item:
    choices = tuple(Choice(code, None, {language: label}) for code, label in question.choices)
    return Item(question.name, KIND, {language: question.label}, choices)


def as_json(items: Mapping[str, Item], forms: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The items that stand in no version of the questionnaire."""
    asked = {item["name"] for form in forms for item in form["items"]}
    return [
        {"name": item.name, "label": dict(item.label),
         "choices": [{"code": choice.code, "label": dict(choice.label)} for choice in item.choices]}
        for item in items.values() if item.name not in asked
    ]  # fmt: skip


def from_json(said: Sequence[Mapping[str, Any]]) -> dict[str, Item]:
    """Of `as_json`. Raises KeyError, TypeError for what is none."""
    return {
        one["name"]: Item(one["name"], KIND, one["label"], tuple(
            Choice(choice["code"], None, choice["label"]) for choice in one["choices"]))
        for one in said
    }  # fmt: skip
