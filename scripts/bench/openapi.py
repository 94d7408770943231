"""Requests and answers held against Twilio's published OpenAPI documents (https://github.com/twilio/twilio-oai).

The documents stay outside; CONVOCA_TWILIO_OPENAPI names their folder (or one of its files). They describe what is
accepted, never a refusal: of one only the shape of Twilio's written documentation is asked for, and nothing of its
request. What no document describes (media, the prices, the dialling permissions) is not judged: `is_described`.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

VARIABLE = "CONVOCA_TWILIO_OPENAPI"
FILES = ("twilio_api_v2010.json", "twilio_content_v1.json", "twilio_messaging_v1.json")
PAGING = {"Page", "PageSize", "PageToken"}  # of every list, whether its document names them or not
# The paths that one of the documents above must know.
DESCRIBED = re.compile(r"/2010-04-01/.*\.json$|/v1/(?:Content|ContentAndApprovals|Services)(?:/|$)")
# https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions
REFUSAL: dict[str, type] = {"code": int, "message": str, "more_info": str, "status": int}
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "boolean": bool, "object": dict, "integer": int, "array": list, "number": (int, float),
}  # fmt: skip
Json = dict[str, Any]


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. `query`, `form`: every value by name; `sent` and `body`: JSON, where it was JSON."""

    method: str
    path: str
    status: int
    body: Any = None
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    form: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sent: Any = None


class Unknown(LookupError):
    """No document knows this request."""


def folder() -> Path | None:
    """Where the documents lie on this machine; None when nobody said."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    return Path(named) if Path(named).is_dir() else Path(named).parent


class Documents:
    """All documents of a folder. `of` any one path, the most literal template counts (`/Calls/{Sid}.json`)."""

    def __init__(self, documents: Sequence[Json]) -> None:
        self._found: dict[tuple[str, str], tuple[Json, Json]] = {}
        self._operations: list[tuple[re.Pattern[str], int, Json, Json]] = []
        for document in documents:
            for template, operations in document["paths"].items():
                pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+?", re.escape(template)) + "$")
                self._operations.append((pattern, template.count("{"), operations, document))
        self._operations.sort(key=lambda operation: operation[1])

    @classmethod
    def read(cls, where: Path) -> "Documents":
        return cls([json.loads((where / name).read_text()) for name in FILES if (where / name).exists()])

    def faults(self, exchange: Exchange) -> list[str]:
        """Where request or answer are not what the document says; empty when all is well. Raises Unknown."""
        operation, document = self._operation(exchange)
        where = f"{exchange.method} {exchange.path}"
        if exchange.status >= 400:
            return [f"{where}: refused: {fault}" for fault in refusal_faults(exchange.status, exchange.body)]
        check = Check(document)
        found = [*_query_faults(check, operation, exchange), *_form_faults(check, operation, exchange),
                 *_answer_faults(check, operation, exchange)]  # fmt: skip
        return [f"{where}: {fault}" for fault in found]

    def _operation(self, exchange: Exchange) -> tuple[Json, Json]:
        for pattern, _, operations, document in self._operations:
            if pattern.match(exchange.path) and exchange.method.lower() in operations:
                return operations[exchange.method.lower()], document
        raise Unknown(f"{exchange.method} {exchange.path}")


def is_described(path: str) -> bool:
    """Must one of the documents know this path?"""
    return DESCRIBED.match(path) is not None


def judge(documents: Documents, exchanges: Sequence[Exchange]) -> tuple[int, list[str]]:
    """(how many were judged, every fault). A path that must be described and is not is a fault."""
    judged, faults = 0, []
    for exchange in exchanges:
        if is_described(exchange.path):
            judged += 1
            try:
                faults += documents.faults(exchange)
            except Unknown as unknown:
                if exchange.status < 400:
                    faults.append(f"{unknown}: no document knows it")
    return judged, faults


def refusal_faults(status: int, body: Any) -> Iterator[str]:
    """Where an error's body is not what Twilio documents."""
    if not isinstance(body, dict):
        yield f"{body!r} is no object"
        return
    for key, kind in REFUSAL.items():
        if not isinstance(body.get(key), kind):
            yield f"{key} is {body.get(key)!r}"
    if body.get("status") != status:
        yield f"status is {body.get('status')!r} in an answer of HTTP {status}"
    yield from (f"{key} is unknown" for key in body.keys() - REFUSAL.keys() - {"details"})


def _query_faults(check: "Check", operation: Json, exchange: Exchange) -> Iterator[str]:
    known = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == "query"}
    for name in exchange.query.keys() - known.keys() - PAGING:
        yield f"parameter {name} is unknown"
    for name, one in known.items():
        if name in exchange.query:
            yield from check.words(f"parameter {name}", one["schema"], exchange.query[name])
        elif one.get("required"):
            yield f"parameter {name} is missing"


def _form_faults(check: "Check", operation: Json, exchange: Exchange) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if exchange.sent is not None:
        if "application/json" not in content:
            yield "a JSON body is not taken here"
        return
    schema = check.resolved(content.get("application/x-www-form-urlencoded", {}).get("schema", {}))
    known, required = schema.get("properties", {}), schema.get("required", ())
    for name, values in exchange.form.items():
        if name in known:
            yield from check.words(f"field {name}", known[name], values)
        elif not any(name.startswith(f"{key}.") for key, rule in known.items() if "collapsible" in str(rule)):
            yield f"field {name} is unknown"
    yield from (f"field {name} is missing" for name in required if name not in exchange.form)


def _answer_faults(check: "Check", operation: Json, exchange: Exchange) -> Iterator[str]:
    answer = operation["responses"].get(str(exchange.status))
    if answer is None:
        yield f"HTTP {exchange.status}, known are {', '.join(operation['responses'])}"
        return
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    if schema is not None:
        yield from check.value("answer", schema, exchange.body)


class Check:
    """Values against the schemas of one document."""

    def __init__(self, document: Json) -> None:
        self._schemas: Json = document.get("components", {}).get("schemas", {})

    def resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]] | {k: v for k, v in schema.items() if k != "$ref"}
        return schema

    def value(self, name: str, schema: Json, value: Any) -> Iterator[str]:
        """Faults of a value of JSON. Every property that a schema names must be there."""
        # Beside a $ref OpenAPI 3.0 lets nothing stand: Twilio's own examples have null where an enum is referred to.
        may_be_null = "$ref" in schema
        schema = self.resolved(schema)
        kind = schema.get("type")
        if value is None:
            if not (schema.get("nullable") or (may_be_null and "enum" in schema)) and kind is not None:
                yield f"{name} is null"
        elif kind == "number" and isinstance(value, str):  # Twilio's own examples write amounts in words
            yield from _word_faults(name, schema, value)
        elif kind in TYPES and (not isinstance(value, TYPES[kind]) or (kind == "integer" and value is True)):
            yield f"{name} is {value!r}"
        elif kind == "array":
            for number, item in enumerate(value):
                yield from self.value(f"{name}[{number}]", schema.get("items", {}), item)
        elif "properties" in schema:
            yield from self._object(name, schema["properties"], value)
        elif isinstance(value, str):
            yield from _text_faults(name, schema, value)

    def _object(self, name: str, properties: Json, value: Json) -> Iterator[str]:
        yield from (f"{name}.{key} is unknown" for key in value.keys() - properties.keys())
        for key, rule in properties.items():
            if key in value:
                yield from self.value(f"{name}.{key}", rule, value[key])
            else:
                yield f"{name}.{key} is missing"

    def words(self, name: str, schema: Json, values: Sequence[str]) -> Iterator[str]:
        """Faults of what a form or query says: words, which stand for values of any type."""
        schema = self.resolved(schema)
        if schema.get("type") == "array":
            for value in values:
                yield from self.words(name, schema.get("items", {}), [value])
            return
        if len(values) > 1:
            yield f"{name} is said {len(values)} times"
        for value in values:
            yield from _word_faults(name, schema, value)


def _word_faults(name: str, schema: Json, word: str) -> Iterator[str]:
    kind = schema.get("type")
    if kind == "integer" and not re.fullmatch(r"-?\d+", word):
        yield f"{name} is {word!r}, no integer"
    elif kind == "boolean" and word.lower() not in ("true", "false"):
        yield f"{name} is {word!r}, no boolean"
    elif kind == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", word):
        yield f"{name} is {word!r}, no number"
    elif kind == "string":
        yield from _text_faults(name, schema, word)


def _text_faults(name: str, schema: Json, value: str) -> Iterator[str]:
    if value == "" and schema.get("nullable"):
        return  # empty stands for none, in Twilio's own examples, too
    if "enum" in schema and value not in schema["enum"]:
        yield f"{name} is {value!r}, none of {', '.join(map(str, schema['enum']))}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{name} is {value!r}, not {schema['pattern']}"
    length = len(value)
    if not schema.get("minLength", 0) <= length <= schema.get("maxLength", length):
        yield f"{name} has {length} characters"
    if not _has_format(schema.get("format", ""), value):
        yield f"{name} is {value!r}, no {schema['format']}"


def _has_format(wanted: str, value: str) -> bool:
    try:
        if wanted == "date-time-rfc-2822":
            parsedate_to_datetime(value)
        elif wanted in ("date-time", "date"):
            datetime.fromisoformat(value)
    except ValueError:
        return False
    if wanted == "uri":
        return " " not in value
    return wanted != "http-method" or value in ("GET", "POST", "HEAD", "PATCH", "PUT", "DELETE")
