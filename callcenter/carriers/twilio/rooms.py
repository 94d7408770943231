"""TwiML of rooms: where a leg is led, what is heard there, and operators who hold their line by telephone."""

from twilio.twiml.voice_response import Gather, VoiceResponse

from callcenter.carriers.twilio import words
from callcenter.carriers.twilio.words import LANGUAGE, conference

CODE_DIGITS = 6
TAKE = "Convoca. Esta es su línea de trabajo. Para tomarla, presione uno, y no cuelgue."
CHECK = "Convoca. Para confirmar este teléfono, marque los seis dígitos que ve en su pantalla."
CODE = "Marque los seis dígitos que ve en su pantalla."
WRONG = "Ese código no es correcto, o ya venció."
SHUT = "Hubo demasiados intentos. Espere quince minutos, o pida en su pantalla que le llamemos."
CHECKED = "Gracias. Su teléfono quedó confirmado. Puede colgar."
OPEN = "Línea abierta."  # short: from now on a citizen may be led here


def enter(room: str, ref: str) -> str:
    """TwiML that leads the leg `ref` into a room by its name in the house (callcenter.carriers). Raises ValueError."""
    response = VoiceResponse()
    if room == "hold":
        # A room that never begins and has no waitUrl: Twilio plays its own music in it.
        return conference(response, f"hold-{ref}", wait_url=None, start_conference_on_enter=False)
    if room == "goodbye":
        return words.apology("")
    if room.startswith("op-"):
        return conference(response, room, start_conference_on_enter=False)
    if room.startswith("meet-"):  # a citizen and an outsider without us: it is over when one of them leaves
        return conference(response, room, start_conference_on_enter=True, end_conference_on_exit=True)
    raise ValueError(f"{room!r} is no room of Twilio's; known are hold, goodbye, op-… and meet-…")


def press(keys: str, room: str, ref: str) -> str:
    """TwiML that plays keys to this leg, which is led into its room again.

    https://www.twilio.com/docs/voice/twiml/play#attributes-digits"""
    response = VoiceResponse()
    response.play(digits=keys)
    return str(response).removesuffix("</Response>") + enter(room, ref).partition("<Response>")[2]


def ask_to_take(action: str) -> str:
    """TwiML of an operator's telephone that was answered: a person presses 1, an answering machine does not."""
    return _gather(TAKE, action, 1)


def ask_for_code(action: str, *sentences: str) -> str:
    """TwiML that asks for six digits, and hangs up without any."""
    return _gather(" ".join(sentences), action, CODE_DIGITS)


def say_and_end(sentence: str) -> str:
    """TwiML that says this and hangs up."""
    response = VoiceResponse()
    response.say(sentence, language=LANGUAGE)
    response.hangup()
    return str(response)


def _gather(sentence: str, action: str, digits: int) -> str:
    """https://www.twilio.com/docs/voice/twiml/gather: without a digit the next verb follows."""
    response = VoiceResponse()
    gather = Gather(
        input="dtmf", num_digits=digits, timeout=10, finish_on_key="", action=action, method="POST",
        action_on_empty_result=False,
    )  # fmt: skip
    gather.say(sentence, language=LANGUAGE)
    response.append(gather)
    response.hangup()
    return str(response)
