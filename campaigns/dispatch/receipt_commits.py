"""Receipts are committed in groups (base.group_commits); the pages of their campaigns are told together, beside the
answers: a Redis that hangs holds nobody up."""

from collections.abc import Collection, Sequence
from threading import Lock, Timer
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session

from callcenter.base import outbox
from callcenter.base.group_commits import GroupCommits
from campaigns.channels import Receipt
from campaigns.dispatch import message_news

TELL_AFTER = 0.5  # seconds
_News = tuple[UUID, Receipt]


class ReceiptCommits:
    """The receipts of one process. Used by many threads at once."""

    def __init__(self) -> None:
        self.groups: GroupCommits[_News] = GroupCommits(self._record)
        self._lock = Lock()
        self._news: set[int] = set()

    def commit(self, message_id: UUID, receipt: Receipt) -> bool:
        """Keep a receipt and move its message on; returns once that is committed. False when there is no such message.

        Raises NotCommitted when PostgreSQL stays away, or what PostgreSQL said of this one receipt."""
        return self.groups.commit((message_id, receipt))

    def _record(self, session: Session, group: Sequence[_News]) -> list[bool]:
        heard = message_news.record_receipts(session, list(group))
        event.listen(session, "after_commit", lambda _session: self._tell_soon(heard.campaign_ids), once=True)
        return [message_id not in heard.missing for message_id, _receipt in group]

    def _tell_soon(self, campaign_ids: Collection[int]) -> None:
        with self._lock:
            is_first = bool(campaign_ids) and not self._news
            self._news.update(campaign_ids)
        if is_first:
            timer = Timer(TELL_AFTER, self._tell)
            timer.daemon = True
            timer.start()

    def _tell(self) -> None:
        with self._lock:
            news, self._news = self._news, set()
        outbox.tell(*(f"message-campaign/{campaign_id}" for campaign_id in sorted(news)))


_commits = ReceiptCommits()


def commit(message_id: UUID, receipt: Receipt) -> bool:
    """`ReceiptCommits.commit` of this process."""
    return _commits.commit(message_id, receipt)
