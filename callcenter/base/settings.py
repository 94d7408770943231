"""Settings of one process: a frozen value read once from the environment, every fault reported together."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from callcenter.base import twilio_settings
from callcenter.base.twilio_settings import Twilio

__all__ = ["CARRIERS", "NOWHERE", "PREFIX", "BadSettings", "Mail", "Recordings", "Settings", "Telegram", "Twilio",
           "read_settings", "var_folder", "web_settings"]  # fmt: skip
CARRIERS = ("simulated", "twilio", "asterisk")
PREFIX = "CONVOCA_"
NOWHERE = "http://127.0.0.1:9"  # the port of discard: nobody answers there


class BadSettings(Exception):
    """Raised with every fault of the environment at once, one sentence a line."""


@dataclass(frozen=True)
class Telegram:
    """The bot that messages leave by; without a token there is none."""

    token: str = field(default="", repr=False)
    base_url: str = "https://api.telegram.org"


@dataclass(frozen=True)
class Mail:
    """The relay that e-mail leaves by: smtp://user@host:587 (STARTTLS) or smtps://…; without `url` there is none.

    `sender`: as it stands in From, `Encuestas <avisos@example.org>`."""

    url: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    sender: str = ""


@dataclass(frozen=True)
class Recordings:
    """Where recordings lie: in the data folder, or in a bucket of S3-compatible storage when `s3_url` names one.

    `disk_left`: bytes; with less on a disk no new recording is begun."""

    disk_left: int = 2**30
    s3_url: str = ""
    s3_bucket: str = ""
    s3_region: str = "us-east-1"
    s3_key_id: str = ""
    s3_secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """`var` holds all data of the embedded default; `public_url` is where carriers reach our webhooks."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    var: Path
    public_url: str
    carrier: str
    secret_key: str = field(repr=False)
    suppression_key: bytes = field(repr=False)
    twilio: Twilio
    live_port: int | None = None
    demo_passwords_refused: bool = False
    recordings: Recordings = field(default_factory=Recordings)
    telegram: Telegram = field(default_factory=Telegram)
    mail: Mail = field(default_factory=Mail)
    carrier_is_told: bool = True  # by the environment or the command; else it is the choice kept in the database
    proxies: int = 0  # how many reverse proxies stand before us and set X-Forwarded-*
    voices: Mapping[str, Path] = field(default_factory=dict)  # language (es, en) → a voice file of Piper
    transcription_model: Path | None = None  # of whisper.cpp: voices are written down by it
    short_url: str = ""  # of links in messages, where it is not the public address

    @property
    def link_url(self) -> str:
        """Where short links begin."""
        return self.short_url or self.public_url

    @property
    def is_drill(self) -> bool:
        """Drill mode and a real carrier exclude each other by construction."""
        return self.carrier == "simulated"


def web_settings() -> Settings:
    """The settings of the application that answers this request or command."""
    from flask import current_app  # the supervisor reads settings too, and needs no web framework

    settings: Settings = current_app.config["SETTINGS"]
    return settings


def var_folder(env: Mapping[str, str] = os.environ) -> Path:
    """The data folder: CONVOCA_VAR, else `var` beside the code."""
    return Path(env.get(PREFIX + "VAR") or Path(__file__).parents[2] / "var").resolve()


def read_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the environment; raises BadSettings naming every fault."""
    faults: list[str] = []
    carrier = env.get(PREFIX + "CARRIER", "simulated")
    if carrier not in CARRIERS:
        faults.append(f"{PREFIX}CARRIER is {carrier!r}; it must be one of {', '.join(CARRIERS)}.")
    var = var_folder(env)
    settings = Settings(
        database_url=_url(env, "DATABASE_URL", ("postgresql", "postgresql+psycopg"), faults),
        redis_url=_url(env, "REDIS_URL", ("redis", "rediss", "unix"), faults),
        var=var,
        public_url=_url(env, PREFIX + "PUBLIC_URL", ("http", "https"), faults, "http://127.0.0.1:8000").rstrip("/"),
        carrier=carrier,
        secret_key=_key(env, "SECRET_KEY", var, faults).decode(),
        suppression_key=_key(env, "SUPPRESSION_KEY", var, faults),
        twilio=_twilio(env, carrier, faults),
        live_port=_port(env, PREFIX + "LIVE_PORT", faults),
        demo_passwords_refused=_refuses_demo_passwords(env, carrier, faults),
        recordings=_recordings(env, faults),
        telegram=_telegram(env, carrier, faults),
        mail=_mail(env, carrier, faults),
        carrier_is_told=_choice(env, "CARRIER_TOLD", ("yes", "no"), faults) == "yes",
        proxies=int(_choice(env, "PROXIES", ("0", "1", "2", "3"), faults)),
        voices=_voices(env, faults),
        transcription_model=_transcription_model(env, faults),
        short_url=_url(env, PREFIX + "LINK_URL", ("http", "https"), faults).rstrip("/")
        if env.get(PREFIX + "LINK_URL")
        else "",
    )
    if faults:
        raise BadSettings("\n".join(faults))
    return settings


def _url(
    env: Mapping[str, str], name: str, schemes: tuple[str, ...], faults: list[str], default: str | None = None
) -> str:
    value = env.get(name) or default
    if not value:
        faults.append(f"{name} is not set. `make run` and `flask` set it to the embedded service; set it to your own.")
        return ""
    if urlsplit(value).scheme not in schemes:
        faults.append(f"{name} must begin with one of {', '.join(s + '://' for s in schemes)}.")
    return value.replace("postgresql://", "postgresql+psycopg://", 1)


def _refuses_demo_passwords(env: Mapping[str, str], carrier: str, faults: list[str]) -> bool:
    """They stand in the documentation: good for a drill only, and unasked for only where nobody else reaches it."""
    host = urlsplit(env.get(PREFIX + "PUBLIC_URL") or "http://localhost").hostname or ""
    fitting = ("allowed", "refused") if _is_loopback(host) else ("refused", "allowed")
    return carrier != "simulated" or _choice(env, "DEMO_PASSWORDS", fitting, faults) == "refused"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _choice(env: Mapping[str, str], name: str, allowed: tuple[str, ...], faults: list[str]) -> str:
    """One of the allowed words; the first when nothing is said."""
    value = env.get(PREFIX + name) or allowed[0]
    if value not in allowed:
        faults.append(f"{PREFIX}{name} is {value!r}; it must be one of {', '.join(allowed)}.")
        return allowed[0]
    return value


def _voices(env: Mapping[str, str], faults: list[str]) -> dict[str, Path]:
    """The voice files that recorded surveys speak with; without one, espeak-ng speaks."""
    found = {}
    for language in ("es", "en"):
        name = f"{PREFIX}VOICE_{language.upper()}"
        if not env.get(name):
            continue
        found[language] = Path(env[name])
        if not found[language].is_file():
            faults.append(f"{name} is {env[name]!r}; it must be a voice file of Piper (.onnx) that can be read.")
    return found


def _transcription_model(env: Mapping[str, str], faults: list[str]) -> Path | None:
    """The model file with which a program writes voices down; without one, people do."""
    name = PREFIX + "TRANSCRIPTION_MODEL"
    if not env.get(name):
        return None
    model = Path(env[name])
    if not model.is_file():
        faults.append(f"{name} is {env[name]!r}; it must be a model file of whisper.cpp (.bin) that can be read.")
    return model


def _port(env: Mapping[str, str], name: str, faults: list[str]) -> int | None:
    value = env.get(name)
    if not value:
        return None
    if not value.isdigit() or not 0 < int(value) < 65536:
        faults.append(f"{name} is {value!r}; it must be a port number from 1 to 65535.")
        return None
    return int(value)


def _key(env: Mapping[str, str], name: str, var: Path, faults: list[str]) -> bytes:
    """A secret from the environment, from the file NAME_FILE names, or made once under `var/keys` (mode 0600)."""
    value, file = env.get(PREFIX + name), env.get(PREFIX + name + "_FILE")
    if value:
        return value.encode()
    path = Path(file) if file else var / "keys" / name.lower()
    try:
        if not path.exists() and not file:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _create_key(path)
        key = path.read_bytes().strip()
    except OSError as error:
        faults.append(f"{PREFIX}{name}_FILE: the key in {path} cannot be read ({error.strerror}).")
        return b""
    if not key:
        faults.append(f"{PREFIX}{name}_FILE: the key in {path} is empty.")
    return key


def _create_key(path: Path) -> None:
    # Several processes may start at once: the first link wins, the others read it.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(secrets.token_urlsafe(48))
        handle.flush()
        os.fsync(handle.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _twilio(env: Mapping[str, str], carrier: str, faults: list[str]) -> Twilio:
    if carrier == "simulated":
        return twilio_settings.simulated(env)
    is_used = carrier == "twilio"
    return twilio_settings.read(env, is_used=is_used, secret=lambda name: _secret(env, name, faults), faults=faults)


def _telegram(env: Mapping[str, str], carrier: str, faults: list[str]) -> Telegram:
    if carrier == "simulated":  # a drill never speaks to Telegram itself
        return Telegram("777000:simulated", env.get(PREFIX + "SIMULATED_URL") or NOWHERE)
    token = _secret(env, "TELEGRAM_TOKEN", faults)
    if token and not re.fullmatch(r"\d+:[\w-]+", token):
        faults.append(f"{PREFIX}TELEGRAM_TOKEN is not a token of BotFather: digits, a colon, letters.")
    url = _url(env, PREFIX + "TELEGRAM_URL", ("http", "https"), faults, Telegram.base_url)
    return Telegram(token, url.rstrip("/"))


def _mail(env: Mapping[str, str], carrier: str, faults: list[str]) -> Mail:
    if carrier == "simulated":  # a drill's mail goes to the simulated relay, or nowhere
        return Mail(env.get(PREFIX + "SIMULATED_SMTP_URL", ""), "", "Convoca <avisos@convoca.example>")
    name = PREFIX + "SMTP_URL"
    url = _url(env, name, ("smtp", "smtps"), faults) if env.get(name) else ""
    mail = Mail(url, _secret(env, "SMTP_PASSWORD", faults), env.get(PREFIX + "MAIL_SENDER", ""))
    if url and "@" not in mail.sender:
        faults.append(
            f"{PREFIX}MAIL_SENDER is not set; it is the From of e-mails, such as Encuestas <avisos@example.org>."
        )
    return mail


def _recordings(env: Mapping[str, str], faults: list[str]) -> Recordings:
    megabytes = env.get(PREFIX + "RECORDINGS_DISK_LEFT") or "1024"
    if not (megabytes.isascii() and megabytes.isdigit()):
        faults.append(f"{PREFIX}RECORDINGS_DISK_LEFT is {megabytes!r}; it must be a number of megabytes.")
        megabytes = "1024"
    url = _url(env, PREFIX + "S3_URL", ("http", "https"), faults).rstrip("/") if env.get(PREFIX + "S3_URL") else ""
    names = {name: env.get(PREFIX + name, "") for name in ("S3_BUCKET", "S3_KEY_ID")}
    names["S3_SECRET"] = _secret(env, "S3_SECRET", faults)
    for name in (name for name, value in names.items() if url and not value):
        faults.append(f"{PREFIX}{name} is not set; recordings go to {PREFIX}S3_URL and need it.")
    return Recordings(
        disk_left=int(megabytes) * 2**20, s3_url=url, s3_bucket=names["S3_BUCKET"], s3_key_id=names["S3_KEY_ID"],
        s3_region=env.get(PREFIX + "S3_REGION") or "us-east-1", s3_secret=names["S3_SECRET"],
    )  # fmt: skip


def _secret(env: Mapping[str, str], name: str, faults: list[str]) -> str:
    """A secret from the environment, or from the file that NAME_FILE names; empty when neither is given."""
    file = env.get(PREFIX + name + "_FILE")
    if env.get(PREFIX + name) or not file:
        return env.get(PREFIX + name, "")
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{PREFIX}{name}_FILE: the secret in {file} cannot be read ({type(error).__name__}).")
        return ""
