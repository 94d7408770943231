"""Letting a batch of messages go: many requests in flight, at the speed that the sender may carry."""

import asyncio
from collections.abc import Sequence
from time import monotonic

from callcenter.base.errors import ProviderError
from campaigns.channels import Channel, Receipt
from campaigns.dispatch.message_claims import Outgoing
from campaigns.dispatch.message_news import Answer

IN_FLIGHT = 40  # measured: more than 50 gain nothing; fewer than 15 cannot fill 100 messages a second at 150 ms


def send_all(channel: Channel, batch: Sequence[Outgoing]) -> list[Answer]:
    """Send each message of the batch once; an answer for each, in order. Blocks until the last one is answered."""
    return asyncio.run(_send_all(channel, batch))


def look_up_all(channel: Channel, asked: Sequence[Outgoing]) -> list[tuple[Outgoing, Sequence[Receipt]]]:
    """Ask the provider about each message. Those it could not be asked about are left out, for later."""
    return asyncio.run(_look_up_all(channel, asked))


async def _send_all(channel: Channel, batch: Sequence[Outgoing]) -> list[Answer]:
    slots, started, parts_before = asyncio.Semaphore(IN_FLIGHT), monotonic(), 0
    async with channel:
        tasks = []
        for message in batch:
            ahead = parts_before / channel.parts_per_second - (monotonic() - started)
            if ahead > 0.01:
                await asyncio.sleep(ahead)
            tasks.append(asyncio.create_task(_send(channel, message, slots)))
            parts_before += message.parts
        return list(await asyncio.gather(*tasks))


async def _send(channel: Channel, message: Outgoing, slots: asyncio.Semaphore) -> Answer:
    async with slots:
        try:
            return Answer(message.id, await channel.send(message))
        except ProviderError as error:
            return Answer(message.id, error)


async def _look_up_all(channel: Channel, asked: Sequence[Outgoing]) -> list[tuple[Outgoing, Sequence[Receipt]]]:
    slots = asyncio.Semaphore(IN_FLIGHT)
    async with channel:
        found = await asyncio.gather(*[_look_up(channel, message, slots) for message in asked])
    return [(message, receipts) for message, receipts in zip(asked, found, strict=True) if receipts is not None]


async def _look_up(channel: Channel, message: Outgoing, slots: asyncio.Semaphore) -> Sequence[Receipt] | None:
    async with slots:
        try:
            return await channel.look_up(message)
        except ProviderError:
            return None
