"""E-mail: what leaves, byte by byte where it matters, and what a relay's words mean."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from campaigns.channels import Enclosure
from campaigns.channels.email import composed, is_address
from tests.campaigns.channels.contract import ASKS_TO_WAIT, FULL, STAGES, Provider
from tests.campaigns.channels.test_contract import on_stage, refused


def received(settings: Settings, **values: Any) -> EmailMessage:
    """The letter as the relay got it."""
    provider, mail = Provider(), STAGES["email"].letter()
    changed = type(mail)(**{**mail.__dict__, **values})
    on_stage("email", provider, settings, lambda channel: channel.send(changed))
    [got] = provider.got
    # A line that begins with a point travels with two (RFC 5321, 4.5.2).
    content = b"\r\n".join(line[1:] if line.startswith(b"..") else line for line in got["content"].split(b"\r\n"))
    found = message_from_bytes(content.removesuffix(b".\r\n"), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_mail_programs_find_the_way_out_and_people_too(settings: Settings) -> None:
    mail = received(settings)
    assert mail["List-Unsubscribe"] == "<http://convoca.test/u/abc>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Para no recibir más correos: http://convoca.test/u/abc" in mail.get_content()


def test_the_letter_names_who_writes_to_whom_and_itself(settings: Settings) -> None:
    mail = received(settings)
    assert (mail["From"], mail["To"], mail["Subject"]) == (
        "Encuestas <avisos@example.org>", "lupita@example.org", "Su opinión",
    )  # fmt: skip
    assert mail["Message-ID"].endswith("@example.org>")
    assert "Hola Lupita, ¿cómo está?" in mail.get_content()


def test_a_line_that_begins_with_a_point_arrives_whole(settings: Settings) -> None:
    text = "Uno\n.dos\n..tres\n.\ncuatro"
    assert text in received(settings, body=text).get_content().replace("\r\n", "\n")


@given(st.text(max_size=40))
def test_no_subject_adds_a_header(title: str) -> None:
    mail = STAGES["email"].letter()
    made = composed(type(mail)(**{**mail.__dict__, "enclosed": Enclosure(title=title)}))
    read = message_from_bytes(made.as_bytes(), policy=policy.default)
    assert set(read.keys()) == {"From", "To", "Subject", "Date", "Message-ID", "Content-Type",
                                "Content-Transfer-Encoding", "MIME-Version"}  # fmt: skip


@pytest.mark.parametrize(
    "address", ["", "ana", "ana@", "@example.org", "ana@example", "ana@example.org\r\nBcc: x@example.org",
                "a b@example.org", "ana@exam ple.org", "añA@example.org", "ana@-x.org", "a" * 250 + "@example.org"],
)  # fmt: skip
def test_what_is_no_address_never_reaches_a_relay(settings: Settings, address: str) -> None:
    assert not is_address(address)
    provider, mail = Provider(), STAGES["email"].letter()
    odd = type(mail)(**{**mail.__dict__, "address": address})

    async def send(channel: Any) -> bool:
        with pytest.raises(ProviderError) as error:
            await channel.send(odd)
        return error.value.permanent

    assert on_stage("email", provider, settings, send)
    assert provider.asked == 0


@pytest.mark.parametrize("address", ["ana@example.org", "ana.lara+x@sub.example.com.mx", "A_1%b@example.mx"])
def test_addresses_as_lists_hold_them_are_taken(address: str) -> None:
    assert is_address(address)


def test_a_full_mailbox_holds_nobody_else_up(settings: Settings) -> None:
    error = refused("email", Provider(FULL), settings)
    assert (error.code, error.permanent) == ("smtp-452", True)


def test_a_relay_that_looks_twice_at_one_person_holds_up_that_person_alone(settings: Settings) -> None:
    error = refused("email", Provider(ASKS_TO_WAIT), settings)
    assert (error.code, error.wait_seconds) == ("smtp-451", None)
