"""Services that are not ours: do those that the environment names answer? If not: which one, and what was tried."""

from collections.abc import Mapping

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

SECONDS = 5


class Unreachable(Exception):
    """A service named in the environment does not answer; the message names it (password masked) and what was tried."""


def masked(url: str) -> str:
    """`url` without its password, for messages."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "(not an address)"


def check(env: Mapping[str, str]) -> None:
    """Raises Unreachable naming the first of DATABASE_URL and REDIS_URL that is set and does not answer."""
    if env.get("DATABASE_URL"):
        check_database(env["DATABASE_URL"])
    if env.get("REDIS_URL"):
        check_redis(env["REDIS_URL"])


def check_database(url: str) -> None:
    import psycopg

    try:
        psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=SECONDS).close()
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise Unreachable(
            f"DATABASE_URL ({masked(url)}) cannot be reached. Tried to connect and log in for {SECONDS} s: {reason}"
        ) from None


def check_redis(url: str) -> None:
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        with Redis.from_url(url, socket_connect_timeout=SECONDS, socket_timeout=SECONDS) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        raise Unreachable(f"REDIS_URL ({masked(url)}) cannot be reached. Tried PING for {SECONDS} s: {error}") from None
