"""Synthetic interviews for the benches of surveys: as a frame of responses, as rows of a database, and arriving.

Beside a product: `python -m scripts.bench.survey_load fill PEOPLE SEED` prints the number of a survey with so many
interviews; `… arrive SURVEY SECONDS A_SECOND SEED` lets answers arrive by the rules, as people give them.
"""

import argparse
import random
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import numpy as np
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from callcenter.base import db
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from scripts.bench.database import loading
from scripts.demo.places import DATA
from scripts.demo.studies import FORM
from surveys import interviews, questionnaire
from surveys.analysis import response_items
from surveys.analysis.response_frame import AGE_BANDS
from surveys.fieldwork.interview_ledger import Interview
from surveys.interviews import seed_of
from surveys.questionnaire import read_form
from surveys.responses import Responses
from surveys.weighting import weight_recipes
from surveys.weighting.raking import Margin, Targets
from surveys.weighting.weight_recipe import Recipe

BEGUN = datetime(2027, 5, 3, 15, 0, tzinfo=UTC)
CANDIDATES = ("azul", "rojo", "verde", "indep")
# Item -> its answers, each as often as the next number says.
ANSWERS: dict[str, dict[str, int]] = {
    "consent": {"yes": 1},
    "sex": {"M": 58, "H": 41, "X": 1},
    "registered": {"yes": 90, "no": 7, "dk": 3},
    "likely": {str(number): 3 + number for number in range(11)},
    "vote": {"azul": 30, "rojo": 22, "verde": 9, "indep": 4, "none": 6, "void": 2, "wont_vote": 6, "undecided": 13,
             "dk": 4, "refused": 4},
    "second": {"azul": 20, "rojo": 30, "verde": 20, "indep": 10, "dk": 20},
    "problems": {"water crime": 20, "jobs": 20, "streets light waste": 20, "water": 20, "crime jobs": 20},
    "opinion_azul": {"vg": 15, "g": 30, "b": 25, "vb": 20, "dk": 10},
}  # fmt: skip
AGES = (18, 85)
KINDS = {"U": 80, "R": 20}
DISTRICTS = 5
# Shares that the synthetic interviews do not have, so that the raking has something to do.
TARGETS = Targets((
    Margin("sex", {"H": 0.47, "M": 0.53}, {"M": ("M", "X")}),
    Margin("age_band", {"18-29": 0.27, "30-44": 0.30, "45-59": 0.24, "60+": 0.19}),
    Margin("section_kind", {"U": 0.72, "R": 0.28}),
    Margin("local_district", {"1": 0.18, "2": 0.22, "3": 0.2, "4": 0.25, "5": 0.15}),
))  # fmt: skip
RECIPE = Recipe(TARGETS, cap=5.0, source="invented")


def responses(people: int, seed: int) -> Responses:
    """So many interviews of the demonstration's form as the analysis has them, without any database."""
    import polars as pl

    form = read_form(FORM, (DATA / FORM).read_bytes()).items
    items = response_items.merged([form])
    dice = np.random.default_rng(seed)
    columns: dict[str, Any] = {name: _drawn(dice, answers, people) for name, answers in ANSWERS.items()}
    ages = dice.integers(*AGES, people).astype(np.float64)
    columns |= {"age": ages, "d_age_band": np.select([ages <= high for _name, _low, high in AGE_BANDS],
                                                     [name for name, _low, _high in AGE_BANDS], "")}  # fmt: skip
    columns |= {"h_section_kind": _drawn(dice, KINDS, people), "d_sex": columns["sex"]}
    columns |= {"h_local_district": dice.integers(1, DISTRICTS + 1, people).astype(str)}
    frame = pl.DataFrame(columns).with_columns(
        pl.lit("screen").alias("face"), pl.lit("es").alias("language"), pl.lit("complete").alias("state"),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in ("wave", "stratum", "h_municipality",
                                                                  "h_federal_district", "h_section", "h_state")),
        pl.col("problems").str.split(" "), pl.col("likely").cast(pl.Float64), pl.lit(1.0).alias("base_weight"),
        *(pl.col(name).cast(pl.Enum(items[name].codes)) for name in ANSWERS if items[name].kind == "select_one"),
        pl.col("d_sex").cast(pl.Enum(["H", "M", "X"])),
        pl.col("d_age_band").cast(pl.Enum([name for name, _low, _high in AGE_BANDS])),
    )  # fmt: skip
    return Responses(1, frame, items, real_now(), form["vote_question"], form["likely_question"])


def _drawn(dice: np.random.Generator, answers: dict[str, int], people: int) -> Any:
    shares = np.array(list(answers.values()), dtype=np.float64)
    return np.array(list(answers))[dice.choice(len(answers), people, p=shares / shares.sum())]


def fill(engine: Engine, people: int, seed: int) -> int:
    """Write so many complete interviews, and a recipe of weights in force; returns the survey's number."""
    with Session(engine) as session:
        survey = questionnaire.create_survey(session, "Bench", FORM, (DATA / FORM).read_bytes())
        version = questionnaire.current(session, survey.id)
        version.frozen_at = real_now()
        maker, signer = session.scalars(select(User.id).limit(2)).all()
        recipe = weight_recipes.keep(session, survey.id, RECIPE, maker)
        weight_recipes.sign(session, survey.id, recipe.version, signer)
        session.commit()
        found, form = survey.id, version.id
    with loading(engine, ("interviews", "answers")) as connection:
        values = {"survey": found, "form": form, "people": people, "begun": BEGUN}
        connection.execute(text(_INTERVIEWS.replace(":seed", str(seed))), values)
        for item, answers in {**ANSWERS, "age": {str(age): 1 for age in range(*AGES)}}.items():
            connection.execute(text(_GIVEN.replace(":seed", str(seed))), {
                "survey": found, "item": item, "all": [one for one, times in answers.items() for _ in range(times)],
                "begun": BEGUN, "rotates": item == "vote", "orders": _orders(seed),
            })  # fmt: skip
    return found


def _orders(seed: int) -> list[str]:
    dice = random.Random(seed)
    others = ["none", "void", "wont_vote", "undecided", "dk", "refused"]
    return [str(dice.sample(CANDIDATES, 4) + others).replace("'", '"') for _ in range(50)]


_INTERVIEWS = """
INSERT INTO interviews (id, survey_id, questionnaire_id, face, language, state, over_quota, seed, hidden, at,
    started_at, ended_at, base_weight)
SELECT CAST(md5(CAST(:survey AS text) || '-' || g) AS uuid), :survey, :form, 'screen', 'es', 'complete', false, g,
    jsonb_build_object('section_kind', (ARRAY['U','U','U','U','R'])[1 + abs(hashint8extended(g, :seed1) % 5)],
        'local_district', CAST(1 + abs(hashint8extended(g, :seed2) % 5) AS text)),
    :begun + g * interval '1 second', :begun + g * interval '1 second', :begun + g * interval '1 second', 1
FROM generate_series(1, :people) AS g
"""
_GIVEN = """
INSERT INTO answers (interview_id, item, value, counts, choice_order, at, seconds)
SELECT id, CAST(:item AS text), (CAST(:all AS text[]))[
        1 + abs(hashint8extended(seed, :seed7 + hashtext(CAST(:item AS text))) % cardinality(CAST(:all AS text[])))],
    true, CASE WHEN :rotates THEN (CAST(:orders AS jsonb[]))[1 + abs(hashint8extended(seed, :seed5) % 50)] END,
    :begun, 4
FROM interviews WHERE survey_id = :survey
"""


def arrive(survey_id: int, seconds: float, a_second: float, seed: int) -> int:
    """Let answers arrive at this rate, each saved by itself; returns how many were."""
    dice, saved, begun = random.Random(seed), 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        with db.open_session() as session:
            interview = _begin(session, survey_id)
            session.commit()
            for item in ("consent", "age", "sex", "registered", "vote"):
                answers = ANSWERS.get(item, {"44": 1})
                value = "yes" if item == "registered" else dice.choices(list(answers), list(answers.values()))[0]
                interviews.record_answer(session, interview.id, item, value, 4.0)
                session.commit()
                saved += 1
                ahead = saved / a_second - (time.monotonic() - begun)
                time.sleep(max(0.0, ahead))
    return saved


def _begin(session: Session, survey_id: int) -> Interview:
    number = uuid4()
    interview = Interview(
        id=number, survey_id=survey_id, questionnaire_id=questionnaire.current(session, survey_id).id,
        seed=seed_of(number), hidden={"section_kind": "U"}, at=real_now(), started_at=real_now(),
    )  # fmt: skip
    session.add(interview)
    session.flush()
    return interview


def main() -> None:
    """Beside a running product, of which it uses the database."""
    from wsgi import create_app

    parser = argparse.ArgumentParser(prog="python -m scripts.bench.survey_load", description=__doc__)
    parser.add_argument("act", choices=("fill", "arrive"))
    parser.add_argument("numbers", type=float, nargs="+")
    given = parser.parse_args()
    with create_app().app_context():
        if given.act == "fill":
            people, seed = given.numbers
            print(fill(db.engine(), int(people), int(seed)))
        else:
            survey, seconds, a_second, seed = given.numbers
            print(arrive(int(survey), seconds, a_second, int(seed)))


if __name__ == "__main__":
    main()
