"""What a recorded survey says of its own accord, besides the questionnaire's words; whole sentences, by language.

These belong to the person who listens, not to who sits at a screen: the language is the interview's, hence no gettext.
"""

import re

# In {sponsor}: on whose behalf; {notice}: the address of the privacy notice; {key}, {label}: one choice.
SENTENCES: dict[str, dict[str, str]] = {
    "identify": {
        "es": "Buen día. Le llama un sistema automático de parte de {sponsor}. Hacemos una encuesta de opinión por "
        "teléfono y sus respuestas son confidenciales. El aviso de privacidad está en {notice}. Si no quiere que le "
        "llamemos más, oprima 9 ahora; después, asterisco y 9 en cualquier momento.",
        "en": "Good day. This is an automated call on behalf of {sponsor}. We are running an opinion survey by "
        "telephone, and your answers are confidential. The privacy notice is at {notice}. If you do not want us to "
        "call you again, press 9 now; later, press star and 9 at any time.",
    },
    "challenge": {"es": "Para comenzar, oprima {key}.", "en": "To begin, press {key}."},
    "wrong_key": {"es": "No es la tecla que pedimos.", "en": "That is not the key we asked for."},
    "help": {
        "es": "Para repetir una pregunta, oprima asterisco. Para volver a la anterior, oprima gato.",
        "en": "To hear a question again, press star. To go back to the one before, press pound.",
    },
    "option": {"es": "{label}: oprima {key}.", "en": "{label}: press {key}."},
    "press": {"es": "Oprima {key}.", "en": "Press {key}."},
    "number": {
        "es": "Marque el número y termine con la tecla de gato.",
        "en": "Dial the number and end with the pound key.",
    },
    "several": {
        "es": "Puede elegir varias. Al terminar, oprima la tecla de gato.",
        "en": "You may choose several. When you have finished, press the pound key.",
    },
    "skip": {"es": "Si prefiere no contestar, oprima {key}.", "en": "If you prefer not to answer, press {key}."},
    "silence": {"es": "No recibimos su respuesta.", "en": "We did not receive your answer."},
    "no_option": {"es": "Esa tecla no es una de las opciones.", "en": "That key is not one of the options."},
    "not_valid": {"es": "Esa respuesta no es posible aquí.", "en": "That answer is not possible here."},
    "agreement": {
        "es": "La siguiente respuesta se da de viva voz. Si acepta que la grabemos, oprima 1. Si no, oprima 2.",
        "en": "The next answer is given in your own voice. If you agree to its recording, press 1. If not, press 2.",
    },
    "speak": {
        "es": "Hable después del tono. Al terminar, oprima la tecla de gato.",
        "en": "Speak after the tone. When you have finished, press the pound key.",
    },
    "thanks": {"es": "Gracias por su tiempo. Hasta luego.", "en": "Thank you for your time. Goodbye."},
    "over_quota": {
        "es": "Es todo: ya tenemos suficientes entrevistas de su grupo y no hace falta preguntarle más. Muchas gracias "
        "por su tiempo. Hasta luego.",
        "en": "That is all: we have enough interviews of your group, and there is nothing more to ask you. Thank you "
        "very much for your time. Goodbye.",
    },
    "broken_off": {
        "es": "Terminamos aquí. Gracias por su tiempo. Hasta luego.",
        "en": "We end here. Thank you for your time. Goodbye.",
    },
    "opted_out": {
        "es": "No volveremos a llamarle. Gracias. Hasta luego.",
        "en": "We will not call you again. Thank you. Goodbye.",
    },
    "resumed": {"es": "Disculpe la interrupción. Continuamos.", "en": "Sorry for the interruption. Let us go on."},
    "trouble": {
        "es": "Tenemos un problema técnico. Le pedimos una disculpa. Hasta luego.",
        "en": "We have a technical problem. We apologise. Goodbye.",
    },
}  # fmt: skip
# What who rings us hears, whatever the campaign was. In {why}: a phrase of WHY.
RECEPTION: dict[str, dict[str, str]] = {
    "who_called": {"es": "Le llamamos de parte de {sponsor}{why}.", "en": "We called you on behalf of {sponsor}{why}."},
    "our_number": {
        "es": "Llama usted a un número de {sponsor}. Desde aquí llamamos{why}.",
        "en": "You have reached a number of {sponsor}. From here we call people{why}.",
    },
    "nameless": {"es": "un centro de llamadas", "en": "a call centre"},
    "notice": {"es": "El aviso de privacidad está en {notice}.", "en": "The privacy notice is at {notice}."},
    "press_operator": {"es": "Para hablar con una persona, oprima 1.", "en": "To speak with a person, press 1."},
    "closed": {"es": "A esta hora no hay quien pueda atenderle.", "en": "At this hour nobody can attend to you."},
    "press_opt_out": {
        "es": "Si no quiere que le llamemos más, oprima 2.",
        "en": "If you do not want us to call you again, press 2.",
    },
    "hidden_number": {
        "es": "Su número está oculto. Si no quiere que le llamemos más, llame de nuevo sin ocultarlo.",
        "en": "Your number is hidden. If you do not want us to call you again, please call without hiding it.",
    },
    "press_message": {"es": "Para dejar un mensaje, oprima 3.", "en": "To leave a message, press 3."},
    "wait": {
        "es": "Enseguida le atendemos. Espere en la línea, por favor. Si prefiere dejar un mensaje, oprima 3.",
        "en": "We will be with you in a moment. Please stay on the line. If you prefer to leave a message, press 3.",
    },
    "stay": {"es": "Siga en la línea, por favor.", "en": "Please stay on the line."},
    "call_back": {
        "es": "En este momento nadie está libre. Le llamaremos en unos minutos; ya puede colgar.",
        "en": "Nobody is free at this moment. We will call you in a few minutes; you may hang up now.",
    },
    "nobody": {"es": "En este momento nadie está libre.", "en": "Nobody is free at this moment."},
    "leave_message": {
        "es": "Su mensaje se graba, y lo oirá una persona de nuestro equipo. Hable después del tono. Al terminar, "
        "oprima la tecla de gato.",
        "en": "Your message is recorded, and a person of our team will hear it. Speak after the tone. When you have "
        "finished, press the pound key.",
    },
    "message_left": {
        "es": "Su mensaje quedó guardado. Gracias. Hasta luego.",
        "en": "Your message has been kept. Thank you. Goodbye.",
    },
    "no_message": {"es": "No oímos ningún mensaje. Hasta luego.", "en": "We heard no message. Goodbye."},
    "other_call": {
        "es": "En este momento hay otra llamada nuestra con su número. Llame de nuevo en unos minutos, por favor.",
        "en": "At this moment there is another call of ours with your number. Please call again in a few minutes.",
    },
    "no_campaign": {
        "es": "Este número es de un centro de llamadas que ahora no llama a nadie. Gracias por llamar. Hasta luego.",
        "en": "This number belongs to a call centre that calls nobody at present. Thank you for calling. Goodbye.",
    },
}  # fmt: skip
# Why we called, by the purpose of the campaign (callcenter.calendar.PURPOSES).
WHY: dict[str, dict[str, str]] = {
    "survey": {"es": " para una encuesta de opinión", "en": " for an opinion survey"},
    "data_verification": {"es": " para comprobar unos datos", "en": " to verify some details"},
    "structure": {"es": " por su participación en la organización", "en": " about your part in the organisation"},
    "persuasion": {"es": " para presentar una propuesta", "en": " to present a proposal"},
    "neutral_reminder": {"es": " para recordar dónde y cuándo se vota", "en": " to say where and when to vote"},
    "mobilization": {"es": " por la jornada electoral", "en": " about election day"},
    "citizen_care": {"es": " para atender un asunto ciudadano", "en": " about a matter of yours"},
    "privacy_request": {"es": " por una solicitud sobre datos personales", "en": " about a request on personal data"},
}  # fmt: skip
CALLER = {"es": "un sistema automático", "en": "an automated system"}  # who calls, where a questionnaire names them
_TONGUES = {"es": "es", "español": "es", "spanish": "es", "en": "en", "english": "en", "inglés": "en"}
_STAR = {"es": "asterisco y {key}", "en": "star and {key}"}
_ADDRESS = {
    "es": {".": " punto ", "/": " diagonal ", "-": " guion ", "_": " guion bajo ", "@": " arroba "},
    "en": {".": " dot ", "/": " slash ", "-": " dash ", "_": " underscore ", "@": " at "},
}


def tongue(language: str) -> str | None:
    """`es` or `en` for a questionnaire's language; None when the house speaks no such language."""
    return _TONGUES.get(language.lower())


def sentence(code: str, language: str, **values: str) -> str:
    """A sentence of the house in this language, '' when it does not speak it."""
    known = tongue(language)
    return (SENTENCES | RECEPTION)[code][known].format_map(values) if known else ""


def why_called(purpose: str, language: str) -> str:
    """For what a campaign calls, to follow «we called you»; '' for a purpose without words, or an unknown language."""
    return WHY.get(purpose, {}).get(tongue(language) or "", "")


def spoken_key(key: str, language: str) -> str:
    """`*0` as it is said; of several figures each by itself."""
    star = _STAR.get(tongue(language) or "", "{key}")
    return star.format(key=" ".join(key[1:])) if key.startswith("*") else " ".join(key)


def spoken_address(url: str, language: str) -> str:
    """A web address as a person says it: without its scheme, with words for its signs."""
    plain = re.sub(r"^https?://(www\.)?", "", url.strip()).rstrip("/")
    for sign, word in _ADDRESS.get(tongue(language) or "", {}).items():
        plain = plain.replace(sign, word)
    return " ".join(plain.split())
