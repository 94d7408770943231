"""SIP messages (RFC 3261) as far as an invented telephone needs them: read, answered, written. Pure."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field

REASONS = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 410: "Gone", 480: "Temporarily Unavailable", 481: "No Such Call", 486: "Busy Here",
    487: "Request Terminated", 500: "Server Error", 503: "Service Unavailable", 603: "Decline",
}  # fmt: skip
SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type"}


@dataclass(frozen=True)
class Message:
    """`headers` in their order, names in lower case; a header may come several times."""

    first_line: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""

    @property
    def method(self) -> str | None:
        """Of a request; None for a response."""
        return None if self.first_line.startswith("SIP/") else self.first_line.split(" ", 1)[0]

    @property
    def status(self) -> int:
        return int(self.first_line.split(" ")[1])

    @property
    def number(self) -> str:
        """Whom a request calls."""
        found = re.match(r"\S+ sips?:([^@;>\s]*)@", self.first_line)
        return found[1] if found else ""

    def get(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def sequence(self) -> tuple[int, str]:
        """Number and method of its transaction."""
        number, _, method = self.get("cseq").partition(" ")
        return int(number or 0), method.strip()


def read(packet: bytes) -> Message | None:
    """None for what is no SIP (an empty keep-alive, say)."""
    head, _, body = packet.decode(errors="replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    if "SIP/2.0" not in first:
        return None
    pairs = (line.partition(":") for line in lines if ":" in line)
    headers = tuple((SHORT.get(name.strip().lower(), name.strip().lower()), text.strip()) for name, _, text in pairs)
    return Message(first, headers, body)


def respond(request: Message, status: int, *, tag: str, contact: str = "", body: str = "",
            extra: tuple[str, ...] = ()) -> bytes:  # fmt: skip
    """The answer to a request. `tag` makes the dialog ours; `body` is SDP."""
    to = request.get("to")
    if status != 100 and "tag=" not in to:
        to += f";tag={tag}"
    lines = [f"SIP/2.0 {status} {REASONS.get(status, 'Answer')}"]
    lines += [f"Via: {via}" for via in request.all("via")]
    lines += [f"Record-Route: {route}" for route in request.all("record-route")]
    lines += [f"From: {request.get('from')}", f"To: {to}"]
    lines += [f"Call-ID: {request.get('call-id')}", f"CSeq: {request.get('cseq')}", *extra]
    return _finish(lines, contact, body)


@dataclass
class Dialog:
    """One call as its two ends name it. `ours` and `theirs`: From and To with their tags; `target`: their contact."""

    call_id: str
    ours: str
    theirs: str
    target: str
    sequence: int = 1
    branch: str = field(default_factory=lambda: f"z9hG4bK{secrets.token_hex(8)}")


def request(method: str, dialog: Dialog, address: str, *, body: str = "") -> bytes:
    """A request within (or for INVITE: opening) a dialog. `address`: ours, host:port."""
    if method not in ("ACK", "CANCEL"):
        dialog.branch = f"z9hG4bK{secrets.token_hex(8)}"
    lines = [
        f"{method} {dialog.target} SIP/2.0", f"Via: SIP/2.0/UDP {address};branch={dialog.branch};rport",
        "Max-Forwards: 70", f"From: {dialog.ours}", f"To: {dialog.theirs}", f"Call-ID: {dialog.call_id}",
        f"CSeq: {dialog.sequence} {method}",
    ]  # fmt: skip
    return _finish(lines, f"<sip:{address}>", body)


def _finish(lines: list[str], contact: str, body: str) -> bytes:
    if contact:
        lines.append(f"Contact: {contact}")
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def uri(text: str) -> str:
    """The address within a Contact, From or To."""
    found = re.search(r"<([^>]+)>", text)
    return found[1] if found else text.split(";", 1)[0].strip()


def describe(host: str, port: int) -> str:
    """SDP: µ-law and RFC 4733 keys at this address."""
    lines = (
        "v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {port} RTP/AVP 0 101",
        "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=ptime:20", "a=sendrecv",
    )  # fmt: skip
    return "\r\n".join(lines) + "\r\n"


def media_address(sdp: str) -> tuple[str, int] | None:
    """Where the other side wants its packets; None when its SDP offers no audio."""
    host = re.search(r"^c=IN IP4 (\S+)", sdp, re.MULTILINE)
    port = re.search(r"^m=audio (\d+)", sdp, re.MULTILINE)
    return (host[1], int(port[1])) if host and port else None


def digest_matches(header: str, method: str, password: str) -> bool:
    """Does an Authorization header (RFC 7616, MD5) prove that its sender knows the password?"""
    given = _parameters(header)
    return given.get("response") == _digest(given, method, password)


def prove(challenge: str, method: str, target: str, account: str, password: str) -> str:
    """The Authorization header that answers a WWW-Authenticate."""
    asked = _parameters(challenge)
    given: dict[str, str] = {name: text for name, text in asked.items() if name in ("realm", "nonce", "opaque")}
    given |= {"username": account, "uri": target, "algorithm": "MD5"}
    if "qop" in asked:
        given |= {"qop": "auth", "nc": "00000001", "cnonce": secrets.token_hex(8)}
    given["response"] = _digest(given, method, password)
    bare = ("algorithm", "qop", "nc")
    return "Digest " + ", ".join(f"{key}={text}" if key in bare else f'{key}="{text}"' for key, text in given.items())


def _parameters(header: str) -> dict[str, str]:
    found = re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', header)
    return {name.lower(): quoted or plain for name, quoted, plain in found}


def _digest(given: dict[str, str], method: str, password: str) -> str:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    first = md5(f"{given.get('username')}:{given.get('realm')}:{password}")
    second = md5(f"{method}:{given.get('uri')}")
    names = ("nonce", "nc", "cnonce", "qop") if "qop" in given else ("nonce",)
    return md5(":".join((first, *(given.get(name, "") for name in names), second)))
