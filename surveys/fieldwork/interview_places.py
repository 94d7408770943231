"""Where the people of the interviews live: the section that their record knew, and what it belongs to.

A person's section is never read off their phone number. A section's number is one of its state's: where the state was
not kept with the interview, the number counts only if no other state of the map has it.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.places import territory_counts
from callcenter.places.territory_map import Key
from callcenter.territory import Section
from surveys.responses import Responses

MOST_AREAS = 3000  # of one map: of more, those without interviews are left out


@dataclass(frozen=True, eq=False)
class Places:
    """`areas`: their keys (state, number) in order, with `labels` and the sections of each. `of_person`: the place in
    `areas` of each row of the frame; -1: not known. `unknown`: how many people that is."""

    areas: tuple[Key, ...]
    labels: dict[Key, str]
    section_ids: dict[Key, list[int]]
    of_person: NDArray[np.int64]
    unknown: int


def read(session: Session, responses: Responses, level: str) -> Places:
    """The areas of `level` (territory_counts.LEVELS) in the states where people were interviewed."""
    rows = session.execute(
        select(
            Section.id, Section.state, Section.number, Section.municipality_code, Section.federal_district,
            Section.local_district,
        ).where(Section.valid_to.is_(None))
    ).all()  # fmt: skip
    key_of = {(row.state, row.number): _key(row, level) for row in rows}
    found = _sections_of(responses, list(key_of))
    states = {state for state, _number in found.values()}
    members: dict[Key, list[int]] = defaultdict(list)
    for row in rows:
        if row.state in states and (key := key_of[row.state, row.number]) is not None:
            members[key].append(row.id)
    with_people = {key_of[section] for section in found.values()}
    areas = sorted(members) if len(members) <= MOST_AREAS else sorted(key for key in members if key in with_people)
    of_person = _of_person(responses, {code: key_of[section] for code, section in found.items()}, areas)
    labels = _labels(session, level, areas)
    ids = {key: members[key] for key in areas}
    return Places(tuple(areas), labels, ids, of_person, int((of_person < 0).sum()))


def _key(row: Any, level: str) -> Key | None:
    if level == "section":
        return row.state, row.number
    number = getattr(row, "municipality_code" if level == "municipality" else level)
    return (row.state, number) if number is not None else None


Said = tuple[str | None, str | None]  # the state and the section as an interview keeps them


def _sections_of(responses: Responses, known: list[Key]) -> dict[Said, Key]:
    """The section of today for each pair that stands in the interviews."""
    states: dict[int, list[int]] = defaultdict(list)
    for state, number in known:
        states[number].append(state)
    exact = set(known)
    found: dict[Said, Key] = {}
    for state, section in responses.frame.select("h_state", "h_section").unique().iter_rows():
        place, of_state = _number(section), _number(state)
        if place is None:
            continue
        if of_state is not None and (of_state, place) in exact:
            found[state, section] = (of_state, place)
        elif of_state is None and len(states[place]) == 1:
            found[state, section] = (states[place][0], place)
    return found


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 6 else None


def _of_person(responses: Responses, key_of: dict[Said, Key | None], areas: list[Key]) -> NDArray[np.int64]:
    import polars as pl

    place_of = {key: place for place, key in enumerate(areas)}
    rows = [(*said, place_of[key]) for said, key in key_of.items() if key is not None and key in place_of]
    schema = {"h_state": pl.String, "h_section": pl.String, "place": pl.Int64}
    lookup = pl.DataFrame(rows, schema=schema, orient="row")
    joined = responses.frame.select("h_state", "h_section").join(
        lookup, on=["h_state", "h_section"], how="left", nulls_equal=True, maintain_order="left"
    )
    return joined["place"].fill_null(-1).to_numpy()


def _labels(session: Session, level: str, areas: list[Key]) -> dict[Key, str]:
    if level == "section":
        return {key: str(key[1]) for key in areas}
    names = dict(territory_counts.areas_to_choose(session)[level])
    return {key: names.get(key, str(key[1])) for key in areas}
