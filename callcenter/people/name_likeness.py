"""When two names are one person's: pure rules over name keys (no accents, no capitals), for people who share a phone.

Each rule has a code. What it finds is *certain* (may be merged by rule) only as far as the rule says so below and
nothing that is known of the two contradicts: sex, section, or ages more than a year apart.

| code | the two names | certain |
|---|---|---|
| same_words | the same words in another order, with or without `de`, `la`…, abbreviations (`Ma.`, `Fco.`, `Gpe.`) written out | yes |
| one_letter | all words equal but one, of five letters or more, that differs by one letter inside it (typed wrong, left out, doubled) or by two neighbours swapped; never its first letter (Hernández, Fernández) and never its last (Mario, María) | only when both ages are known: Sonia and Sofía may be sisters |
| missing_surname | the words of the shorter one, two or more, are the beginning of the longer one: the second surname is missing | only when both ages are known: a father and his son may share the rest |
| same_place | (another phone) the same name in the same section | never: a person decides |
"""  # noqa: E501  # a table

import re

RULES = ("same_words", "one_letter", "missing_surname", "same_place")
_PARTICLES = frozenset(("de", "del", "la", "las", "los", "y", "e"))
_SHORT_FORMS = {
    "ma": "maria", "fco": "francisco", "fca": "francisca", "gpe": "guadalupe",
    "gdpe": "guadalupe", "glez": "gonzalez",
    "gzz": "gonzalez", "gtz": "gutierrez", "hdez": "hernandez", "hdz": "hernandez", "fdez": "fernandez",
    "mtz": "martinez", "mtnez": "martinez", "rdz": "rodriguez", "rdguez": "rodriguez", "rmz": "ramirez",
    "lpz": "lopez", "vzqz": "vazquez",
}  # fmt: skip
SHORTEST_TYPO = 5  # letters of a word in which one wrong letter still leaves the word recognisable
AGE_APART = 1  # years: lists are of different dates


def words_of(name_key: str) -> tuple[str, ...]:
    """The words of a name that tell people apart, abbreviations written out."""
    plain = re.findall(r"[a-z0-9]+", name_key)
    return tuple(_SHORT_FORMS.get(word, word) for word in plain if word not in _PARTICLES)


def likeness(one: str, other: str) -> str | None:
    """The rule by which two names (keys) at one phone are the same person's, or None. The order does not matter."""
    mine, theirs = words_of(one), words_of(other)
    if not mine or not theirs:
        return None
    if sorted(mine) == sorted(theirs):
        return "same_words"
    if len(mine) == len(theirs):
        return "one_letter" if _differ_by_a_letter(mine, theirs) else None
    shorter, longer = sorted((mine, theirs), key=len)
    is_beginning = len(shorter) >= 2 and len(longer) == len(shorter) + 1 and longer[: len(shorter)] == shorter
    return "missing_surname" if is_beginning else None


def is_certain(rule: str, *, ages: tuple[int | None, int | None], agree: bool) -> bool:
    """May these two be merged by rule? `agree`: neither their sexes nor their sections contradict each other."""
    mine, theirs = ages
    if not agree or (mine is not None and theirs is not None and abs(mine - theirs) > AGE_APART):
        return False
    if rule in ("missing_surname", "one_letter"):
        return mine is not None and theirs is not None
    return rule == "same_words"


def _differ_by_a_letter(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    left, right = list(mine), list(theirs)
    for word in mine:
        if word in right:
            left.remove(word)
            right.remove(word)
    return len(left) == 1 and is_typo(left[0], right[0])


def is_typo(one: str, other: str) -> bool:
    """One letter inside the word is another, missing or doubled, or two neighbours are swapped."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < SHORTEST_TYPO - (len(longer) - len(shorter)) or len(longer) < SHORTEST_TYPO:
        return False
    if one == other or one[0] != other[0] or one[-1] != other[-1]:
        return False
    if len(shorter) == len(longer):
        apart = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        is_swap = len(apart) == 2 and apart[1] == apart[0] + 1
        return len(apart) == 1 or (is_swap and one[apart[0]] == other[apart[1]] and one[apart[1]] == other[apart[0]])
    return len(longer) == len(shorter) + 1 and any(
        longer[:at] + longer[at + 1 :] == shorter for at in range(1, len(longer) - 1)
    )
