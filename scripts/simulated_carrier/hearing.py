"""What a person hears during a call, written down, so that a test can ask them afterwards."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Heard:
    """`verb`: Say | Play | keys | announce | music | error. `second` after the answer; `after_beep`: a machine wrote
    it down."""

    verb: str
    text: str
    second: float
    after_beep: bool = False
    language: str = ""

    def show(self) -> dict[str, object]:
        return {
            "verb": self.verb, "text": self.text, "url": self.text if self.verb == "Play" else None,
            "second": round(self.second, 1), "after_beep": self.after_beep, "language": self.language,
        }  # fmt: skip
