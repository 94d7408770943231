"""Invented citizens: what a phone number's owner does when it rings, and what they answer. Pure: phone and seed decide.

Each has a vote they keep, so that a results page can be checked against `truth`. Who answers the phone and who agrees
to be interviewed does not depend on the vote: an honest poll of these people has no bias to find. The shares are
invented; those of sex, age and section kind follow the demonstration's sections and margins.
"""

import hashlib
import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")
Kind = Literal["answer", "no_answer", "busy", "invalid", "voicemail", "fax", "stuck"]

SECTION_KINDS = {"U": 0.7473, "R": 0.2527}  # of the nominal list of the 100 sections
SEXES = {"H": 0.4704, "M": 0.5256, "X": 0.0040}
AGE_BANDS = {(18, 29): 0.27, (30, 44): 0.30, (45, 59): 0.24, (60, 88): 0.19}
MOBILE_SHARE = 0.88
OUT_OF_SERVICE_SHARE = 0.04  # of phones, for ever
# Of each try to a phone in service. People of a drill are at home more often than real ones (15–35 % answer there).
TRIES: dict[Kind, float] = {"answer": 0.60, "no_answer": 0.25, "busy": 0.08, "voicemail": 0.07}
TAKES_PART_SHARE = 0.82
HANGS_UP_EARLY_SHARE = 0.06  # of those who take part
REGISTERED = {"yes": 0.94, "no": 0.04, "dk": 0.02}

# Vote by section kind; women lean a little to verde, the young to indep (see `_vote_shares`).
VOTE = {
    "U": {"azul": 0.27, "rojo": 0.19, "verde": 0.14, "indep": 0.10, "none": 0.05, "void": 0.02,
          "wont_vote": 0.05, "undecided": 0.10, "dk": 0.04, "refused": 0.04},
    "R": {"azul": 0.15, "rojo": 0.34, "verde": 0.18, "indep": 0.04, "none": 0.04, "void": 0.01,
          "wont_vote": 0.06, "undecided": 0.09, "dk": 0.06, "refused": 0.03},
}  # fmt: skip
CANDIDATES = ("azul", "rojo", "verde", "indep")
PROBLEMS = {"water": 0.24, "crime": 0.26, "jobs": 0.19, "streets": 0.17, "light": 0.07, "waste": 0.07}
OPINION = {"vg": 0.10, "g": 0.30, "b": 0.25, "vb": 0.12, "dk": 0.23}
OPINION_OF_OWN_PARTY = {"vg": 0.34, "g": 0.52, "b": 0.08, "vb": 0.01, "dk": 0.05}
WHY = {
    "azul": (
        "Porque ha cumplido en la colonia.",
        "Ya la conozco y me da confianza.",
        "Por el agua, ella sí la va a arreglar.",
    ),
    "rojo": (
        "Porque es de aquí y es trabajador.",
        "Mi familia siempre ha votado así.",
        "Por el empleo, ya hace falta.",
    ),
    "verde": ("Me gustan sus propuestas.", "Porque es mujer y es joven.", "Por la seguridad."),
    "indep": ("Porque no es de ningún partido.", "Ya estoy cansado de los mismos.", "Para que haya un cambio."),
    "none": ("Ninguno me convence.", "Todos prometen y nadie cumple."),
    "void": ("Es mi manera de protestar.", "No me representan."),
}


@dataclass(frozen=True)
class Reaction:
    """What happens at one try: the phone rings for `ring_seconds` (or until the caller gives up), then the person stays
    at most `stay_seconds`, and leaves after `silence_seconds` alone on the line. `stuck` rings for ever, and the
    carrier loses sight of it."""

    kind: Kind
    ring_seconds: float
    stay_seconds: float = 0.0
    silence_seconds: float = 5.0
    digits: str | None = None  # pressed at every menu; None: what the menu offers, if the person takes part
    presses: tuple[str, ...] = ()  # instead: one a menu, in turn; "" is silence
    says: float = 3.0  # seconds spoken into a <Record>; 0 is silence
    words: str = "sí"  # what speech recognition understands
    greeting_seconds: float = 6.0  # of a machine
    beep: bool = True  # of a machine, after its greeting
    answered_by: str | None = None  # what machine detection finds; None: the truth, mostly
    sip: int | None = None  # the answer of the other network, of a call that fails


@dataclass(frozen=True)
class Citizen:
    """`place` (0–1) puts the person in a section of their kind, in proportion to the nominal lists."""

    phone: str
    seed: int
    sex: str
    age: int
    section_kind: str
    place: float
    is_mobile: bool
    in_service: bool
    takes_part: bool
    hangs_up_early: bool
    vote: str
    answers: Mapping[str, str]  # item -> code(s) as ODK writes them; what they answer if asked

    def reaction(self, attempt: int) -> Reaction:
        """The `attempt`-th dial of this phone, counted from 1."""
        if not self.in_service:
            return Reaction("invalid", 1.0)
        dice = _dice(self.seed, self.phone, f"try/{attempt}")
        kind: Kind = _pick(dice, TRIES)
        ring = dice.uniform(2, 9) if kind in ("answer", "voicemail") else dice.uniform(1, 3)
        if kind == "no_answer":
            return Reaction(kind, math.inf)
        if kind == "voicemail":
            return Reaction(kind, ring, stay_seconds=30, silence_seconds=30, says=0)
        stay = dice.uniform(20, 60) if self.hangs_up_early or not self.takes_part else dice.uniform(600, 1200)
        says = dice.uniform(2, 9) if self.takes_part else 0.0
        return Reaction(kind, ring, stay, silence_seconds=dice.uniform(3, 7), says=says)

    def chooses(self, offered: str, menu: str) -> str:
        """The key that they press at a menu that offers these keys; "" by who does not take part."""
        if not offered or not self.takes_part:
            return ""
        return _dice(self.seed, self.phone, f"menu/{menu}").choice(offered)

    def chance(self, purpose: str) -> float:
        """A number from 0 to 1, always the same for the same purpose."""
        return _dice(self.seed, self.phone, purpose).random()

    def replies(self, text: str) -> str | None:
        """The SMS they send back when they get `text`, or None."""
        dice = _dice(self.seed, self.phone, f"sms/{text}")
        chance = dice.random()
        if chance < 0.025:
            return dice.choice(("BAJA", "Baja", "baja por favor", "ALTO"))
        if chance < 0.06:
            return dice.choice(
                ("¿Quién es?", "¿Dónde queda mi casilla?", "Gracias por avisar", "¿A qué hora abren?", "no me interesa")
            )
        return None

    def receives(self, text: str) -> str:
        """`delivered`, or the code (https://www.twilio.com/docs/api/errors) of why it does not arrive."""
        if not self.in_service:
            return "30005"  # unknown destination handset
        chance = _dice(self.seed, self.phone, f"delivery/{text}").random()
        return "30003" if chance < 0.03 else "delivered"  # unreachable: switched off


def citizen(phone: str, seed: int) -> Citizen:
    """The person behind `phone` (E.164): always the same for the same seed."""
    dice = _dice(seed, phone, "person")
    kind = _pick(dice, SECTION_KINDS)
    sex = _pick(dice, SEXES)
    low, high = _pick(dice, AGE_BANDS)
    age = dice.randint(low, high)
    vote = _pick(dice, _vote_shares(kind, sex, age))
    takes_part = dice.random() < TAKES_PART_SHARE
    return Citizen(
        phone, seed, sex, age, kind, dice.random(),
        is_mobile=dice.random() < MOBILE_SHARE,
        in_service=dice.random() >= OUT_OF_SERVICE_SHARE,
        takes_part=takes_part,
        hangs_up_early=dice.random() < HANGS_UP_EARLY_SHARE,
        vote=vote,
        answers=_answers(dice, sex, age, vote) if takes_part else {"consent": "no"},
    )  # fmt: skip


def truth(phones: Iterable[str], seed: int) -> dict[str, dict[str, float]]:
    """Shares (0–1) of the hidden vote: `raw` over all who hold a voter card, `effective` over the candidates only."""
    people = (citizen(phone, seed) for phone in phones)
    votes = Counter(person.vote for person in people if person.answers.get("registered", "yes") == "yes")
    candidates = {name: votes[name] for name in CANDIDATES}
    return {"raw": _shares(votes), "effective": _shares(candidates)}


def _vote_shares(kind: str, sex: str, age: int) -> dict[str, float]:
    shares = dict(VOTE[kind])
    if sex == "M":
        shares["verde"] *= 1.25
    if age < 30:
        shares["indep"] *= 1.8
        shares["azul"] *= 0.85
    elif age >= 60:
        shares["rojo"] *= 1.2
    return shares


def _answers(dice: random.Random, sex: str, age: int, vote: str) -> dict[str, str]:
    problems = [_pick(dice, PROBLEMS), _pick(dice, PROBLEMS)]
    answers = {
        "consent": "yes",
        "age": str(age),
        "sex": sex,
        "registered": _pick(dice, REGISTERED),
        "likely": str(_likely(dice, vote)),
        "vote": vote,
        "problems": " ".join(dict.fromkeys(problems)),
        "opinion_azul": _pick(dice, OPINION_OF_OWN_PARTY if vote == "azul" else OPINION),
    }
    if vote in CANDIDATES:
        answers["second"] = dice.choice([*(name for name in CANDIDATES if name != vote), "dk"])
    if vote in WHY:
        answers["why"] = dice.choice(WHY[vote])
    if answers["registered"] != "yes":
        for item in ("likely", "vote", "second", "why"):
            answers.pop(item, None)
    return answers


def _likely(dice: random.Random, vote: str) -> int:
    if vote == "wont_vote":
        return dice.choice((0, 0, 0, 1, 2))
    if vote in CANDIDATES:
        return dice.choice((6, 7, 8, 8, 9, 9, 10, 10, 10, 10))
    return dice.choice((0, 2, 4, 5, 5, 6, 7, 8, 10))


def _dice(seed: int, phone: str, purpose: str) -> random.Random:
    # Not hash(): that differs from process to process.
    digest = hashlib.blake2b(f"{seed}/{phone}/{purpose}".encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest))


def _pick(dice: random.Random, shares: Mapping[T, float]) -> T:
    return dice.choices(tuple(shares), tuple(shares.values()))[0]


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {name: counts[name] / total for name in sorted(counts)} if total else {}
