"""One person's data to hand over: made in a job, kept until it was taken once or grew old."""

import html
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import format_datetime
from flask_babel import gettext as _
from sqlalchemy import ForeignKey, LargeBinary, select, text, update
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from callcenter.base import audit, languages
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import enqueue_later
from callcenter.privacy import person_register
from callcenter.privacy.person_register import Sheet
from callcenter.tables.table_files import csv_line

LIFE = timedelta(days=7)  # the retention page may say less
PATIENCE = timedelta(minutes=10)  # then a job that Redis forgot is asked for again
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1b1f}
table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}th,td{border:1px solid #bbb;padding:.35rem .5rem;
text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#f0f0f4}h2{margin-top:2rem}
"""


class PersonExport(Base):
    """`state`: asked → ready → taken | expired. `content` is the ZIP while it is ready. Times are real time."""

    __tablename__ = "person_exports"
    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("arco_requests.id", ondelete="SET NULL"))
    language: Mapped[str] = mapped_column(default="es")
    state: Mapped[str] = mapped_column(default="asked")
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    made_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
    ready_at: Mapped[datetime | None]
    taken_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Draft:
    """What goes into one export, free of the session."""

    id: int
    language: str
    made_at: datetime
    sheets: list[Sheet]


def ask(
    session: Session, contact_id: int, user_id: int, *, request_id: int | None = None, language: str = "es"
) -> PersonExport:
    """Have the export made by a worker."""
    made = PersonExport(contact_id=contact_id, request_id=request_id, language=language, made_by=user_id)
    session.add(made)
    session.flush()
    audit.record(session, user_id, "person_exports.ask", f"contact/{contact_id}", export=made.id)
    _enqueue(session, made)
    return made


def _enqueue(session: Session, made: PersonExport) -> None:
    enqueue_later(session, "callcenter.privacy.privacy_jobs.make_export", made.id)


def make(session: Session, export_id: int) -> bool:
    """Fill an export that was asked for; False when there is nothing to do any more."""
    draft = gather(session, export_id)
    return draft is not None and finish(session, draft, packed(draft))


def gather(session: Session, export_id: int) -> Draft | None:
    """What every floor holds of the person; None when there is nothing to do any more. Changes nothing."""
    made = session.get(PersonExport, export_id, populate_existing=True)
    if made is None or made.state != "asked":
        return None
    with languages.speaking(made.language):
        sheets = person_register.export(session, made.contact_id)
    return Draft(made.id, made.language, made.made_at, sheets)


def packed(draft: Draft) -> bytes:
    """The ZIP of it. Files may come from a provider: no transaction is open meanwhile."""
    with languages.speaking(draft.language):
        return pack(draft.sheets, draft.made_at)


def finish(session: Session, draft: Draft, content: bytes) -> bool:
    """Keep the ZIP until it is taken; False when somebody else has done so, or the person is gone."""
    made = session.get(PersonExport, draft.id, with_for_update=True, populate_existing=True)
    if made is None or made.state != "asked":
        return False
    made.content, made.state, made.ready_at = content, "ready", real_now()
    return True


def take(session: Session, export_id: int, user_id: int) -> bytes:
    """The ZIP, once, for the person who asked for it. Raises NotFound, Refused."""
    made = session.get(PersonExport, export_id, with_for_update=True)
    if made is None or made.made_by != user_id:
        raise NotFound(_("There is no such export of yours."))
    content = made.content
    if made.state != "ready" or content is None:
        raise Refused("not_ready", _("This export was taken already, is too old, or is not made yet. Make a new one."))
    made.content, made.state, made.taken_at = None, "taken", real_now()
    audit.record(session, user_id, "person_exports.take", f"contact/{made.contact_id}", export=export_id)
    return content


def of_person(session: Session, contact_id: int) -> list[PersonExport]:
    """Newest first."""
    wanted = select(PersonExport).where(PersonExport.contact_id == contact_id).order_by(PersonExport.id.desc())
    return list(session.scalars(wanted.limit(10)))


def sweep(session: Session) -> int:
    """Ask again for the exports whose job is gone, and empty those nobody took in time; returns how many of both."""
    now = real_now()
    late = select(PersonExport).where(PersonExport.state == "asked", PersonExport.made_at < now - PATIENCE)
    lost = session.scalars(late.with_for_update(skip_locked=True)).all()
    for made in lost:
        made.made_at = now
        _enqueue(session, made)
    old = session.scalars(
        update(PersonExport)
        .where(PersonExport.state == "ready", PersonExport.ready_at < now - LIFE)
        .values(state="expired", content=None)
        .returning(PersonExport.id)
    ).all()
    return len(lost) + len(old)


def pack(sheets: list[Sheet], at: datetime) -> bytes:
    """The sheets as a ZIP: a page to read, a CSV each for a spreadsheet, and one JSON for another program."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("index.html", _page(sheets, at))
        for sheet in sheets:
            lines = [csv_line(map(str, sheet.columns)), *(csv_line(map(_plain, row)) for row in sheet.rows)]
            file.writestr(f"{sheet.name}.csv", "\ufeff" + "".join(lines))
        file.writestr("data.json", json.dumps({sheet.name: _objects(sheet) for sheet in sheets}, ensure_ascii=False,
                                              indent=1, default=_plain))  # fmt: skip
        for attached in (each for sheet in sheets for each in sheet.files):
            file.writestr(attached.name, attached.read(), zipfile.ZIP_STORED)
    return packed.getvalue()


def _page(sheets: list[Sheet], at: datetime) -> str:
    title = html.escape(_("Personal data that we hold of you"))
    made = html.escape(
        _("Made on %(when)s. The same data are in the files beside this page.", when=format_datetime(at))
    )
    parts = [
        f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p>{made}"
    ]
    for sheet in sheets:
        head = "".join(f"<th scope=col>{html.escape(str(column))}" for column in sheet.columns)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(_plain(value))}" for value in row) for row in sheet.rows)
        parts.append(f"<h2>{html.escape(str(sheet.title))}</h2><table><thead><tr>{head}<tbody>{body}</table>")
    return "\n".join(parts)


def _objects(sheet: Sheet) -> list[dict[str, Any]]:
    names = [str(column) for column in sheet.columns]
    return [dict(zip(names, row, strict=True)) for row in sheet.rows]


def _plain(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, datetime):
        return str(format_datetime(value, "medium"))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value.isoformat() if isinstance(value, date) else str(value)
