"""What every phone really received, whatever its receipts said: counted from the ledger, for people and for benches."""

import html
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiohttp import web

from scripts.simulated_carrier.api import EXCHANGE
from scripts.simulated_carrier.ledger import INBOUND, IS_NAME, ON_WHATSAPP, RECEIVED, STATUSES, Ledger

routes = web.RouteTableDef()
MOST_TEXTS = 20
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd and large: a phone and a text become one number that no other pair has
_OLD = 521 * 10**10  # +521 and ten digits: the same phone as +52 and those digits
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<title>Received</title><h1>What every phone really received</h1>
<p>A receipt may be lost, doubled or late; this is what happened. Data:
<a href="/control/received">/control/received</a>,
<a href="/control/received/phones?least=2">phones that got more than one</a>.</p>
<table><caption>Messages</caption>{figures}</table>
<table><caption>States</caption>{states}</table>
<table><caption>Errors</caption>{errors}</table>
<table><caption>Texts</caption><tr><th scope=col>Text<th scope=col>Messages<th scope=col>Phones
<th scope=col>Phones that got it more than once</tr>{texts}</table>
"""


@dataclass(frozen=True)
class Columns:
    """The outbound messages from `first` on, as arrays of one length; `person` is the phone, whatever the channel."""

    number: np.ndarray[Any, np.dtype[np.int64]]
    person: np.ndarray[Any, np.dtype[np.uint64]]
    text: np.ndarray[Any, np.dtype[np.int64]]
    status: np.ndarray[Any, np.dtype[np.uint8]]
    error: np.ndarray[Any, np.dtype[np.uint16]]
    ours: np.ndarray[Any, np.dtype[np.uint16]]

    def where(self, wanted: np.ndarray[Any, np.dtype[np.bool_]]) -> "Columns":
        return Columns(*(getattr(self, name)[wanted] for name in self.__dataclass_fields__))

    def received(self) -> "Columns":
        return self.where(np.isin(self.status, RECEIVED))


def columns(ledger: Ledger, first: int = 0) -> Columns:
    """Copies: the ledger grows meanwhile."""
    all_of_it = Columns(
        np.arange(first, len(ledger), dtype=np.int64),
        _phones(ledger, np.array(ledger.person[first:], dtype=np.uint64)),
        np.array(ledger.text_hash[first:], dtype=np.int64),
        np.array(ledger.status[first:], dtype=np.uint8),
        np.array(ledger.error[first:], dtype=np.uint16),
        np.array(ledger.ours[first:], dtype=np.uint16),
    )
    is_outbound = np.array(ledger.media[first:], dtype=np.uint8) & INBOUND == 0
    return all_of_it.where(is_outbound)


def _phones(ledger: Ledger, keys: np.ndarray[Any, np.dtype[np.uint64]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    digits = keys & np.uint64(~ON_WHATSAPP & (1 << 64) - 1)
    is_name = digits >= np.uint64(IS_NAME)
    if is_name.any():
        known = [ledger.key(ledger.phones.get(name, name)) for name in ledger.strangers]
        digits[is_name] = np.array(known, dtype=np.uint64)[digits[is_name] - np.uint64(IS_NAME)]
    is_old = digits // np.uint64(10**10) == np.uint64(521)
    return np.where(is_old, digits - np.uint64(_OLD - 52 * 10**10), digits)


def by_status(ledger: Ledger) -> dict[str, int]:
    """How many messages, out and in, have each status."""
    counts = np.bincount(np.frombuffer(bytes(ledger.status), dtype=np.uint8), minlength=len(STATUSES))
    return {name: int(count) for name, count in zip(STATUSES, counts, strict=True) if count}


def summary(ledger: Ledger, *, first: int = 0, part: str = "", sender: str = "") -> dict[str, Any]:
    """Counts of the messages from number `first` on, of those that hold `part` and come from `sender` when given."""
    sent = columns(ledger, first)
    if sender:
        number = ledger.names.index(sender) if sender in ledger.names else -1
        sent = sent.where(sent.ours == number)
    if part:
        sent = sent.where(np.array([part in ledger.body(int(number)) for number in sent.number], dtype=bool))
    got = sent.received()
    _, each = np.unique(got.person, return_counts=True)
    _, same = np.unique(got.person * _MIX ^ got.text.view(np.uint64), return_counts=True)
    return {
        "accepted": len(sent.number),
        "received": len(got.number),
        "phones": len(each),
        "twice": int((each > 1).sum()),
        "twice_same_text": int((same > 1).sum()),
        "most": int(each.max(initial=0)),
        "waiting": int(np.isin(sent.status, [STATUSES.index(name) for name in ("queued", "accepted")]).sum()),
        "by_status": _named(sent.status, lambda number: STATUSES[number]),
        "by_error": _named(sent.error[sent.error > 0], str),
        "by_sender": _named(sent.ours, lambda number: ledger.names[number]),
        "texts": _texts(ledger, got),
    }


def _named(values: np.ndarray[Any, Any], name: Any) -> dict[str, int]:
    found, counts = np.unique(values, return_counts=True)
    return {name(int(value)): int(count) for value, count in zip(found, counts, strict=True)}


def _texts(ledger: Ledger, got: Columns) -> list[dict[str, Any]]:
    """The most frequent texts that were received."""
    _, firsts, counts = np.unique(got.text, return_index=True, return_counts=True)
    shown = []
    for at in np.argsort(-counts, kind="stable")[:MOST_TEXTS]:
        same = got.where(got.text == got.text[firsts[at]])
        people, each = np.unique(same.person, return_counts=True)
        body = ledger.body(int(got.number[firsts[at]]))
        twice = int((each > 1).sum())
        shown.append({"text": body, "messages": int(counts[at]), "phones": len(people), "twice": twice})
    return shown


def phones(ledger: Ledger, *, first: int = 0, least: int = 1) -> Iterator[str]:
    """Lines `address,count`, a stretch at a time, of phones that received `least` messages or more."""
    people, each = np.unique(columns(ledger, first).received().person, return_counts=True)
    kept = each >= least
    pairs = list(zip(people[kept].tolist(), each[kept].tolist(), strict=True))
    for start in range(0, len(pairs), 10_000):
        yield "".join(f"{ledger.address(person)},{count}\n" for person, count in pairs[start : start + 10_000])


@routes.get("/received")
async def page(request: web.Request) -> web.Response:
    found = summary(request.app[EXCHANGE].texts.ledger)
    figures = {name: value for name, value in found.items() if isinstance(value, int)}
    texts = "".join(
        f"<tr><td>{html.escape(text['text'])}<td>{text['messages']}<td>{text['phones']}<td>{text['twice']}"
        for text in found["texts"]
    )
    filled = PAGE.format(
        figures=_rows(figures), states=_rows(found["by_status"]), errors=_rows(found["by_error"]), texts=texts
    )
    return web.Response(text=filled, content_type="text/html")


def _rows(counts: dict[str, int]) -> str:
    return "".join(f"<tr><th scope=row>{html.escape(name)}<td>{count}" for name, count in Counter(counts).items())


@routes.get("/control/received")
async def show(request: web.Request) -> web.Response:
    """?after=<mark>&text=<part of the text>&sender=: what `summary` counts."""
    query = request.query
    found = summary(
        request.app[EXCHANGE].texts.ledger, first=_number(request, "after", 0), part=query.get("text", ""),
        sender=query.get("sender", ""),
    )  # fmt: skip
    return web.json_response(found)


@routes.post("/control/received/mark")
async def mark(request: web.Request) -> web.Response:
    """{"mark"}: give it back as `after` to count only what comes from now on."""
    return web.json_response({"mark": len(request.app[EXCHANGE].texts.ledger)})


@routes.get("/control/received/phones")
async def show_phones(request: web.Request) -> web.StreamResponse:
    """?after=<mark>&least=<messages>: CSV of phone,count."""
    response = web.StreamResponse(headers={"Content-Type": "text/csv; charset=utf-8"})
    await response.prepare(request)
    ledger = request.app[EXCHANGE].texts.ledger
    for lines in phones(ledger, first=_number(request, "after", 0), least=_number(request, "least", 1)):
        await response.write(lines.encode())
    await response.write_eof()
    return response


def _number(request: web.Request, name: str, otherwise: int) -> int:
    text = request.query.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit()):
        raise web.HTTPUnprocessableEntity(text=f"{name} is a whole number, not {text!r}.")
    return int(text)
