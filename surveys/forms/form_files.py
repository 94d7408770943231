"""A questionnaire as a workbook to take away."""

import re
from io import BytesIO
from typing import Any

from surveys.forms.sheets import Source
from surveys.forms.xlsform import write_workbook

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def file_name(title: str, version: int | None = None) -> str:
    """`Ola 1` -> `Ola-1.xlsx`, `Ola-1-v2.xlsx`."""
    plain = re.sub(r"[^\w]+", "-", title).strip("-")[:80] or "survey"
    return f"{plain}-v{version}.xlsx" if version else f"{plain}.xlsx"


def as_file(title: str, source: Source, version: int | None = None) -> dict[str, Any]:
    """What flask.send_file takes of a source."""
    content = BytesIO(write_workbook(source))
    return {
        "path_or_file": content,
        "mimetype": MIME,
        "as_attachment": True,
        "download_name": file_name(title, version),
    }
