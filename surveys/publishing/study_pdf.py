"""A study set on paper by typst. Its words and figures go in as JSON and are never pasted into markup."""

import io
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from surveys.publishing.package_archive import as_json
from surveys.publishing.study_document import Document
from surveys.publishing.study_source import Attachment

TEMPLATE = Path(__file__).parents[1] / "data" / "study.typ"
ENDINGS = {"image/png": "png", "image/jpeg": "jpg"}


def pdf(document: Document, attachments: Sequence[Attachment], at: datetime) -> bytes:
    """The PDF's bytes: only fonts that typst brings, no clock but `at`, so that the same study is the same file.

    A logo that is no sound picture is left out; the package holds the file all the same."""
    import typst

    logos = {one.kind: one for one in attachments if one.kind.startswith("logo_") and one.content_type in ENDINGS}
    try:
        return _set(document, logos, at)
    except typst.TypstError:
        if not logos:
            raise
        return _set(document, {}, at)


def _set(document: Document, logos: dict[str, Attachment], at: datetime) -> bytes:
    import typst

    with tempfile.TemporaryDirectory(prefix="convoca-study-") as folder:
        root = Path(folder)
        names = []
        for kind in document["logos"]:
            if kind in logos:
                names.append(f"{kind}.{ENDINGS[logos[kind].content_type]}")
                (root / names[-1]).write_bytes(logos[kind].content)
        (root / "study.typ").write_bytes(TEMPLATE.read_bytes())
        (root / "document.json").write_bytes(as_json({**document, "logos": names}))
        made = typst.compile(root / "study.typ", root=root, font_paths=typst.Fonts(include_system_fonts=False),
                             timestamp=int(at.timestamp()))  # fmt: skip
    return io.BytesIO(made).getvalue()
