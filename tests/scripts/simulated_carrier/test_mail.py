"""The mailbox of the simulation."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from scripts.bench.product import free_port
from tests.scripts.simulated_carrier.line import Line, running

US = "campana@convoca.example"


@pytest.fixture
def post(journal_path: Path) -> Iterator[tuple[Line, int]]:
    port = free_port()
    with running(journal_path, smtp_port=port) as line:
        yield line, port


def mail(to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Campaña <{US}>", to, "¿Ya sabe dónde vota?"
    message["List-Unsubscribe"] = "<https://convoca.example/u/abc>"
    message.set_content("Hola, vecina.\n")
    message.add_alternative("<p>Hola, vecina.</p>", subtype="html")
    return message


def send(port: int, to: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
        smtp.send_message(mail(to), US, [to])


def test_a_mail_arrives_with_its_headers_and_text(post: tuple[Line, int]) -> None:
    line, port = post
    send(port, "lupita@ejemplo.example")
    found = line.get("/control/mail?to=lupita@ejemplo.example")
    (letter,) = found["mails"]
    assert (letter["from"], letter["headers"]["Subject"]) == (US, "¿Ya sabe dónde vota?")
    assert letter["headers"]["List-Unsubscribe"] == "<https://convoca.example/u/abc>"
    assert letter["text"].strip() == "Hola, vecina."
    assert found["received"] == {"lupita@ejemplo.example": 1}


@pytest.mark.parametrize(("to", "code"), [("noexiste7@ejemplo.example", 550), ("lleno@ejemplo.example", 452)])
def test_some_mailboxes_refuse(post: tuple[Line, int], to: str, code: int) -> None:
    line, port = post
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        send(port, to)
    assert refusal.value.recipients[to][0] == code
    assert line.get("/control/mail")["received"] == {}


def test_a_greylisted_mailbox_takes_the_second_try(post: tuple[Line, int]) -> None:
    line, port = post
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(port, "grey@ejemplo.example")
    send(port, "grey@ejemplo.example")
    assert line.get("/control/mail")["received"] == {"grey@ejemplo.example": 1}


def test_a_mail_may_be_refused_as_spam(post: tuple[Line, int]) -> None:
    line, port = post
    line.settings(mail_refused_share=1)
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(port, "lupita@ejemplo.example")
    assert refusal.value.smtp_code == 554
