"""TwiML read into verbs, and held against what https://www.twilio.com/docs/voice/twiml allows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

_CALLBACK = "statusCallback statusCallbackMethod statusCallbackEvent"
_RECORDING = "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent trim"
_AMD = (
    "machineDetection machineDetectionTimeout machineDetectionSpeechThreshold machineDetectionSpeechEndThreshold"
    " machineDetectionSilenceTimeout amdStatusCallback amdStatusCallbackMethod"
)


@dataclass(frozen=True)
class Shape:
    """What an element may have. `inner` None: anything (SSML)."""

    attributes: frozenset[str]
    inner: frozenset[str] | None = frozenset()
    counts: frozenset[str] = frozenset()  # those attributes that are whole numbers


def _shape(attributes: str, inner: str | None = "", counts: str = "") -> Shape:
    names = frozenset(f"{attributes} {counts}".split())
    return Shape(names, None if inner is None else frozenset(inner.split()), frozenset(counts.split()))


VERBS = {
    "Say": _shape("voice language", None, counts="loop"),
    "Play": _shape("digits", counts="loop"),
    "Pause": _shape("", counts="length"),
    "Gather": _shape(
        "action finishOnKey hints input language method partialResultCallback partialResultCallbackMethod"
        " profanityFilter speechModel speechTimeout enhanced actionOnEmptyResult timeout bargeIn dtmfDetection",
        "Say Play Pause", counts="numDigits maxSpeechTime minSpeechTime",
    ),
    "Record": _shape(
        f"action method finishOnKey playBeep transcribe transcribeCallback {_RECORDING}", counts="timeout maxLength"
    ),
    "Dial": _shape(
        f"action answerOnBridge callerId callReason hangupOnStar method record recordingTrack ringTone sequential"
        f" referUrl referMethod events {_RECORDING}",
        "Number Client Conference", counts="timeout timeLimit",
    ),
    "Redirect": _shape("method"),
    "Hangup": _shape(""),
    "Reject": _shape("reason"),
}  # fmt: skip
NOUNS = {
    "Number": _shape(f"sendDigits url method byoc {_CALLBACK} {_AMD}"),
    "Client": _shape(f"url method {_CALLBACK}", "Identity Parameter"),
    "Identity": _shape(""),
    "Parameter": _shape("name value"),
    "Conference": _shape(
        f"muted beep startConferenceOnEnter endConferenceOnExit participantLabel jitterBufferSize waitUrl waitMethod"
        f" record region coach eventCallbackUrl {_CALLBACK} {_RECORDING}", counts="maxParticipants",
    ),
}  # fmt: skip
SHAPES = VERBS | NOUNS


class BadTwiml(Exception):
    """The document cannot be followed: the call ends with an application error.

    `code`: https://www.twilio.com/docs/api/errors/12100 (not XML) or 12200 (not TwiML)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code, self.text = code, text


@dataclass(frozen=True)
class Verb:
    """`text` is the content; `inner` the nested verbs of a Gather or the nouns of a Dial."""

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

    def words(self, name: str, default: str = "") -> frozenset[str]:
        return frozenset(self.attributes.get(name, default).split())

    def method(self, name: str = "method") -> str:
        return "GET" if self.attributes.get(name, "").upper() == "GET" else "POST"


@dataclass(frozen=True)
class Document:
    """`warnings`: what Twilio would write into its debugger, and go on."""

    verbs: tuple[Verb, ...]
    warnings: tuple[tuple[int, str], ...] = field(default=())


def parse(document: str) -> Document:
    """Raises BadTwiml."""
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - the program under test wrote it, on this machine
    except ElementTree.ParseError as error:
        raise BadTwiml(12100, f"Document parse failure: {error}") from None
    if root.tag != "Response":
        raise BadTwiml(12200, f"Schema validation warning: the root is {root.tag}, not Response")
    unknown = sorted({element.tag for element in root} - VERBS.keys())
    if unknown:
        raise BadTwiml(
            12200, f"Schema validation warning: {', '.join(unknown)}; the simulation knows {', '.join(VERBS)}"
        )
    return Document(tuple(_verb(element) for element in root), tuple(w for child in root for w in _warnings(child)))


def _verb(element: ElementTree.Element) -> Verb:
    if SHAPES[element.tag].inner is None:
        return Verb(element.tag, " ".join("".join(element.itertext()).split()), dict(element.attrib))
    inner = tuple(_verb(child) for child in element if child.tag in SHAPES)
    return Verb(element.tag, (element.text or "").strip(), dict(element.attrib), inner)


def _warnings(element: ElementTree.Element) -> Iterator[tuple[int, str]]:
    shape, name = SHAPES[element.tag], element.tag
    for attribute in sorted(element.attrib.keys() - shape.attributes):
        yield 12200, f"Schema validation warning: {name} has no attribute {attribute}"
    for attribute in sorted(element.attrib.keys() & shape.counts):
        if not element.attrib[attribute].strip().isdigit():
            yield 12200, f"Schema validation warning: {attribute} of {name} is {element.attrib[attribute]!r}"
    if name == "Say" and not "".join(element.itertext()).strip():
        yield 13520, "Say: Invalid text"
    for child in element if shape.inner is not None else ():
        if child.tag in (shape.inner or ()):
            yield from _warnings(child)
        else:
            raise BadTwiml(12200, f"Schema validation warning: {child.tag} inside {name}")
