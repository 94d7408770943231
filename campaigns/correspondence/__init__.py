"""Conversations: what people write and how they are answered (docs/messages.md#inbox)."""
