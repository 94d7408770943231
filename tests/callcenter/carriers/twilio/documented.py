"""What Twilio's written documentation says of TwiML, callbacks and errors, for which there is no OpenAPI document.

Each entry of `golden/` names its page. A callback's form is there with every name that Twilio documents: what it
always sends, and what it sometimes does."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

GOLDEN = Path(__file__).parent / "golden"
Entry = dict[str, Any]


@cache
def golden(name: str) -> Any:
    """`callbacks`, `errors` or `twiml`."""
    return json.loads((GOLDEN / f"{name}.json").read_text())


def form(kind: str, **changes: str) -> dict[str, str]:
    """A callback of this kind as Twilio documents it, with everything that it may say."""
    entry = golden("callbacks")[kind]
    more = form(entry["also"]) if "also" in entry else {}
    return {**more, **entry["always"], **entry["sometimes"], **changes}


def callback_faults(kind: str, said: dict[str, str]) -> list[str]:
    """Where a callback is not what the documentation says."""
    entry = golden("callbacks")[kind]
    base = golden("callbacks")[entry["also"]] if "also" in entry else {"always": {}, "sometimes": {}}
    always = entry["always"].keys() | base["always"].keys()
    known = always | entry["sometimes"].keys() | base["sometimes"].keys()
    missing = [f"{kind}: {name} is missing" for name in sorted(always - said.keys())]
    return missing + [f"{kind}: {name} is unknown" for name in sorted(said.keys() - known)]


def kind_of(said: dict[str, str]) -> str:
    """Which of Twilio's callbacks this form is."""
    for name, kind in (("StatusCallbackEvent", "conference"), ("RecordingStatus", "recording"),
                       ("CallbackSource", "status"), ("DialCallStatus", "dial"), ("RecordingUrl", "record"),
                       ("Digits", "gather"), ("SpeechResult", "gather")):  # fmt: skip
        if name in said:
            return kind
    return "machine" if "CallStatus" not in said and "AnsweredBy" in said else "voice"


def twiml_faults(document: str) -> list[str]:
    """Where a document is not TwiML as Twilio documents it. '' (nothing answered) is none at all."""
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        return [f"no XML: {error}"]
    if root.tag != "Response":
        return [f"the root is {root.tag}, not Response"]
    return _element_faults(root)


def _element_faults(element: ElementTree.Element) -> list[str]:
    entry = golden("twiml").get(element.tag)
    if entry is None:
        return []  # SSML within Say, which its own table of `holds` has let in
    found = []
    for name, value in element.attrib.items():
        if name not in entry["attributes"]:
            found.append(f"{element.tag} has no attribute {name}")
        elif not _is_value(entry["attributes"][name], value):
            found.append(f"{element.tag} {name} is {value!r}, not {entry['attributes'][name]}")
    found += _text_faults(element, entry)
    for child in element:
        if child.tag not in entry["holds"]:
            found.append(f"{child.tag} stands in {element.tag}")
        else:
            found += _element_faults(child)
    return found


def _text_faults(element: ElementTree.Element, entry: Entry) -> list[str]:
    text, wanted = (element.text or "").strip(), entry.get("text")
    if wanted == "url" and not (_is_url(text) or "digits" in element.attrib):
        return [f"{element.tag} says {text!r}, no address"]
    if wanted == "needed" and not text and not len(element):
        return [f"{element.tag} is empty"]
    if wanted == "phone" and text and not re.fullmatch(r"\+?[0-9]{3,15}", text):
        return [f"{element.tag} says no phone"]
    return []


def _is_value(rule: Any, value: str) -> bool:
    if isinstance(rule, dict):
        return bool(value.split()) and all(word in rule["words"] for word in value.split())
    if isinstance(rule, list):
        numbers = [one for one in rule if isinstance(one, int)]
        return value.isdigit() and numbers[0] <= int(value) <= numbers[1] if numbers else value in rule
    return bool(
        {
            "text": True, "number": value.isdigit(), "seconds": value.isdigit() and int(value) >= 1,
            "boolean": value in ("true", "false"), "keys": re.fullmatch(r"[0-9*#]*", value) is not None,
            "url": _is_url(value), "url or nothing": value == "" or _is_url(value),
            "call": re.fullmatch(r"CA[0-9a-f]{32}", value) is not None,
        }[rule]
    )  # fmt: skip


def _is_url(value: str) -> bool:
    """Absolute, or relative to the document's own."""
    return value != "" and not re.search(r"\s", value) and urlsplit(value).scheme in ("", "http", "https")
