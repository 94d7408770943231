"""People who work here: making them (one, or many at once), their passwords, roles and sessions. Rules and SELECTs."""

import csv
import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import uuid4

from argon2 import PasswordHasher
from flask_babel import gettext as _
from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.auth import ROLES, Role, User
from callcenter.base.errors import InvalidInput, NotFound, Refused

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
# Read aloud and typed from paper: no letters or digits that look alike.
SYLLABLES = [a + b for a in "bcdfgjklmnprstvz" for b in "aeiou"]
BULK_LIMIT = 500
PASSWORD_LENGTH_MIN = 10


@dataclass(frozen=True)
class NewPerson:
    full_name: str
    roles: tuple[str, ...]
    username: str = ""
    email: str | None = None


@dataclass(frozen=True)
class Slip:
    """What is printed once and stored nowhere: the password is kept as a hash only."""

    user_id: int
    full_name: str
    username: str
    password: str
    roles: tuple[str, ...]


def hash_password(password: str) -> str:
    """Argon2id with its own salt, as Flask-Security verifies it (normalised to NFKD, as there)."""
    return _hasher().hash(unicodedata.normalize("NFKD", password))


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher()


def new_password() -> str:
    """Twelve letters that can be read aloud and two digits: about 56 bits, for one use."""
    return "-".join("".join(secrets.choice(SYLLABLES) for _n in range(2)) for _m in range(3)) + str(
        secrets.randbelow(90) + 10
    )


def create(
    session: Session,
    person: NewPerson,
    password: str,
    *,
    by: int | None,
    is_demo: bool = False,
    must_change: bool = False,
) -> User:
    """A new person with a log-in. Raises InvalidInput naming the field."""
    username = person.username or free_username(session, person.full_name)
    faults = _faults(session, person, username, password)
    if faults:
        raise InvalidInput(faults)
    user = User(
        username=username,
        email=person.email or None,
        full_name=person.full_name.strip(),
        password=hash_password(password),
        fs_uniquifier=uuid4().hex,
        has_demo_password=is_demo,
        must_change_password=must_change,
        roles=_roles(session, person.roles),
    )
    session.add(user)
    session.flush()
    audit.record(session, by, "user.created", f"user/{user.id}", roles=sorted(person.roles))
    return user


def create_many(session: Session, people: Sequence[NewPerson], *, by: int) -> list[Slip]:
    """Many people with one-time passwords, to be printed as slips."""
    slips = []
    for person in people:
        password = new_password()
        user = create(session, person, password, by=by, must_change=True)
        slips.append(Slip(user.id, user.full_name, user.username, password, person.roles))
    return slips


def read_people(text: str, default_role: str) -> list[NewPerson]:
    """Pasted names, one a line, or CSV lines `name, user name, role`. Raises InvalidInput naming the line."""
    people: list[NewPerson] = []
    delimiter = "\t" if "\t" in text else ";" if ";" in text else ","
    for number, row in enumerate(_rows(text, delimiter), start=1):
        cells = [" ".join(cell.split()) for cell in row]
        if not any(cells):
            continue
        name, username, role = (*cells, "", "", "")[:3]
        if not name:
            raise InvalidInput({"people": _("Line %(number)s has no name.", number=number)})
        if role and role not in ROLES:
            allowed = ", ".join(ROLES)
            raise InvalidInput(
                {"people": _("Line %(number)s: the roles are %(allowed)s.", number=number, allowed=allowed)}
            )
        people.append(NewPerson(name, (role or default_role,), username.casefold()))
    if not people:
        raise InvalidInput({"people": _("Write at least one name.")})
    if len(people) > BULK_LIMIT:
        raise InvalidInput({"people": _("At most %(limit)s people at once.", limit=BULK_LIMIT)})
    return people


def _rows(text: str, delimiter: str) -> Iterable[list[str]]:
    try:
        yield from csv.reader(text.replace("\0", "").splitlines(), delimiter=delimiter)
    except csv.Error:
        raise InvalidInput({"people": _("A line is far too long, or a quotation mark is never closed.")}) from None


def free_username(session: Session, full_name: str) -> str:
    """`given.family` without accents, with a number behind it when somebody has that name already."""
    plain = unicodedata.normalize("NFKD", full_name).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z0-9]+", plain)
    stem = ".".join(words if len(words) < 2 else (words[0], words[1]))[:28] or "persona"
    stem = stem if len(stem) > 1 else f"{stem}.p"
    taken = set(session.scalars(select(User.username).where(User.username.startswith(stem, autoescape=True))))
    if stem not in taken:
        return stem
    return next(name for name in (f"{stem}{number}" for number in range(2, 10_000)) if name not in taken)


def get(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(_("There is no such person."))
    return user


def find_by_name(session: Session, username: str) -> User | None:
    return session.scalar(select(User).where(func.lower(User.username) == username.strip().lower()))


def matching(text: str = "", role: str = "", state: str = "") -> Select[User]:
    """People by a part of their name or user name, a role, and whether they may sign in ("active", "disabled")."""
    query = select(User).order_by(func.lower(User.full_name), User.id)
    if text:
        query = query.where(
            or_(User.full_name.icontains(text, autoescape=True), User.username.icontains(text, autoescape=True))
        )
    if role:
        query = query.where(User.roles.any(Role.name == role))
    if state:
        query = query.where(User.active.is_(state == "active"))
    return query


def set_password(session: Session, user_id: int, password: str, *, by: int | None, must_change: bool) -> User:
    """A new password; the person's sessions end at once."""
    user = get(session, user_id)
    if len(password) < PASSWORD_LENGTH_MIN:
        raise InvalidInput({"password": _password_rule()})
    user.password = hash_password(password)
    user.must_change_password, user.has_demo_password = must_change, False
    _end_sessions(user)
    audit.record(session, by, "user.password_reset", f"user/{user_id}")
    return user


def reset_password(session: Session, user_id: int, *, by: int) -> Slip:
    """A one-time password for a slip; the person's sessions end at once."""
    password = new_password()
    user = set_password(session, user_id, password, by=by, must_change=True)
    return Slip(user.id, user.full_name, user.username, password, tuple(role.name for role in user.roles))


def set_active(session: Session, user_id: int, *, active: bool, by: int) -> User:
    """Disable (sessions end at once) or enable a person. The last administrator stays."""
    user = get(session, user_id)
    if not active:
        _keep_an_administrator(session, user)
        _end_sessions(user)
    user.active = active
    audit.record(session, by, "user.enabled" if active else "user.disabled", f"user/{user_id}")
    return user


def end_sessions(session: Session, user_id: int, *, by: int) -> User:
    """Sign the person out everywhere."""
    user = get(session, user_id)
    _end_sessions(user)
    audit.record(session, by, "user.sessions_ended", f"user/{user_id}")
    return user


def require_second_factor(session: Session, user_id: int, *, required: bool, by: int) -> User:
    """From the next sign-in on the person needs an authenticator app; their sessions end, so that it is now."""
    user = get(session, user_id)
    user.must_use_second_factor = required
    if required and user.tf_primary_method is None:
        _end_sessions(user)
    audit.record(session, by, "user.second_factor_required", f"user/{user_id}", required=required)
    return user


def reset_second_factor(session: Session, user_id: int, *, by: int) -> User:
    """Forget the authenticator app (a lost telephone); sessions end."""
    user = get(session, user_id)
    user.tf_primary_method = user.tf_totp_secret = None
    _end_sessions(user)
    audit.record(session, by, "user.second_factor_reset", f"user/{user_id}")
    return user


def set_roles(session: Session, user_id: int, roles: Iterable[str], *, by: int) -> User:
    """Give the person exactly these roles. The last administrator stays one."""
    user = get(session, user_id)
    wanted = tuple(roles)
    if not wanted or set(wanted) - set(ROLES):
        raise InvalidInput({"roles": _("Choose at least one role.")})
    if "administrator" not in wanted:
        _keep_an_administrator(session, user)
    user.roles = _roles(session, wanted)
    audit.record(session, by, "user.roles_changed", f"user/{user_id}", roles=sorted(wanted))
    return user


def _end_sessions(user: User) -> None:
    # Sessions name the person by this value: a new one makes every old session a stranger's.
    user.fs_uniquifier = uuid4().hex


def _keep_an_administrator(session: Session, user: User) -> None:
    # Two who take each other's rights at once: the second waits here, and then sees what the first did.
    session.execute(select(Role.id).where(Role.name == "administrator").with_for_update())
    others = session.scalar(
        select(func.count())
        .select_from(User)
        .where(User.id != user.id, User.active, User.roles.any(Role.name == "administrator"))
    )
    if "administrator" in {role.name for role in user.roles} and not others:
        raise Refused("last_administrator", _("This is the last active administrator: make another one first."))


def _roles(session: Session, names: Iterable[str]) -> list[Role]:
    """The roles' rows, made on first use."""
    for name in names:
        session.execute(insert(Role).values(name=name).on_conflict_do_nothing(index_elements=["name"]))
    return list(session.scalars(select(Role).where(Role.name.in_(list(names))).order_by(Role.id)))


def _faults(session: Session, person: NewPerson, username: str, password: str) -> dict[str, str]:
    faults = {}
    if not person.full_name.strip():
        faults["full_name"] = _("Write the name.")
    if not USERNAME.fullmatch(username):
        faults["username"] = _("“%(name)s”: use 2 to 32 small letters, digits, dots or hyphens.", name=username)
    elif find_by_name(session, username):
        faults["username"] = _("The user name “%(name)s” is taken.", name=username)
    if not person.roles or set(person.roles) - set(ROLES):
        faults["roles"] = _("Choose at least one role.")
    if person.email and session.scalar(select(User.id).where(func.lower(User.email) == person.email.lower())):
        faults["email"] = _("Somebody else has that e-mail address.")
    if len(password) < PASSWORD_LENGTH_MIN:
        faults["password"] = _password_rule()
    return faults


def _password_rule() -> str:
    return str(_("The password needs at least %(length)s characters.", length=PASSWORD_LENGTH_MIN))
