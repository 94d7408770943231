"""The demonstration: an invented campaign in Minatitlán, loaded into an empty database in a few seconds.

`python -m scripts.demo` loads it once; docs/simulation.md says what is in it. Everybody in it is invented.
"""

from dataclasses import dataclass

SEED = 1  # the simulated carrier's default, so that its citizens are the demonstration's contacts
PASSWORD = "convoca-demo"  # noqa: S105 - public on purpose: refused on any address but this machine's own
SIMULATED_OPERATORS = 20


@dataclass(frozen=True)
class Login:
    role: str
    username: str
    full_name: str


LOGINS = (
    Login("administrator", "administracion", "Amalia Quiroz Demo"),
    Login("strategist", "estrategia", "Esteban Rueda Demo"),
    Login("supervisor", "supervision", "Susana Paredes Demo"),
    Login("pollster", "encuestas", "Ernesto Luján Demo"),
    Login("operator", "operador", "Olga Medina Demo"),
    Login("data_clerk", "captura", "Camila Toral Demo"),
)
FLOOR = tuple(
    Login("operator", f"operador{number:02}", f"Simulación {number:02}") for number in range(1, SIMULATED_OPERATORS + 1)
)


def logins() -> list[str]:
    """What a newcomer is told: one line a role."""
    lines = [f"  {login.role.replace('_', ' '):<14} {login.username:<15} {PASSWORD}" for login in LOGINS]
    return ["Log-ins of the demonstration (role, user name, password):", *lines]
