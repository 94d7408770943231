"""Pretended citizens for the face of keys: they answer by what is said."""

from collections.abc import Mapping
from typing import Any

from surveys.faces import agi
from surveys.faces.spoken import challenge
from surveys.faces.turns import Deed, Heard, Setting, State, Step
from surveys.forms.items import Items

FACTS = {"operator_name": "un sistema automático", "sponsor": "Instituto Inventado", "today": "2027-05-10"}


def setting(items: Items, *, seed: int = 7, language: str = "es", **more: Any) -> Setting:
    return Setting(items, language, seed, FACTS, "Instituto Inventado", "https://convoca.test/aviso", **more)


def keys(pressed: str) -> Heard:
    return Heard("keys", pressed)


SILENCE, GONE = Heard("silence"), Heard("gone")


class Walk:
    """A conversation, step by step. `trace` is what happened, as plain JSON."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.turn = agi.begin(setting)
        self.deeds: list[Deed] = []
        self.trace: list[dict[str, Any]] = []
        self._note(None)

    @property
    def step(self) -> Step:
        return self.turn.step

    @property
    def state(self) -> State:
        return self.turn.state

    @property
    def said(self) -> list[str]:
        return [say.prompt for say in self.step.say]

    @property
    def text(self) -> str:
        return " ".join(say.text for say in self.step.say)

    def hear(self, *heard: Heard) -> "Walk":
        for one in heard:
            self.turn = agi.hear(self.setting, self.turn.state, one)
            self._note(one)
        return self

    def press(self, *pressed: str) -> "Walk":
        return self.hear(*(keys(one) for one in pressed))

    def meet_challenge(self) -> "Walk":
        """Through the introduction and the challenge."""
        return self.hear(SILENCE).press(challenge(self.setting, 0))

    def begin_questions(self) -> "Walk":
        """Past the notes at the beginning as well."""
        self.meet_challenge()
        while self.state.stage == "note":
            self.hear(SILENCE)
        return self

    def choose(self, code: str) -> "Walk":
        """Press the key that was read out for this choice."""
        item = self.state.item
        place = next(say for say in self.step.say if say.prompt == f"choice/{item}/{code}")
        assert place.then is not None
        return self.press(place.then.prompt.rpartition("/")[2])

    def answers(self) -> Mapping[str, str]:
        return {deed.item: deed.value for deed in self.deeds if deed.kind == "answered"}

    def _note(self, heard: Heard | None) -> None:
        self.deeds += self.turn.deeds
        step = self.step
        self.trace.append(
            {
                "heard": heard and " ".join(part for part in (heard.kind, heard.keys, heard.value) if part),
                "deeds": [" ".join(part for part in (d.kind, d.item, d.value) if part) for d in self.turn.deeds],
                "act": step.act,
                "says": [say.text for say in step.say],
                "reads": step.most if step.act == "ask" else step.keys,
                "code": step.code,
            }
        )
