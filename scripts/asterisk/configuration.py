"""What Asterisk reads, written from templates/ into a folder that Asterisk itself cannot change.

Two files are the exception: AMI's UpdateConfig writes accounts and trunks. Their first section, the template, is
written anew at each start; what follows it stays."""

import re
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.asterisk.installation import Installation
from scripts.asterisk.ports import Ports
from scripts.service_user import own

TEMPLATES = Path(__file__).parent / "templates"
WRITABLE = ("pjsip_accounts.conf", "pjsip_trunks.conf")
LANGUAGE = "es_MX"
PATIENCE = 10  # seconds of silence for whoever has no patience of their own: who rings us, whom a recording asks
MOST_FILES = 8192
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"  # Debian's; a trunk over TLS must show one of them
# Of the events that the user `switch` may hear: those that nobody asks about.
UNHEARD = ("TestEvent", "DeviceStateChange", "NewConnectedLine", "NewCallerid", "PresenceStateChange")


@dataclass(frozen=True)
class Wishes:
    """What differs between installations. `sip_address`: where trunks are spoken to, an address of this machine.
    `public_address`: how the world sees it when a router stands between."""

    sip_address: str = "127.0.0.1"
    public_address: str | None = None


def make_secrets() -> dict[str, str]:
    """A new secret for each AMI user."""
    return {user: secrets.token_hex(24) for user in ("switch", "ivr", "worker")}


def write(folder: Path, run_folder: Path, installation: Installation, ports: Ports, keys: dict[str, str],
          wishes: Wishes) -> None:  # fmt: skip
    """Write `folder`/etc anew."""
    environment = Environment(  # noqa: S701  # not HTML
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    values = {
        "folder": folder, "run_folder": run_folder, "installation": installation, "ports": ports, "secrets": keys,
        "language": LANGUAGE, "patience": PATIENCE, "most_files": MOST_FILES, "unheard_events": UNHEARD,
        "sip_address": wishes.sip_address, "is_loopback": wishes.sip_address.startswith("127."),
        "authorities": AUTHORITIES,
        "public_address": wishes.public_address, "own_address": _own_address() if wishes.public_address else None,
    }  # fmt: skip
    etc = folder / "etc"
    etc.chmod(0o700)
    for path in sorted(TEMPLATES.glob("*.conf")):
        text = environment.get_template(path.name).render(values)
        _put(etc / path.name, text)
    etc.chmod(0o500)
    _link_modules(folder / "lib" / "modules", installation.modules)


def _link_modules(links: Path, modules: Path) -> None:
    """A folder of exactly the modules that modules.conf names."""
    names = re.findall(r"^(?:require|load) = (\S+)$", (TEMPLATES / "modules.conf").read_text(), re.MULTILINE)
    for old in links.iterdir():
        old.unlink()
    for name in names:
        (links / name).symlink_to(modules / name)


def _put(path: Path, text: str) -> None:
    is_writable = path.name in WRITABLE
    if is_writable and path.exists():
        text += kept_sections(path.read_text(errors="replace"))
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    path.chmod(0o600 if is_writable else 0o400)
    own(path)


def kept_sections(text: str) -> str:
    """What AMI wrote: the sections after the template."""
    sections = re.split(r"^(?=\[)", text, flags=re.MULTILINE)[1:]
    kept = [section for section in sections if not re.match(r"\[[^\]]*\]\(!", section)]
    return "\n" + "".join(kept) if kept else ""


def _own_address() -> str:
    """The address from which this machine speaks to the world. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address of documentation (RFC 5737)
        return str(probe.getsockname()[0])
