"""TwiML read into verbs: the few that the simulation follows, as https://www.twilio.com/docs/voice/twiml says."""

from dataclasses import dataclass
from xml.etree import ElementTree

VERBS = ("Say", "Play", "Pause", "Dial", "Hangup", "Redirect", "Reject", "Gather")


class BadTwiml(Exception):
    """Twilio's warnings 12100 (not XML) and 12200 (not TwiML): the call ends with an application error."""


@dataclass(frozen=True)
class Verb:
    """`text` is the content; `inner` the nested verbs of a Gather or the Conference of a Dial."""

    name: str
    text: str
    attributes: dict[str, str]
    inner: tuple["Verb", ...] = ()

    def number(self, name: str, default: float) -> float:
        try:
            return float(self.attributes.get(name, default))
        except ValueError:
            return default

    def says(self, name: str, *, default: bool) -> bool:
        return self.attributes.get(name, "true" if default else "false").lower() == "true"


def parse(document: str) -> tuple[Verb, ...]:
    """Raises BadTwiml."""
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - the program under test wrote it, on this machine
    except ElementTree.ParseError as error:
        raise BadTwiml(f"12100 Document parse failure: {error}") from None
    if root.tag != "Response":
        raise BadTwiml(f"12200 Schema validation warning: the root is {root.tag}, not Response")
    verbs = tuple(_verb(element) for element in root)
    unknown = sorted({verb.name for verb in verbs} - set(VERBS))
    if unknown:
        raise BadTwiml(
            f"12200 Schema validation warning: {', '.join(unknown)}; the simulation knows {', '.join(VERBS)}"
        )
    return verbs


def _verb(element: ElementTree.Element) -> Verb:
    inner = tuple(_verb(child) for child in element)
    return Verb(element.tag, (element.text or "").strip(), dict(element.attrib), inner)
