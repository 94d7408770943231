import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.correspondence.replies import Meaning, meaning


@pytest.mark.parametrize(
    "text",
    [
        "BAJA", "baja", "Baja.", "BAJA!!!", "¡Baja!", "  baja  ", "B A J A", "B.A.J.A.", "«BAJA»", "Bája", "baja 🙏",
        "ALTO", "Alto", "STOP", "Stop.", "CANCELAR", "cancelar por favor", "baja por favor",
        "Por favor, baja", "BAJA GRACIAS",
        "parar", "Basta", "BASTA YA", "salir", "unsubscribe", "STOPALL", "quiero baja", "vaja",
        "ya no me manden", "Ya no me manden mensajes", "ya no me manden nada", "no me manden mas mensajes",
        "No me envíen más",
        "ya no me escriban", "no me molesten", "dejen de molestar", "Dejen de enviarme mensajes", "deja de mandarme",
        "denme de baja", "dame de baja por favor", "Me dan de baja, no gracias", "quítenme de la lista",
        "borren mi numero",
        "no quiero recibir mensajes", "no quiero mas mensajes", "no me interesa", "Ya no me llamen",
        "NO VUELVAN A MANDAR", "no me vuelvan a escribir",
        "bja", "abja", "bajaa", "BAJAAAAA", "b4ja", "St0p", "sotp", "alyo", "cancelr", "cansela", "desuscribirm",
        "B\u200bAJA", "ＢＡＪＡ", "🛑", "🚫🚫", "ya no me mamden mensajes", "no envien mas mensjes", "dejenme en paz",
        "Ya bájenme de su lista", "no estén molestando", "no más mensajes", "los voy a bloquear", "no autorizo esto",
    ],
)  # fmt: skip
def test_a_person_who_wants_no_more_messages_is_understood(text: str) -> None:
    assert meaning(text) is Meaning.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "¿cómo doy de baja a otra persona?", "Como doy de baja a mi mamá", "¿baja?  no entiendo", "¿Qué es BAJA?",
        "STOP a la violencia en mi colonia", "el precio del gas no baja", "no cancelen mi registro, no me den de baja",
        "vivo en la planta baja de la casa azul", "¿A quién le digo que ya no me manden agua sucia?",
        "de baja intensidad", "👎", "🖕🖕", "no gracias", "¿Quién les dio mi número?", "esto es acoso",
        "la verdad yo creo que si no quiero que suban la luz tampoco van a ganar y ya estuvo bueno",
        "alto a la corrupcion",
    ],
)  # fmt: skip
def test_a_doubtful_reply_is_left_to_a_person(text: str) -> None:
    assert meaning(text) is Meaning.DOUBTFUL


@pytest.mark.parametrize(
    "text",
    ["", "   ", "👍", "Sí", "No", "Gracias", "¿Quién es?", "Claro que sí, ahí estaré", "trabajan hoy?",
     "Hola, buen día", "jaja", "jajaja", "hasta", "auto", "caja",
     "para", "vota", "pagar", "Balta", "Sí a todo", "alta", "algo",
     "La calle esta", "bajo", "Alta", "1", "Ok", "mi hijo se llama Baltazar"],
)  # fmt: skip
def test_other_replies_are_only_kept(text: str) -> None:
    assert meaning(text) is Meaning.OTHER


@given(st.text(max_size=300))
def test_any_text_has_a_meaning(text: str) -> None:
    assert meaning(text) in Meaning
