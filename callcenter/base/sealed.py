"""Secrets that the database must keep and give back (a trunk's password, an AMI user's): sealed with the secret key."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"convoca sealed columns 1"
_box: Fernet | None = None


class Unreadable(Exception):
    """What was sealed cannot be opened: it was sealed with another secret key, or it is damaged."""


def configure(secret_key: str) -> None:
    """Say the secret key, once a process."""
    global _box  # noqa: PLW0603  # one process, one key
    derived = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret_key.encode())
    _box = Fernet(base64.urlsafe_b64encode(derived))


def seal(text: str) -> str:
    """`text` as it may be kept in a column. The same text twice gives two different seals."""
    return _the_box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed. Raises Unreadable."""
    try:
        return _the_box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable(
            "A secret in the database cannot be opened with this CONVOCA_SECRET_KEY: give the key that it was sealed "
            "with, or enter the secret again."
        ) from None


def _the_box() -> Fernet:
    if _box is None:
        raise RuntimeError("sealed.configure was not called in this process")
    return _box
