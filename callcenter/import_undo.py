"""Taking a whole import back: what it made goes, what it changed is as before, as far as nothing has happened since."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.db import Base


class ImportChange(Base):
    """What an import changed of a known person. `before`: their values as they were; `phones`: those it added."""

    __tablename__ = "import_changes"
    import_id: Mapped[int] = mapped_column(ForeignKey("import_batches.id", ondelete="CASCADE"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    before: Mapped[dict[str, Any] | None]
    phones: Mapped[list[Any] | None]
