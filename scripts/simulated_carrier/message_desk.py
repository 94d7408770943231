"""Where a request for a message is looked at: a text that may leave, or Twilio's refusal."""

import re
from urllib.parse import urlsplit

from scripts.simulated_carrier import errors, senders
from scripts.simulated_carrier.contents import Filled, read_variables
from scripts.simulated_carrier.messages import Texts
from scripts.simulated_carrier.senders import Service
from scripts.simulated_carrier.texts import WHATSAPP, Text

Form = dict[str, list[str]]
MOST_CHARACTERS, MOST_MEDIA = 1600, 10
_E164 = re.compile(r"\+[1-9]\d{7,14}")
_MEXICAN = re.compile(r"\+52[2-9]\d{9}")
_OLD_MEXICAN = re.compile(r"\+521[2-9]\d{9}")  # which WhatsApp still uses
_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")  # WhatsApp's business-scoped id of a person


def is_phone(text: str) -> bool:
    return bool((_MEXICAN if text.startswith("+52") else _E164).fullmatch(text))


def read(texts: Texts, form: Form) -> Text:
    """The message that is asked for. Raises ApiError."""
    to = _recipient(_one(form, "To"))
    service = _service(texts, _one(form, "MessagingServiceSid"))
    sender = _sender(texts, _one(form, "From"), to, service)
    filled, template_sid = _content(texts, form)
    text = Text(
        to, sender, filled.body,
        status="accepted" if service else "queued",
        status_callback=_callback(_one(form, "StatusCallback")) or (service.status_callback if service else None),
        validity_seconds=_seconds(_one(form, "ValidityPeriod")),
        service_sid=service.sid if service else None,
        media=_media(filled), buttons=filled.buttons, template_sid=template_sid,
        fault="63028" if filled.missing else None,
    )  # fmt: skip
    _may_leave(texts, text)
    return text


def _one(form: Form, name: str) -> str | None:
    return form.get(name, [""])[-1] or None


def _recipient(to: str | None) -> str:
    if to is None:
        raise errors.missing("To")
    bare = to.removeprefix(WHATSAPP)
    is_known_to_whatsapp = to != bare and (_USER_ID.fullmatch(bare) or _OLD_MEXICAN.fullmatch(bare))
    if not is_phone(bare) and not is_known_to_whatsapp:
        raise errors.invalid_to(to)
    return to


def _service(texts: Texts, sid: str | None) -> Service | None:
    if sid is None:
        return None
    service = texts.senders.services.get(sid)
    if service is None:
        raise errors.no_such_service(sid)
    return service


def _sender(texts: Texts, given: str | None, to: str, service: Service | None) -> str:
    person = (WHATSAPP if to.startswith(WHATSAPP) else "") + texts.handsets.canonical(to)
    address = given or (service.choose(person) if service else None)
    if address is None:
        raise errors.empty_service() if service else errors.missing("From")
    known = texts.senders.known.get(address)
    if to.startswith(WHATSAPP) or address.startswith(WHATSAPP):
        if known is None or known.state == "unregistered" or to[:9] != address[:9]:
            raise errors.no_such_channel()
        return address
    if known is None or known.state == "unregistered":
        kind = senders.kind(address)
        if kind is None:
            raise errors.invalid_from(address)
        raise errors.not_sms_capable(address) if kind == "phone" else errors.not_reachable(to)
    return address


def _content(texts: Texts, form: Form) -> tuple[Filled, str | None]:
    """What is said: a template with its variables, or text and media."""
    body, media, sid = _one(form, "Body"), [url for url in form.get("MediaUrl", []) if url], _one(form, "ContentSid")
    if sid is None:
        if body is None and not media:
            raise errors.missing("Body")
        if len(body or "") > MOST_CHARACTERS:
            raise errors.body_too_long()
        return Filled(body or "", media, (), ()), None
    content = texts.contents.by_sid.get(sid)
    if content is None:
        raise errors.bad_content_sid(sid)
    if body is not None or media:
        raise errors.bad_value("Body or MediaUrl", "beside ContentSid")
    return content.fill(read_variables(_one(form, "ContentVariables"))), sid


def _media(filled: Filled) -> list[str]:
    if len(filled.media) > MOST_MEDIA:
        raise errors.too_much_media()
    for url in filled.media:
        if urlsplit(url).scheme not in ("http", "https"):
            raise errors.bad_media(url)
    return list(filled.media)


def _callback(url: str | None) -> str | None:
    if url is None:
        return None
    host = urlsplit(url).hostname
    if not host or "_" in host or not url.startswith(("http://", "https://")):
        raise errors.bad_callback(url)
    return url


def _seconds(validity: str | None) -> float:
    if validity is not None and not (validity.isascii() and validity.isdigit() and int(validity) <= 36_000):
        raise errors.bad_value("ValidityPeriod", validity)
    return float(validity or 36_000)


def _may_leave(texts: Texts, text: Text) -> None:
    phone = texts.handsets.canonical(text.to)
    if texts.opt_outs.is_stopped(phone, text.sender, text.service_sid) and not texts.is_told_late():
        raise errors.unsubscribed()
    refused = texts.handsets.refusal(text)
    if refused is not None:
        raise errors.by_code(int(refused), text.to)
    if not text.service_sid and texts.senders.known[text.sender].is_full:
        raise errors.queue_full()
