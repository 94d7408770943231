"""A switch that answers AGI commands as it is told, without a network."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from callcenter.base.errors import ProviderError
from scripts.ivr.line import Line, News

LOST = "lost"


class FakeSwitch:
    """In place of callcenter.carriers.asterisk.client.Client. `script`: the answer to each command, in its order; LOST
    is none; a ProviderError is raised. After them the leg hangs up."""

    def __init__(self, *script: str | ProviderError) -> None:
        self.script = list(script)
        self.commands: list[str] = []
        self.line: Line | None = None

    def ask(self, action: Mapping[str, Any]) -> None:
        self.commands.append(action["Command"])
        answer: str | ProviderError = self.script.pop(0) if self.script else "200 result=-1"
        if isinstance(answer, ProviderError):
            raise answer
        if answer != LOST and self.line is not None:
            self.line.hear(News("another:command", "200 result=5"))  # of a program that died
            self.line.hear(News(action["CommandID"], quote(f"{answer}\n")))
